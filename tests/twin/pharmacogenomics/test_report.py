"""From calls to recommendations and back through JSON, for one person."""

from __future__ import annotations

import json

import pytest

from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.comparison import NO_MODEL
from backend.twin.pharmacogenomics.population import Population
from backend.twin.pharmacogenomics.report import (
    Case,
    Report,
    default_options,
    report,
    scored,
)
from backend.twin.pharmacogenomics.report_json import from_dict, to_dict
from backend.twin.pharmacogenomics.response import ResponsePolicy
from tests.twin.pharmacogenomics.test_recommendation import response

SLOW = (
    Call("CYP2D6", diplotype="*4/*4"),
    Call("CYP2C19", diplotype="*1/*1"),
    Call("CYP2C19", diplotype="*1/*2"),
    Call("CYP2B6", diplotype="nonsense"),
    Call("HLA-B", diplotype="*15:02/*07:02"),
    Call("COMT", diplotype="A/G"),
)
CASE = Case(
    SLOW,
    ("paroxetine", "Celexa", "carbamazepine", "risperidone", "nothing known"),
    ("fluoxetine", "a herb"),
    Population(age_years=40),
    {"epilepsy": True},
)


def words(made: Report) -> dict[str, str]:
    return {one.medication: one.action for one in made.recommendations}


def test_a_report_has_everything_that_was_found() -> None:
    made = report(CASE)
    assert words(made) == {
        "paroxetine": "reduced_dosing",
        "citalopram": "consider_alternative",
        "carbamazepine": "consider_alternative",
        "risperidone": "reduced_dosing",
        "nothing known": "unknown",
    }
    assert made.unknown_current == ("a herb",)
    assert [one.gene for one in made.unused] == ["COMT"]
    assert [one.gene for one in made.refused] == ["CYP2B6"]
    assert {one.medication for one in made.advice} == words(made).keys() - {
        "nothing known"
    }
    assert made.quality.level == "partial"
    assert made.comparison.note == NO_MODEL
    assert "clinical judgment remains essential" in made.disclaimer


def test_a_medicine_that_is_stopped_is_not_scored() -> None:
    made = report(CASE)
    assert made.to_score == ("paroxetine", "citalopram", "risperidone")
    after = scored(made, {"carbamazepine": response(1.0, 0.0)})
    assert words(after) == words(made)
    assert after.comparison.compared == ()
    assert all(one.response is None for one in after.recommendations)


def test_the_models_figures_rank_what_is_left() -> None:
    answers = {"paroxetine": response(0.6, 0.2), "risperidone": response(0.5, 0.1)}
    made = scored(report(CASE), answers)
    assert made.comparison.highest_efficacy == "paroxetine"
    assert made.comparison.regimen == report(CASE).comparison.regimen
    strict = scored(report(CASE), answers, ResponsePolicy(least_confidence=0.95))
    assert strict.comparison.compared == ()


def test_without_a_name_the_ssris_and_bupropion_are_asked_for() -> None:
    named = {"sertraline", "escitalopram", "fluoxetine", "paroxetine", "bupropion"}
    assert named | {"citalopram", "fluvoxamine"} == set(default_options())
    assert words(report(Case())).keys() == set(default_options())


def test_what_is_taken_counts_and_not_for_itself() -> None:
    normal = (Call("CYP2D6", diplotype="*1/*1"),)
    alone = report(Case(normal, ("risperidone", "paroxetine"), ()))
    beside = report(Case(normal, ("risperidone", "paroxetine"), ("paroxetine",)))
    assert words(alone)["risperidone"] == "no_recommendation"
    assert words(beside)["risperidone"] == "reduced_dosing"
    assert words(beside)["paroxetine"] == words(alone)["paroxetine"]


@pytest.mark.parametrize("is_scored", [False, True])
def test_nothing_is_lost_in_json(is_scored: bool) -> None:
    made = report(CASE)
    if is_scored:
        made = scored(made, {"paroxetine": response(0.2, 0.9, 0.1)})
    assert from_dict(json.loads(json.dumps(to_dict(made)))) == made


def test_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 1"):
        from_dict({**to_dict(report(CASE)), "format": 0})
