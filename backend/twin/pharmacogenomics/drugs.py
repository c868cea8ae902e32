"""Which medicine a name, a brand or an RxNorm code stands for, and what it is.

Codes and reading classes come from the ingredient table; `tables/drugs.toml` adds other
names, the classes that rules ask for, and molecules.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType

from backend.twin.ingredients import Ingredient, by_rxnorm, ingredients

# A salt, ester or release form after a name; the active part is the same.
_SALT = re.compile(
    r"(?: (?:(?:di)?hydrochloride|hcl|hydrobromide|hbr|(?:di)?maleate|(?:di)?mesylate"
    r"|besylate|tosylate|tartrate|bitartrate|succinate|fumarate|oxalate|citrate"
    r"|phosphate|sul(?:f|ph)ate|acetate|decanoate|pamoate|sodium|potassium|calcium"
    r"|[xesc]r|xl|la|retard))+$"
)
_PARTS = re.compile(r" ?[/+,;&] ?| and ")


@dataclass(frozen=True, slots=True)
class Drug:
    """An active ingredient: `name` is its key in the ingredient table.

    `rxnorm_ingredient` is its RxNorm code, empty where none could be confirmed;
    `rxnorm_codes` all of them, salts and prodrugs included. `classes`: the class of
    the ingredient table first, then those that rules ask for. `combined`: brands that
    hold it and others, with the names of these. `smiles` is None where no molecule is
    kept.
    """

    name: str
    rxnorm_codes: tuple[str, ...]
    classes: tuple[str, ...]
    other_names: tuple[str, ...] = ()
    combined: tuple[tuple[str, tuple[str, ...]], ...] = ()
    smiles: str | None = None

    @property
    def rxnorm_ingredient(self) -> str:
        """The first RxNorm code; empty where none could be confirmed."""
        return next(iter(self.rxnorm_codes), "")

    def is_one_of(self, selectors: Iterable[str]) -> bool:
        """Whether a name or a class ("@nsaid") of `selectors` stands for it."""
        return any(
            one == self.name or (one[0] == "@" and one[1:] in self.classes)
            for one in selectors
        )


@cache
def drugs() -> Mapping[str, Drug]:
    """Every medicine by its name, read once. Raises ValueError on a wrong table."""
    text = files("backend.twin.tables").joinpath("drugs.toml").read_text("utf-8")
    return MappingProxyType(read_drugs(text, ingredients()))


def read_drugs(text: str, known: Mapping[str, Ingredient]) -> dict[str, Drug]:
    """The catalogue out of TOML text, one block for each ingredient that is `known`.

    Raises ValueError, naming what is wrong, where a block is of no ingredient, an
    ingredient has no block, or a name stands for two medicines.
    """
    blocks = tomllib.loads(text)
    odd = blocks.keys() ^ known.keys()
    if odd:
        raise ValueError(f"drugs.toml: not in both tables: {', '.join(sorted(odd))}")
    made = {
        key: Drug(
            name=key,
            rxnorm_codes=one.codes,
            classes=(one.group, *blocks[key].get("classes", ())),
            other_names=tuple(blocks[key].get("names", ())),
            combined=tuple(
                (brand, tuple(others))
                for brand, others in blocks[key].get("combined", {}).items()
            ),
            smiles=blocks[key].get("smiles"),
        )
        for key, one in known.items()
    }
    read_combinations(made, read_names(made.values()))
    return made


def read_names(catalogue: Iterable[Drug]) -> dict[str, Drug]:
    """Every name as it is compared. Raises ValueError where one stands for two."""
    found: dict[str, Drug] = {}
    for drug in catalogue:
        for name in {_plain(drug.name), *map(_plain, drug.other_names)}:
            if name in found:
                raise ValueError(f"drugs.toml: {name} stands for two medicines")
            found[name] = drug
    return found


def read_combinations(
    catalogue: Mapping[str, Drug], names: Iterable[str]
) -> dict[str, tuple[Drug, ...]]:
    """Brands of several medicines, as they are compared; `names` are those of one.

    Raises ValueError where a brand stands for something else, too, or another one of
    its medicines is not in the catalogue.
    """
    found: dict[str, tuple[Drug, ...]] = {}
    for drug in catalogue.values():
        for brand, others in drug.combined:
            if _plain(brand) in {*found, *names} or not catalogue.keys() >= {*others}:
                raise ValueError(f"drugs.toml: {brand} is no such combination")
            found[_plain(brand)] = (drug, *(catalogue[one] for one in others))
    return found


@lru_cache(maxsize=4096)  # names come again and again
def find_drugs(text: str) -> tuple[Drug, ...]:
    """The medicines behind a name, a brand or an RxNorm code, a product's included.

    A combination ("olanzapine / fluoxetine", Symbyax, 403969) has several. () where the
    catalogue does not know it, or not all of it: nothing is guessed.
    """
    catalogue = drugs()
    keys = by_rxnorm(text.strip())
    if keys:
        return tuple(catalogue[key] for key in keys)
    together = _combinations().get(_plain(text))
    if together:
        return together
    whole = _named(text)
    parts = [whole] if whole else [_named(part) for part in _PARTS.split(text)]
    return tuple(one for one in parts if one) if all(parts) else ()


def _named(text: str) -> Drug | None:
    """By a name or a brand, or by the name of a salt."""
    plain = _plain(text)
    return _names().get(plain) or _names().get(_SALT.sub("", plain))


def find_drug(text: str) -> Drug | None:
    """The one medicine behind a name or code; None if unknown or a combination."""
    found = find_drugs(text)
    return found[0] if len(found) == 1 else None


def sort_out(texts: Iterable[str]) -> tuple[tuple[Drug, ...], tuple[str, ...]]:
    """Medicines behind names or codes, each once, and the texts that are unknown."""
    found: dict[str, Drug] = {}
    unknown: list[str] = []
    for text in texts:
        behind = find_drugs(text)
        found.update((drug.name, drug) for drug in behind)
        unknown += [] if behind else [text]
    return tuple(found.values()), tuple(unknown)


@cache
def _names() -> Mapping[str, Drug]:
    return MappingProxyType(read_names(drugs().values()))


@cache
def _combinations() -> Mapping[str, tuple[Drug, ...]]:
    return MappingProxyType(read_combinations(drugs(), _names()))


def _plain(name: str) -> str:
    """As names are compared: without case, hyphens and double spaces."""
    text = name.casefold().replace("-", " ").replace("’", "'")
    return " ".join(text.replace(".", "").split())
