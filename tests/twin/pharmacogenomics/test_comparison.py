"""Options against each other: only by figures that are reported, of what is allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.twin.pharmacogenomics.comparison import (
    NO_MODEL,
    NONE_LEFT,
    RANKED,
    compare,
    on_regimen,
)
from backend.twin.pharmacogenomics.drugs import sort_out
from backend.twin.pharmacogenomics.recommendation import (
    Recommendation,
    not_known,
    with_response,
)
from backend.twin.pharmacogenomics.response import Response, ResponsePolicy
from tests.twin.pharmacogenomics.test_recommendation import response, stop, word


def option(name: str, made: Recommendation, answer: Response | None) -> Recommendation:
    return with_response(replace(made, medication=name), answer, ResponsePolicy())


def usual(name: str, efficacy: float, *risks: float) -> Recommendation:
    return option(name, word("CPIC standard_dosing"), response(efficacy, *risks))


def test_three_questions_may_have_three_answers() -> None:
    made = compare(
        [usual("a", 0.8, 0.6), usual("b", 0.4, 0.05), usual("c", 0.7, 0.2, 0.1)]
    )
    assert made.highest_efficacy == "a"
    assert made.lowest_side_effects == "b"
    assert made.optimal_balance == "c"  # 0.56 against 0.32 and 0.38
    assert (made.compared, made.left_out, made.note) == (("a", "b", "c"), (), RANKED)


def test_of_equal_options_the_first_asked_for_comes_first() -> None:
    assert compare([usual("a", 0.5, 0.5), usual("b", 0.5, 0.5)]).optimal_balance == "a"


def test_no_side_effect_given_is_not_no_risk() -> None:
    made = compare([usual("a", 0.8), usual("b", 0.4, 0.5)])
    assert made.highest_efficacy == "a"
    assert (made.lowest_side_effects, made.optimal_balance) == ("b", "b")
    alone = compare([usual("a", 0.8)])
    assert (alone.lowest_side_effects, alone.optimal_balance) == (None, None)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (
            option("x", word(stops=(stop("stop"),)), response(1.0, 0.0)),
            "stopped before any score is looked at",
        ),
        (
            option("x", word(), response(1.0, 0.0, confidence=0.1)),
            "confidence 0.10 is below 0.70",
        ),
        (
            option("x", word("CPIC consider_alternative"), response(1.0, 0.0)),
            "a source advises an alternative",
        ),
        (
            option("x", not_known("x"), response(1.0, 0.0)),
            "the medicine is not known",
        ),
    ],
)
def test_what_is_barred_or_withheld_never_comes_first(
    made: Recommendation, why: str
) -> None:
    found = compare([made, usual("b", 0.4, 0.5)])
    assert (found.highest_efficacy, found.compared) == ("b", ("b",))
    assert [(one.medication, one.why) for one in found.left_out] == [("x", why)]
    alone = compare([made])
    assert (alone.highest_efficacy, alone.note) == (None, NONE_LEFT)


def test_what_the_model_alone_doubts_is_compared() -> None:
    assert compare([usual("a", 0.1, 0.9)]).highest_efficacy == "a"


def test_without_a_model_nothing_is_ranked() -> None:
    made = compare([word("CPIC standard_dosing"), word()])
    assert (made.highest_efficacy, made.compared, made.note) == (None, (), NO_MODEL)
    assert {one.why for one in made.left_out} == {"no response model was asked"}


@pytest.mark.parametrize(
    ("options", "current", "said"),
    [
        (["bupropion"], ["risperidone"], ["bupropion", "strong", "risperidone"]),
        (["fluoxetine"], ["atomoxetine"], ["fluoxetine", "strong", "atomoxetine"]),
        (["paroxetine"], ["vortioxetine"], ["paroxetine", "strong", "vortioxetine"]),
        (["duloxetine"], ["risperidone"], ["duloxetine", "moderate", "risperidone"]),
        (["fluoxetine"], ["fluoxetine"], []),  # it is there already
        (["bupropion"], ["lithium"], []),
        (["lithium"], ["risperidone"], []),
        (["bupropion"], [], []),
    ],
)
def test_an_option_that_inhibits_is_named_beside_what_is_taken(
    options: list[str], current: list[str], said: list[str]
) -> None:
    found = " ".join(on_regimen(sort_out(options)[0], sort_out(current)[0]))
    assert bool(found) == bool(said)
    assert all(one in found for one in said)
