"""Reading the safety table, and refusing one that is wrong."""

from __future__ import annotations

import pytest

from backend.twin.conditions import rules as condition_rules
from backend.twin.pharmacogenomics.safety_facts import AgeIs, GeneIs, Has, Takes, Used
from backend.twin.pharmacogenomics.safety_table import read_safety, safety_rules

WORDS = '[words]\nliver = "liver disease"\n'
ROW = """
[row]
drugs = ["lithium", "@nsaid"]
severity = "caution"
text = "Mind it."
source = "A label"
when = [{ has = ["liver"] }]
"""


def test_a_row() -> None:
    (made,) = read_safety(WORDS + ROW)
    assert made.code == "row"
    assert made.drugs == ("lithium", "@nsaid")
    assert (made.severity, made.unknown, made.both_ways) == (
        "caution",
        "monitor",
        False,
    )
    assert made.when == (Has(("liver",), "liver disease"),)


def test_a_row_that_was_not_read_at_its_source_says_so() -> None:
    (made,) = read_safety(WORDS + ROW + "verified = false\n")
    assert made.source == "A label; from memory, not checked at its source"


@pytest.mark.parametrize(
    ("asked", "question"),
    [
        ('{ gene = "HLA-B", is = ["a"] }', GeneIs("HLA-B", ("a",))),
        ("{ age_from = 61 }", AgeIs(least=61)),
        ("{ age_below = 2 }", AgeIs(below=2)),
        ('{ takes = ["lithium"] }', Takes(("lithium",))),
        ('{ used = "naive" }', Used("naive")),
        ('{ used_but = "naive" }', Used("naive", but=True)),
    ],
)
def test_what_a_row_may_ask(asked: str, question: object) -> None:
    made, _ = read_safety(
        WORDS + ROW + ROW.replace("[row]", "[b]").replace('{ has = ["liver"] }', asked)
    )[::-1]
    assert made.when == (question,)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ('text = "Mind it."\n', "", "fields are"),
        ("severity", "blue = 1\nseverity", "fields are"),
        ('"caution"', '"grave"', "severities are stop, caution, monitor"),
        ('"caution"', '"caution"\nunknown = "grave"', "severities are"),
        ('"lithium"', '"moonstone"', "no such medicine or class: moonstone"),
        ('"@nsaid"', '"@blue"', "no such medicine or class: @blue"),
        ('{ has = ["liver"] }', '{ takes = ["@blue"] }', "no such medicine or class"),
        ('{ has = ["liver"] }', "{ weight = 3 }", "row"),
        ('{ has = ["liver"] }', '{ has = ["spleen"] }', "spleen"),
        ('{ has = ["liver"] }', '{ inhibitor_of = "CYP2D6" }', "least"),
        ('"Mind it."', '""', "a text and a source"),
        ('"A label"', '""', "a text and a source"),
        ('{ has = ["liver"] }', "", "words and concepts asked for differ: liver"),
    ],
)
def test_a_table_that_is_wrong(before: str, after: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_safety(WORDS + ROW.replace(before, after, 1))


def test_which_concepts_a_diagnosis_code_can_say() -> None:
    """The others are a laboratory's, an ECG's or a person's to say."""
    coded = {one.concept for one in condition_rules()}
    asked = {
        concept
        for rule in safety_rules()
        for question in rule.when
        if isinstance(question, Has)
        for concept in question.concepts
    }
    assert asked - coded == {
        "child-bearing-potential",
        "heart-failure",
        "low-magnesium",
        "low-neutrophils",
        "low-potassium",
        "polg",
        "recent-infarction",
        "severe-kidney",
        "slow-heart",
        "stopping-sedatives",
    }
