"""The tables of medicines are whole, and what is wrong in one is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.twin.pharmacogenomics.checked_table import checked, text_of
from backend.twin.pharmacogenomics.drugs import drugs
from backend.twin.pharmacogenomics.inhibitors import statements
from backend.twin.pharmacogenomics.medicine_check import (
    TABLES,
    drug_problems,
    inhibitor_problems,
    safety_problems,
    toml_rows,
)
from backend.twin.pharmacogenomics.safety_facts import GeneIs, TakesThat
from backend.twin.pharmacogenomics.safety_table import safety_rules


@pytest.mark.parametrize("table", TABLES, ids=lambda one: one.name)
def test_the_tables_are_whole(table: object) -> None:
    for one in TABLES:
        report = checked(one, text_of(one.name), before=None)
        assert report.problems == ()
        assert report.versions == ("2" if one.name == "safety.toml" else "1",)
        assert report.rows >= 70


def test_a_class_that_no_rule_asks_for() -> None:
    odd = replace(drugs()["sertraline"], classes=("ssri", "blue"))
    assert list(drug_problems([odd], safety_rules())) == [
        "sertraline: no rule asks for the class blue"
    ]


def test_an_enzyme_that_nothing_asks_for_and_a_contradiction() -> None:
    first = statements()[0]
    assert list(inhibitor_problems([replace(first, enzyme="CYP9Z9")])) == [
        "bupropion: nothing asks for CYP9Z9"
    ]
    assert list(inhibitor_problems([first, replace(first, effect="inducer")])) == [
        "bupropion: both an inhibitor and an inducer of CYP2D6"
    ]


@pytest.mark.parametrize(
    ("question", "wrong"),
    [
        (GeneIs("CYP2D6", ("Rapid Metabolizer",)), "no such result of CYP2D6"),
        (GeneIs("HLA-B", ("*57:01 positive",)), "no such result of HLA-B"),
        (GeneIs("POLG", ("Poor Metabolizer",)), "no such result of POLG"),
        (TakesThat("CYP2D6", "inducer", "weak"), "no inducer of CYP2D6 is known"),
    ],
)
def test_a_question_without_an_answer(question: GeneIs | TakesThat, wrong: str) -> None:
    odd = replace(safety_rules()[0], when=(question,))
    assert list(safety_problems([odd])) == [f"{odd.code}: {wrong}"]


def test_layout_alone_is_no_change() -> None:
    assert toml_rows('[a]\nx = [\n  "1",\n]\n') == toml_rows('[a]\nx = ["1"]\n')
