"""Which active ingredients a medicine holds, by its RxNorm code.

EHRs name the product (sertraline 50 mg tablets), rules name the ingredient. The tables
know the psychotropic ones and those that a rule on them asks for beside them; any other
code is unknown, never "no psychotropic".
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Ingredient:
    """An active ingredient: `key` is its INN, `group` its class for reading.

    `codes` are its RxNorm codes as an ingredient, salts and prodrugs that count as the
    same included; empty where none could be confirmed and products alone are known.
    """

    key: str
    group: str
    codes: tuple[str, ...]


@cache
def ingredients() -> Mapping[str, Ingredient]:
    """Every ingredient of `tables/ingredients.csv` by its key, read once.

    Raises ValueError on a row that contradicts another, naming it.
    """
    return MappingProxyType(read_ingredients(_table("ingredients.csv")))


def by_rxnorm(code: str) -> tuple[str, ...]:
    """Keys of the ingredients behind an RxNorm code, sorted; () if it is unknown."""
    return _codes().get(code, ())


@cache
def _codes() -> Mapping[str, tuple[str, ...]]:
    singles = {code: (one.key,) for one in ingredients().values() for code in one.codes}
    return {**read_products(_table("products.csv"), ingredients()), **singles}


def _table(name: str) -> str:
    return files("backend.twin.tables").joinpath(name).read_text(encoding="utf-8")


def read_ingredients(text: str) -> dict[str, Ingredient]:
    """Ingredients out of CSV text: key, class, RxNorm codes with spaces between.

    Raises ValueError if a key or a code comes twice, naming it.
    """
    found: dict[str, Ingredient] = {}
    seen: set[str] = set()
    for row in csv.DictReader(text.splitlines()):
        one = Ingredient(row["key"], row["class"], tuple(row["rxnorm"].split()))
        again = {one.key} & found.keys() or seen.intersection(one.codes)
        if again:
            raise ValueError(f"ingredients.csv: {min(again)} comes twice")
        found[one.key] = one
        seen.update(one.codes)
    return found


def read_products(
    text: str, known: Mapping[str, Ingredient]
) -> dict[str, tuple[str, ...]]:
    """Products out of CSV text: RxNorm code, ingredient keys with spaces between.

    Raises ValueError, naming the code, if it comes twice, is an ingredient's own, or
    stands for an ingredient that is not `known`.
    """
    own = {code for one in known.values() for code in one.codes}
    found: dict[str, tuple[str, ...]] = {}
    for row in csv.DictReader(text.splitlines()):
        code, keys = row["rxnorm"], tuple(sorted(row["ingredients"].split()))
        if code in found or code in own:
            raise ValueError(f"products.csv: {code} comes twice")
        if not keys or not known.keys() >= set(keys):
            raise ValueError(f"products.csv: {code} holds an unknown ingredient")
        found[code] = keys
    return found
