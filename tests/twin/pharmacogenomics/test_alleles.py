from __future__ import annotations

import re

import pytest

from backend.twin.pharmacogenomics.alleles import allele_tables, read_alleles


@pytest.mark.parametrize(
    ("gene", "name", "function", "value"),
    [
        ("CYP2D6", "*9", "Decreased function", "0.25"),  # 0.5 until 2023
        ("CYP2D6", "*41", "Decreased function", "0.25"),  # likewise
        ("CYP2D6", "*10", "Decreased function", "0.25"),
        ("CYP2D6", "*1x≥3", "Increased function", "≥3.0"),
        ("CYP2D6", "*36+*10", "Decreased function", "0.25"),
        ("CYP2D6", "*22", "Uncertain function", "n/a"),
        ("CYP2C9", "*2", "Decreased function", "0.5"),
        ("CYP2C19", "*17", "Increased function", "n/a"),
        ("CYP2B6", "*4", "Increased function", "n/a"),
        ("CYP3A4", "*22", "Decreased function", "n/a"),
        ("CYP3A5", "*3", "No function", "n/a"),
    ],
)
def test_alleles_everybody_asks_about(
    gene: str, name: str, function: str, value: str
) -> None:
    one = allele_tables()[gene].alleles[name]
    assert (one.gene, one.name) == (gene, name)
    assert (one.function, one.value) == (function, value)


def test_versions_are_days() -> None:
    versions = {table.version for table in allele_tables().values()}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", version) for version in versions)


def test_an_allele_may_not_come_twice() -> None:
    text = """
        [CYP2C19]
        version = "2025-11-05"
        groups = [
            { function = "No function", source = "CPIC", alleles = "*2 *3" },
            { function = "Normal function", source = "CPIC", alleles = "*1 *2" },
        ]"""
    with pytest.raises(ValueError, match=r"\[CYP2C19\]: an allele comes twice"):
        read_alleles(text)
