"""Which state of the tables an answer was made with: outdated tables mislead."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from backend.twin.pharmacogenomics.advice_table import FILES, tables, text
from backend.twin.pharmacogenomics.rules import rules

_FILES = (
    *("alleles.toml", "conditions.csv", "drugs.toml", "genes.toml", "ingredients.csv"),
    *("inhibitors.csv", "phenotypes.toml", "products.csv", "safety.toml"),
)
_ADVICE = (*FILES.values(), *(f"{name}_guidelines" for name in FILES.values()))


@cache
def knowledge_digest() -> str:
    """sha256 over every table that an answer may rest on, as the files are."""
    folder = files("backend.twin.tables")
    hashed = hashlib.sha256()
    for name in _FILES:
        _add(hashed, name, folder.joinpath(name).read_text(encoding="utf-8"))
    for name in (*_ADVICE, "groups"):
        _add(hashed, name, text(name))
    _add(hashed, "words", folder.joinpath("advice", "words.toml").read_text("utf-8"))
    return hashed.hexdigest()


@cache
def knowledge_versions() -> Mapping[str, str]:
    """The version of each source's advice and of each gene's phenotypes, by name."""
    advice = {source: " / ".join(one.versions) for source, one in tables().items()}
    phenotypes = {gene: rule.version for gene, rule in rules().items()}
    return MappingProxyType({**advice, **phenotypes})


def _add(hashed: hashlib._Hash, name: str, content: str) -> None:
    hashed.update(f"{name}|{len(content)}|{content}".encode())
