from __future__ import annotations

import pytest

from backend.twin.pharmacogenomics.rules import pair, read_rules, rules


def test_the_genes_that_are_looked_up() -> None:
    by = {gene: rule.by for gene, rule in rules().items()}
    assert by == {
        "CYP2B6": "function",
        "CYP2C19": "function",
        "CYP2C9": "score",
        "CYP2D6": "score",
        "CYP3A4": "function",
        "CYP3A5": "function",
        "HLA-A": "presence",
        "HLA-B": "presence",
    }
    assert rules()["HLA-A"].asked == ("*31:01",)
    assert rules()["HLA-B"].asked == ("*15:02", "*15:11")


def test_a_pair_has_no_order() -> None:
    assert pair("Normal function", "No function") == "No + Normal"
    assert pair("No function", "Normal function") == "No + Normal"


@pytest.mark.parametrize(
    ("gene", "phenotype", "keys"),
    [
        ("CYP2D6", "Intermediate Metabolizer", ("0.25", "0.5", "0.75", "1.0")),
        ("CYP2D6", "Poor Metabolizer", ("0.0",)),
        ("CYP2D6", "Indeterminate", ("n/a",)),
        ("CYP2C9", "Poor Metabolizer", ("0.0", "0.5")),
        ("CYP2C19", "Rapid Metabolizer", ("Rapid Metabolizer",)),
        ("CYP3A4", "Indeterminate", ("Indeterminate",)),
    ],
)
def test_what_a_phenotype_alone_may_be_asked_by(
    gene: str, phenotype: str, keys: tuple[str, ...]
) -> None:
    assert rules()[gene].keys_of(phenotype) == keys
    assert phenotype in rules()[gene].terms


def test_what_the_table_does_not_have_is_indeterminate() -> None:
    assert rules()["CYP3A4"].phenotype("No + Uncertain") == "Indeterminate"
    assert rules()["CYP2D6"].phenotype("0.3") == "Indeterminate"


def test_a_key_may_not_come_twice() -> None:
    text = """
        [CYP2C9]
        version = "1"
        source = "CPIC"
        by = "score"
        phenotypes = { "Poor Metabolizer" = ["0.0"], "Indeterminate" = ["0.0"] }"""
    with pytest.raises(ValueError, match=r"\[CYP2C9\]: a key comes twice"):
        read_rules(text)
