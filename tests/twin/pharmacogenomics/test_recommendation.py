"""The overall word: stops before sources before the model, the most binding counts."""

from __future__ import annotations

from math import nan
from typing import Any

import pytest

from backend.twin.pharmacogenomics.advice import Advice
from backend.twin.pharmacogenomics.advice_table import Action
from backend.twin.pharmacogenomics.recommendation import (
    STOPPED,
    Recommendation,
    binding,
    not_known,
    recommend,
    with_response,
)
from backend.twin.pharmacogenomics.response import (
    Response,
    ResponsePolicy,
    SideEffect,
)
from backend.twin.pharmacogenomics.safety import Stop

POLICY = ResponsePolicy()
AVOID, LESS, WATCH = "consider_alternative", "reduced_dosing", "careful_monitoring"
USUAL, MORE, NOTHING = "standard_dosing", "increased_dosing", "no_recommendation"
ACTIONS: tuple[Action, ...] = (AVOID, LESS, WATCH, USUAL, MORE, NOTHING)


def line(said: str, **other: Any) -> Advice:
    """ "CPIC standard_dosing", or "CPIC:2" for another guideline of it."""
    who, action = said.split()
    source, _, guideline = who.replace("_", " ").partition(":")
    facts: dict[str, Any] = {
        "medication": "sertraline",
        "source": source,
        "population": "general",
        "action": action,
        "dose_change": False,
        "alternate_drug": False,
        "classification": "Strong",
        "genes": {},
        "guideline": guideline,
        "guideline_version": "1",
        "rationale": f"{source} says so.",
    }
    return Advice(**{**facts, **other})


def stop(severity: Any, *needs: str) -> Stop:
    return Stop("sertraline", "code", severity, "Because.", needs, "a label")


def word(*said: str, stops: tuple[Stop, ...] = ()) -> Recommendation:
    return recommend("sertraline", [line(one) for one in said], stops)


def response(efficacy: float, *risks: float, confidence: float = 0.9) -> Response:
    effects = tuple(SideEffect(f"effect_{n}", one) for n, one in enumerate(risks))
    return Response(efficacy, 0.5, confidence, effects)


@pytest.mark.parametrize(
    ("said", "action", "caution"),
    [
        ([], NOTHING, "low"),
        (["CPIC no_recommendation"], NOTHING, "low"),
        (["CPIC standard_dosing", "DPWG no_recommendation"], USUAL, "low"),
        (["CPIC standard_dosing", "DPWG consider_alternative"], AVOID, "high"),
        (["CPIC consider_alternative", "DPWG reduced_dosing"], AVOID, "high"),
        (["CPIC reduced_dosing", "FDA_Assoc careful_monitoring"], LESS, "medium"),
        (["CPIC increased_dosing", "DPWG consider_alternative"], AVOID, "high"),
        (["CPIC increased_dosing", "DPWG reduced_dosing"], LESS, "medium"),
        (["CPIC increased_dosing", "DPWG standard_dosing"], USUAL, "medium"),
        (["DPWG increased_dosing"], MORE, "low"),
        # two guidelines of one source: each counts
        (["DPWG:1 standard_dosing", "DPWG:2 no_recommendation"], USUAL, "low"),
        (["DPWG:1 standard_dosing", "DPWG:2 reduced_dosing"], LESS, "medium"),
        # what is open within one guideline: a restriction counts, a "usual" does not
        (["CPIC standard_dosing", "CPIC no_recommendation"], NOTHING, "low"),
        (["CPIC standard_dosing", "CPIC increased_dosing"], NOTHING, "low"),
        (["CPIC standard_dosing", "CPIC reduced_dosing"], LESS, "medium"),
    ],
)
def test_what_binds_most_counts(said: list[str], action: str, caution: str) -> None:
    made = word(*said)
    assert (made.action, made.caution) == (action, caution)
    assert word(*said[::-1]).action == action


def test_sources_that_differ_stay_side_by_side() -> None:
    made = word("CPIC reduced_dosing", "DPWG standard_dosing")
    assert made.differing == ("CPIC: reduced_dosing", "DPWG: standard_dosing")
    assert [(one.by, one.action) for one in made.reasons] == [
        ("CPIC", LESS),
        ("DPWG", USUAL),
    ]
    assert "Sources differ (CPIC: reduced_dosing; DPWG: standard" in made.rationale
    assert word("CPIC reduced_dosing", "DPWG no_recommendation").differing == ()


