"""A line in, a line out: what is read, what is refused, and what is never repeated."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from backend.jobs.pharmacogenomics_facts import LineRefused
from backend.jobs.pharmacogenomics_lines import (
    LONGEST,
    LONGEST_NAME,
    MOST,
    answer_line,
    read_line,
    refusal_line,
)
from backend.twin.pharmacogenomics.report import report
from backend.twin.pharmacogenomics.response_inputs import Person

CANARY = "Quodlibet77"
LINE = {
    "id": "p1",
    "calls": [
        {"gene": "CYP2D6", "diplotype": "*4/*4"},
        {"gene": "CYP2C19", "diplotype": "*1/*2"},
        {"gene": "CYP2C19", "diplotype": "*1/*1"},
        {"gene": "CYP2B6", "diplotype": "*1/*1", "phenotype": "Poor Metabolizer"},
    ],
    "medications": ["paroxetine", "sertraline"],
    "current_medications": [],
    "population": {
        "age_years": 40,
        "prior_use": {"Tegretol": "naive"},
        "alternatives_available": True,
        "pregnant": False,
        "urea_cycle": False,
    },
    "conditions": {"epilepsy": True, "liver": None},
}


def answered(**changes: Any) -> dict[str, Any]:
    asked = read_line(orjson.dumps({**LINE, **changes}))
    made: dict[str, Any] = json.loads(answer_line(asked, report(asked.case)))
    return made


def faults(**changes: Any) -> list[tuple[str, str]]:
    return [(one["code"], one["where"]) for one in answered(**changes)["errors"]]


def test_the_answer_has_what_is_promised() -> None:
    made = answered()
    assert made["id"] == "p1"
    genes = {"gene", "lookup_diplotype", "phenotype", "adjusted_phenotype"}
    genes |= {"activity_score", "lookup_key", "warnings"}
    assert all(genes <= one.keys() for one in made["genes"])
    advice = {"medication", "source", "population", "action", "dose_change"}
    advice |= {"alternate_drug", "classification", "genes", "guideline"}
    advice |= {"guideline_version", "rationale"}
    assert all(advice <= one.keys() for one in made["advice"])
    assert {one["source"] for one in made["advice"]} == {
        *("CPIC", "DPWG", "FDA Label", "FDA Assoc")
    }
    assert (made["stops"], made["errors"]) == ([], [])
    (paroxetine, sertraline) = made["recommendations"]
    assert (paroxetine["action"], sertraline["action"]) == ("reduced_dosing",) * 2
    assert paroxetine["by"] == [
        {"by": "CPIC", "action": "reduced_dosing"},
        {"by": "DPWG", "action": "standard_dosing"},
    ]
    assert "clinical judgment" in made["disclaimer"]


def test_facts_reach_the_engine() -> None:
    case = read_line(orjson.dumps(LINE)).case
    assert case.population.age_years == 40
    assert case.population.prior_use == {"carbamazepine": "naive"}
    assert (case.population.pregnant, case.population.child_bearing_potential) == (
        False,
        None,
    )
    assert case.conditions == {"urea-cycle": False, "epilepsy": True}
    assert case.current == ()


def test_treatment_history_is_for_the_response_model() -> None:
    history = {
        "severity": 0.5,
        "episode_months": 6,
        "failures": 2,
        "trials": {"Zoloft": False, "lithium": True},
    }
    line = {**LINE, "history": history, "conditions": {"anxiety": True, "gad": False}}
    line["population"] = {"age_years": 40.5, "sex": "female"}
    asked = read_line(orjson.dumps(line))
    assert asked.faults == ()
    assert asked.person == Person(
        age_years=40.5,
        female=True,
        severity=0.5,
        episode_months=6,
        failures=2,
        conditions={"anxiety": True},
        trials={"sertraline": False, "lithium": True},
    )
    assert asked.case.population.age_years == 40
    assert read_line(orjson.dumps(LINE)).person.trials is None


def test_several_calls_of_a_gene_are_one_ambiguous_call() -> None:
    found = [one for one in answered()["genes"] if one["gene"] == "CYP2C19"]
    assert {one["phenotype"] for one in found} == {
        "Normal Metabolizer",
        "Intermediate Metabolizer",
    }
    assert {w["code"] for one in found for w in one["warnings"]} == {"ambiguous"}


def test_the_laboratorys_phenotype_wins() -> None:
    (found,) = [one for one in answered()["genes"] if one["gene"] == "CYP2B6"]
    assert found["phenotype"] == "Poor Metabolizer"
    assert [one["code"] for one in found["warnings"]] == ["conflict"]


def test_genetic_and_adjusted_stand_apart() -> None:
    changes = {"calls": [{"gene": "CYP2D6", "activity_score": 2.0}]}
    alone = answered(**changes)["genes"]
    beside = answered(**changes, current_medications=["bupropion"])["genes"]
    names = ("phenotype", "adjusted_phenotype", "lookup_key", "adjusted_lookup_key")
    (before,) = [one for one in alone if one["gene"] == "CYP2D6"]
    (after,) = [one for one in beside if one["gene"] == "CYP2D6"]
    assert [before[name] for name in names] == [
        *("Normal Metabolizer",) * 2,
        *("2.0",) * 2,
    ]
    assert [after[name] for name in names] == [
        *("Normal Metabolizer", "Poor Metabolizer"),
        *("2.0", "0.0"),
    ]


def test_what_is_left_out_is_unknown() -> None:
    asked = read_line(b'{"id": 7, "current_medications": null}')
    assert (asked.id, asked.case.current, asked.faults) == (7, None, ())
    assert asked.case.population.age_years is None
    made = report(asked.case)
    assert len(made.recommendations) == 7
    assert {one.phenotype for one in made.genes} == {"No Result"}


def test_a_medicine_by_its_code_as_a_number() -> None:
    (word,) = answered(medications=[32937])["recommendations"]
    assert word["medication"] == "paroxetine"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"calls": [{"gene": "CYP9Z9", "diplotype": "*1"}]}, [("unknown-gene", "")]),
        ({"calls": [{"diplotype": CANARY}]}, [("no-gene", "calls[0]")]),
        ({"calls": [CANARY]}, [("malformed", "calls[0]")]),
        ({"calls": [{"gene": "CYP2D6", "alleles": CANARY}]},
         [("malformed", "calls[0]")]),
        ({"calls": [{"gene": "CYP2D6", "diplotype": CANARY}]},
         [("one-allele", "CYP2D6")]),
        ({"medications": ["lithium", CANARY]},
         [("unknown-medication", "medications[1]")]),
        ({"current_medications": [CANARY]},
         [("unknown-medication", "current_medications[0]")]),
        ({"population": {"age_years": CANARY}}, [("fact-not-read", "age_years")]),
        ({"population": {"age_years": True}}, [("fact-not-read", "age_years")]),
        ({"population": {"age_years": 131}}, [("fact-not-read", "age_years")]),
        ({"population": {"age_years": -1}}, [("fact-not-read", "age_years")]),
        ({"population": {"pregnant": "no"}}, [("fact-not-read", "pregnant")]),
        ({"population": {CANARY: True}}, [("fact-not-read", "population[0]")]),
        ({"population": {"prior_use": CANARY}}, [("fact-not-read", "prior_use")]),
        ({"population": {"prior_use": {"lithium": CANARY}}},
         [("fact-not-read", "prior_use[0]")]),
        ({"population": {"prior_use": {CANARY: "naive", "lithium": None}}},
         [("fact-not-read", "prior_use[0]")]),
        ({"population": {"prior_use": {"lithium": ["naive"]}}},
         [("fact-not-read", "prior_use[0]")]),
        ({"population": {"prior_use": {"Dilantin": "naive",
                                       "phenytoin": "over_3_months"}}},
         [("fact-not-read", "prior_use")]),
        ({"population": {"sex": CANARY}}, [("fact-not-read", "sex")]),
        ({"population": {"alternatives_available": 1}},
         [("fact-not-read", "alternatives_available")]),
        ({"history": {CANARY: 1}}, [("fact-not-read", "history[0]")]),
        ({"history": {"severity": 1.1}}, [("fact-not-read", "severity")]),
        ({"history": {"failures": 1, "trials": {"lithium": 1, CANARY: True}}},
         [("fact-not-read", "trials[0]"), ("fact-not-read", "trials[1]")]),
        ({"conditions": {"liver": CANARY}}, [("fact-not-read", "conditions[0]")]),
        ({"conditions": {"pregnant": True}}, [("fact-not-read", "conditions[0]")]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_part_is_listed(
    changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    found = answered(**changes)
    assert [(one["code"], one["where"]) for one in found["errors"]] == expected
    assert CANARY not in json.dumps(found["errors"])
    assert found["recommendations"]


def test_a_call_that_cannot_be_read_leaves_the_gene_without_result() -> None:
    made = answered(calls=[{"gene": "CYP2D6", "diplotype": CANARY}])
    (found,) = [one for one in made["genes"] if one["gene"] == "CYP2D6"]
    assert (found["phenotype"], found["lookup_key"]) == ("No Result", "No Result")
    assert [one["code"] for one in found["warnings"]] == ["refused_call"]


def test_an_unknown_medicine_has_an_answer_of_its_own() -> None:
    made = answered(medications=[CANARY])
    assert [one["action"] for one in made["recommendations"]] == ["unknown"]
    assert made["advice"] == []


def test_a_condition_told_twice_is_there_if_either_says_so() -> None:
    line = {**LINE, "population": {"epilepsy": False}}
    assert read_line(orjson.dumps(line)).case.conditions == {"epilepsy": True}


@pytest.mark.parametrize(
    ("line", "code", "id_"),
    [
        (CANARY.encode(), "not-json", None),
        (b'{"id": "\xff"}', "not-json", None),
        (b"[" * 100_000, "not-json", None),
        (f'["{CANARY}"]'.encode(), "not-an-object", None),
        (b"{}", "no-id", None),
        (b'{"id": null}', "no-id", None),
        (b'{"id": true}', "no-id", None),
        (b'{"id": ["x"]}', "no-id", None),
        (b'{"id": ""}', "no-id", None),
        (b'{"id": "%s"}' % (b"x" * (LONGEST_NAME + 1)), "no-id", None),
        (b'{"id": "p", "calls": {}}', "malformed", "p"),
        (b'{"id": "p", "calls": [%s]}' % b",".join([b"{}"] * (MOST + 1)),
         "too-long", "p"),
        (b'{"id": "p", "medications": "x"}', "malformed", "p"),
        (b'{"id": "p", "population": []}', "malformed", "p"),
        (b'{"id": "p", "conditions": "x"}', "malformed", "p"),
        (b'{"id": "p", "history": "x"}', "malformed", "p"),
        (b" " * (LONGEST + 1), "too-long", None),
    ],
    ids=lambda one: one[:20] if isinstance(one, bytes) else None,
)  # fmt: skip
def test_a_line_that_cannot_be_read_says_why(
    line: bytes, code: str, id_: str | None
) -> None:
    with pytest.raises(LineRefused) as refused:
        read_line(line)
    assert (refused.value.code, refused.value.id) == (code, id_)
    told = refusal_line(refused.value, 3)
    made = json.loads(told)
    assert made["id"] == id_
    assert not any(made[name] for name in ("advice", "genes", "stops"))
    assert made["recommendations"] == []
    (fault,) = made["errors"]
    assert (fault["code"], fault["where"]) == (code, "line 3")
    assert CANARY.encode() not in told


@pytest.mark.parametrize(
    "said",
    [
        {"Tegretol": "naive", "carbamazepine": "over_3_months"},
        {"carbamazepine": "over_3_months", "Tegretol": "naive"},
    ],
)
def test_use_that_is_told_in_two_ways_takes_no_stop_away(said: dict[str, str]) -> None:
    made = answered(
        calls=[{"gene": "HLA-B", "phenotype": "*15:02 positive"}],
        medications=["carbamazepine"],
        population={"prior_use": said},
    )
    assert made["stops"][0]["severity"] == "stop"
    assert made["recommendations"][0]["stopped"]
