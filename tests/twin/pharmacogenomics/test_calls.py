from __future__ import annotations

from dataclasses import replace

import pytest

from backend.twin.errors import CallRefused
from backend.twin.genes import GeneCall
from backend.twin.pharmacogenomics.calls import Call, from_json, from_record
from backend.twin.pharmacogenomics.phenotype import gene_results

RECORD = GeneCall("CYP2D6", "*1/*4", "", None, None, "Observation/1")


@pytest.mark.parametrize(
    ("recorded", "call"),
    [
        (RECORD, Call("CYP2D6", "*1/*4", source="Observation/1")),
        (
            replace(RECORD, diplotype="", phenotype="poor", activity=0.0),
            Call("CYP2D6", None, "poor", "0.0", source="Observation/1"),
        ),
        (
            replace(RECORD, diplotype="", ambiguous=("*1/*4", "*1/*10")),
            Call("CYP2D6", "*1/*4|*1/*10", source="Observation/1"),
        ),
    ],
)
def test_a_result_of_a_record_is_a_call(recorded: GeneCall, call: Call) -> None:
    assert from_record(recorded) == call


@pytest.mark.parametrize(
    ("recorded", "gene", "keys"),
    [
        (replace(RECORD, diplotype="", phenotype="poor"), "CYP2D6", ["0.0"]),
        (replace(RECORD, ambiguous=("*1/*4", "*4/*4")), "CYP2D6", ["1.0", "0.0"]),
        (
            GeneCall("HLA-B", "*15:02", "negative", None, None, ""),
            "HLA-B",
            ["*15:02 negative"],
        ),
    ],
)
def test_the_words_of_records_are_understood(
    recorded: GeneCall, gene: str, keys: list[str]
) -> None:
    found = [one for one in gene_results([from_record(recorded)]) if one.gene == gene]
    assert [one.lookup_key for one in found] == keys


@pytest.mark.parametrize(
    ("fields", "call"),
    [
        ({"gene": "CYP2D6", "diplotype": "*1/*4"}, Call("CYP2D6", "*1/*4")),
        ({"gene": "CYP2D6", "activity_score": 1}, Call("CYP2D6", activity_score="1")),
        (
            {"gene": "CYP2D6", "activity_score": 1.25, "phenotype": "NM"},
            Call("CYP2D6", None, "NM", "1.25"),
        ),
        (
            {"gene": "CYP2D6", "diplotype": " ", "phenotype": "", "activity_score": 0},
            Call("CYP2D6", activity_score="0"),
        ),
        (
            {"gene": "CYP2D6", "alleles": ["*1", None], "source": "A"},
            Call("CYP2D6", alleles=("*1", ""), source="A"),
        ),
    ],
)
def test_a_call_as_json(fields: dict[str, object], call: Call) -> None:
    assert from_json(fields) == call


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "no-gene"),
        ({"gene": ""}, "no-gene"),
        ({"gene": ["CYP2D6"]}, "malformed"),
        ({"gene": "CYP2D6", "diplotype": True}, "malformed"),
        ({"gene": "CYP2D6", "alleles": "*1/*4"}, "malformed"),
        ({"gene": "CYP2D6", "alleles": [{}]}, "malformed"),
    ],
)
def test_fields_of_another_kind_are_refused(
    fields: dict[str, object], code: str
) -> None:
    with pytest.raises(CallRefused) as told:
        from_json(fields)
    assert told.value.code == code
