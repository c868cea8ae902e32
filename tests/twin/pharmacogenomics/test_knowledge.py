"""The tables' state is named, and any change of theirs changes the name."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from backend.twin.pharmacogenomics import knowledge
from backend.twin.pharmacogenomics.rules import rules

FOLDER = Path(str(files("backend.twin.tables")))
# Tables of other services, on which no advice rests.
OTHERS = {"calibration.toml", "insights.toml", "irregular.toml", "measures.toml"}
OTHERS |= {"scales.toml"}


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    knowledge.knowledge_digest.cache_clear()
    yield
    knowledge.knowledge_digest.cache_clear()


def test_it_is_a_digest_and_the_same_again():
    digest = knowledge.knowledge_digest()
    knowledge.knowledge_digest.cache_clear()
    assert knowledge.knowledge_digest() == digest and len(digest) == 64


def tables():
    found = [one for one in FOLDER.rglob("*") if one.suffix in (".csv", ".toml")]
    return sorted(one for one in found if one.name not in OTHERS)


@pytest.mark.parametrize("table", tables(), ids=lambda one: one.name)
def test_every_table_that_counts_is_in_it(monkeypatch, table):
    before = knowledge.knowledge_digest()
    read = Path.read_text

    def changed(self, *args, **other):
        told = read(self, *args, **other)
        return f"{told} " if self == table else told

    monkeypatch.setattr(Path, "read_text", changed)
    knowledge.knowledge_digest.cache_clear()
    assert knowledge.knowledge_digest() != before


def test_versions_are_of_every_source_and_gene():
    versions = knowledge.knowledge_versions()
    assert versions.keys() == {"CPIC", "DPWG", "FDA Label", "FDA Assoc", *rules()}
    assert all(versions.values())
