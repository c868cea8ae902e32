"""The table of phenotypes: from two functions or one score to CPIC's term."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from backend.twin.pharmacogenomics.gene_result import INDETERMINATE

By = Literal["score", "function", "presence"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How one gene gets its phenotype.

    `phenotypes`: the term of each key, a score ("1.25") or two functions ("No +
    Normal"). `asked`: of an HLA gene, the alleles asked for; the first one's status is
    the key.
    """

    gene: str
    version: str
    source: str
    by: By
    phenotypes: Mapping[str, str]
    asked: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key, in the table's order."""
        return tuple(self.phenotypes)

    @property
    def terms(self) -> frozenset[str]:
        """Every phenotype that the gene may have."""
        return frozenset({*self.phenotypes.values(), INDETERMINATE})

    def phenotype(self, key: str) -> str:
        """The term of a key; Indeterminate for one that the table does not have."""
        return self.phenotypes.get(key, INDETERMINATE)

    def keys_of(self, phenotype: str) -> tuple[str, ...]:
        """What CPIC's recommendations may be asked by, given that phenotype alone."""
        if self.by == "function":
            return (phenotype,)
        return tuple(key for key, one in self.phenotypes.items() if one == phenotype)


def pair(one: str, other: str) -> str:
    """Two functions as the table's key, whatever their order."""
    first, second = sorted(text.removesuffix(" function") for text in (one, other))
    return f"{first} + {second}"


@cache
def rules() -> Mapping[str, Rule]:
    """The rule of every gene that advice is looked up by, read once."""
    text = files("backend.twin.tables").joinpath("phenotypes.toml").read_text("utf-8")
    return MappingProxyType(read_rules(text))


def read_rules(text: str) -> dict[str, Rule]:
    """Rules out of TOML text, by gene. Raises ValueError where a key comes twice."""
    return {gene: _rule(gene, block) for gene, block in tomllib.loads(text).items()}


def _rule(gene: str, block: dict[str, Any]) -> Rule:
    """`Any` because this is TOML."""
    listed = block.pop("phenotypes", {})
    found = [(key, term) for term, keys in listed.items() for key in keys]
    by_key = dict(found)
    if len(by_key) < len(found):
        raise ValueError(f"phenotypes.toml [{gene}]: a key comes twice")
    asked = tuple(block.pop("asked", ()))
    return Rule(gene=gene, phenotypes=MappingProxyType(by_key), asked=asked, **block)
