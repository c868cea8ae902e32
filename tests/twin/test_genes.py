from __future__ import annotations

from typing import get_args

import pytest

from backend.twin.genes import PHENOTYPES, Alleles, genes, symbols_by_hgnc


@pytest.mark.parametrize(
    ("symbol", "hgnc", "alleles"),
    [
        ("CYP2C19", 2621, "star"),
        ("CYP2C9", 2623, "star"),
        ("CYP2D6", 2625, "star"),
        ("HLA-A", 4931, "hla"),
        ("HLA-B", 4932, "hla"),
        ("SLC6A4", 11050, "plain"),
    ],
)
def test_numbers_as_hgnc_gives_them(symbol: str, hgnc: int, alleles: str) -> None:
    gene = genes()[symbol]
    assert (gene.symbol, gene.hgnc, gene.alleles) == (symbol, hgnc, alleles)
    assert symbols_by_hgnc()[hgnc] == symbol


def test_every_row_of_the_table_is_whole() -> None:
    assert len(symbols_by_hgnc()) == len(genes()) == 12
    for gene in genes().values():
        assert gene.alleles in get_args(Alleles)
        assert gene.symbol == gene.symbol.upper()


def test_the_words_for_phenotypes_are_lower_case() -> None:
    assert all(word == word.lower().strip() for word in PHENOTYPES)