def test_nothing_said_is_not_the_usual_dose() -> None:
    assert word().rationale.startswith("No source has a recommendation: that is not")


@pytest.mark.parametrize(
    ("severity", "needs", "action", "caution"),
    [
        ("stop", (), AVOID, "high"),
        ("caution", (), WATCH, "medium"),
        ("caution", ("a result",), WATCH, "medium"),
        ("monitor", (), USUAL, "medium"),
        ("monitor", ("the age",), USUAL, "low"),
    ],
)
def test_stops_come_before_what_sources_say(
    severity: str, needs: tuple[str, ...], action: str, caution: str
) -> None:
    made = word("CPIC standard_dosing", stops=(stop(severity, *needs),))
    assert (made.action, made.caution) == (action, caution)
    assert made.is_stopped == (severity == "stop")
    assert ("Do not use: Because." in made.rationale) == made.is_stopped
    assert made.needs == needs
    assert all(need in made.rationale for need in needs)


def test_a_gene_without_a_result_is_named() -> None:
    told = line("CPIC standard_dosing", genes={"HLA-B": "No Result", "X": "n/a"})
    made = recommend("sertraline", [told], ())
    assert (made.missing, made.caution) == (("HLA-B",), "medium")
    assert "No result for HLA-B: neither normal nor negative." in made.rationale


@pytest.mark.parametrize(
    ("said", "answer", "action"),
    [
        (USUAL, response(0.6, 0.2), USUAL),
        (USUAL, response(0.3, 0.7), USUAL),
        (USUAL, response(0.29, 0.2), AVOID),
        (USUAL, response(0.6, 0.2, 0.71), WATCH),
        (LESS, response(0.6, 0.71), LESS),
        (NOTHING, response(0.6, 0.71), WATCH),
        (NOTHING, response(0.6), NOTHING),
        (AVOID, response(0.9, 0.0), AVOID),
    ],
)
def test_the_model_adds_caution(said: str, answer: Response, action: str) -> None:
    made = with_response(word(f"CPIC {said}"), answer, POLICY)
    assert (made.action, made.withheld, made.response) == (action, "", answer)


@pytest.mark.parametrize("said", ACTIONS)
@pytest.mark.parametrize("answer", [response(1.0, 0.0), response(1.0), response(0, 1)])
def test_the_model_never_loosens(said: Action, answer: Response) -> None:
    before = word(f"CPIC {said}")
    after = with_response(before, answer, POLICY)
    assert after.action != "unknown"
    assert binding([said, after.action]) == after.action
    assert set(before.reasons) <= set(after.reasons)


def test_the_models_word_is_told_from_a_sources() -> None:
    made = with_response(word("CPIC standard_dosing"), response(0.1, 0.9), POLICY)
    assert [one.by for one in made.reasons][:2] == ["response model"] * 2
    assert "risk of effect 0 is 0.90, above 0.70" in made.reasons[1].text
    assert not made.advised_against
    assert word("CPIC consider_alternative").advised_against


@pytest.mark.parametrize(
    ("made", "answer", "why"),
    [
        (word(stops=(stop("stop"),)), response(0.9), STOPPED),
        (not_known("x"), response(0.9), "the medicine is not known"),
        (word(), None, "the model does not answer for this medicine"),
        (word(), response(0.9, confidence=0.69), "confidence 0.69 is below 0.70"),
        (word(), response(0.0, confidence=nan), "confidence nan is below 0.70"),
    ],
)
def test_an_answer_that_is_withheld_changes_nothing(
    made: Recommendation, answer: Response | None, why: str
) -> None:
    after = with_response(made, answer, POLICY)
    assert (after.withheld, after.response, after.action) == (why, None, made.action)


def test_the_least_confidence_can_be_set() -> None:
    low = ResponsePolicy(least_confidence=0.5)
    made = with_response(word(), response(0.6, confidence=0.5), low)
    assert made.response is not None


def test_an_unknown_medicine_is_said_to_be_unknown() -> None:
    made = not_known("foo")
    assert (made.medication, made.action, made.caution) == ("foo", "unknown", "high")
    assert "does not know it" in made.rationale


@pytest.mark.parametrize(
    ("key", "caution"),
    [("Indeterminate", "medium"), ("n/a", "medium"), ("Normal Metabolizer", "low")],
)
def test_a_gene_whose_function_is_unclear_is_no_reason_for_ease(
    key: str, caution: str
) -> None:
    unclear = line("CPIC no_recommendation", genes={"CYP2D6": key})
    assert recommend("sertraline", [unclear], ()).caution == caution
