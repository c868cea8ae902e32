"""The response model's columns: the same for training and serving, nothing guessed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backend.twin.pharmacogenomics import response_inputs as module
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.drugs import drugs
from backend.twin.pharmacogenomics.phenotype import gene_results
from backend.twin.pharmacogenomics.response_inputs import (
    ANSWER,
    COLUMNS,
    LEVELS,
    OPTIONS,
    PATIENT,
    Person,
    inputs_of,
    inputs_of_many,
    known_conditions,
    schema_hash,
)


def columns(**facts: Any) -> dict[str, float]:
    """What stands in the columns that are not zero."""
    row = inputs_of(Person(**facts), ["sertraline"])["patient"][0]
    return {n: float(v) for n, v in zip(PATIENT, row, strict=True) if v}


def test_of_nobody_nothing_is_known() -> None:
    assert columns() == {}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"age_years": 45}, {"age_known": 1}),
        ({"age_years": 30}, {"age": -1, "age_known": 1}),
        ({"female": True}, {"female": 1, "female_known": 1}),
        ({"female": False}, {"female": -1, "female_known": 1}),
        ({"severity": 0.75}, {"severity": 1, "severity_known": 1}),
        ({"failures": 0}, {"failures": -1, "failures_known": 1}),
        ({"episode_months": 0}, {"episode": -2, "episode_known": 1}),
        ({"conditions": {"ptsd": False}}, {"ptsd_known": 1}),
        ({"conditions": {"ptsd": True}}, {"ptsd": 1, "ptsd_known": 1}),
        ({"trials": {}}, {"trials_known": 1}),
        (
            {"trials": {"lithium": True, "sertraline": False, "placebo": True}},
            {"trials_known": 1, "helped_lithium": 1, "failed_sertraline": 1},
        ),
    ],
)
def test_a_fact_stands_in_its_columns(
    facts: dict[str, Any], expected: dict[str, float]
) -> None:
    assert columns(**facts) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("calls", "current", "expected"),
    [
        ((Call("CYP2D6", "*4/*4"),), (), {"cyp2d6_poor", "cyp2d6_known"}),
        ((Call("CYP2D6", "*1/*1"),), ("paroxetine",), {"cyp2d6_poor", "cyp2d6_known"}),
        (
            (Call("CYP2C19", "*1/*17"),),
            (),
            {"cyp2c19_rapid", "cyp2c19_known"},
        ),
        # possible results that differ, and one that says nothing: unknown
        ((Call("CYP2C19", "*1/*1"), Call("CYP2C19", "*2/*2")), (), set()),
        ((Call("CYP2D6", "*1/*999"),), (), set()),
        (
            (Call("HLA-B", "*15:02/*07:02"),),
            (),
            {"hla_b_1502", "hla_b_1502_known"},
        ),
        ((Call("HLA-B", "*07:02/*08:01"),), (), {"hla_b_1502_known"}),
        ((Call("HLA-B", "*15"),), (), set()),
    ],
)
def test_genes_after_phenoconversion(
    calls: tuple[Call, ...], current: tuple[str, ...], expected: set[str]
) -> None:
    assert set(columns(genes=gene_results(calls), current=current)) == expected


def test_a_medicine_does_not_inhibit_itself_but_others() -> None:
    person = Person(genes=gene_results([Call("CYP2D6", "*1/*1")]), current=("Paxil",))
    found = inputs_of(person, ["venlafaxine", "paroxetine"])["patient"]
    names = [{n for n, v in zip(PATIENT, row, strict=True) if v} for row in found]
    assert names == [{"cyp2d6_poor", "cyp2d6_known"}, {"cyp2d6_normal", "cyp2d6_known"}]


def test_a_row_for_each_option() -> None:
    found = inputs_of(Person(age_years=30), OPTIONS)
    assert {n: a.shape for n, a in found.items()} == {
        n: (len(OPTIONS), len(each)) for n, each in COLUMNS.items()
    }
    np.testing.assert_array_equal(found["drug"], np.eye(len(OPTIONS)))
    assert {a.dtype for a in found.values()} == {np.dtype(np.float32)}
    assert inputs_of(Person(), [])["drug"].shape == (0, len(OPTIONS))


def test_several_people_stand_one_after_the_other() -> None:
    first = Person(genes=gene_results([Call("CYP2D6", "*4/*4")]), current=("lithium",))
    asked = [(first, ["lithium", "sertraline"]), (Person(female=True), ["lithium"])]
    found = inputs_of_many(asked)
    alone = [inputs_of(person, options) for person, options in asked]
    for name, array in found.items():
        np.testing.assert_array_equal(array, np.concatenate([a[name] for a in alone]))


def test_a_medicine_that_the_model_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="does not know haloperidol"):
        inputs_of(Person(), ["sertraline", "haloperidol"])


def test_options_are_in_the_catalogue_with_their_molecules() -> None:
    assert all(drugs()[one].smiles for one in OPTIONS)
    assert len(set(ANSWER)) == len(ANSWER)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, {}),
        ({"ptsd": True, "other": True}, {"ptsd": True}),
        ({"gad": True}, {"anxiety": True}),
        ({"gad": False}, {}),  # the other one is not known
        ({"gad": False, "anxiety": False}, {"anxiety": False}),
    ],
)
def test_conditions_from_a_record(
    found: dict[str, bool], expected: dict[str, bool]
) -> None:
    assert known_conditions(found) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"TRANSFORMATION": 99},
        {"COLUMNS": {**COLUMNS, "patient": PATIENT[::-1]}},
        {"ANSWER": ANSWER[::-1]},
        {"LEVELS": {**LEVELS, "CYP2D6": LEVELS["CYP2D6"][::-1]}},
        {"NEAR": 0.2},
    ],
)
def test_the_hash_says_when_something_shared_has_changed(
    change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = schema_hash()
    for name, value in change.items():
        monkeypatch.setattr(module, name, value)
    assert schema_hash() != before
