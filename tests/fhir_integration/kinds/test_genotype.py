from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.genes import PHENOTYPES, GeneCall
from backend.twin.record import Reason
from fhir_integration.kinds.genotype import ANSWERS, is_genotype
from fhir_integration.kinds.refused import Refused
from tests.fhir_integration.kinds.genetic import (
    EXTENSION,
    PHARMVAR,
    TBD,
    call,
    coded,
    component,
    gene,
    genotype,
    read,
    refused,
)


def test_a_genotype_without_a_day_is_read() -> None:
    assert read() == (call(diplotype="*1/*17"),)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("registered", Reason.NOT_FINAL),
        ("preliminary", Reason.NOT_FINAL),
        ("unknown", Reason.NOT_FINAL),
        ("entered-in-error", Reason.ENTERED_IN_ERROR),
        ("cancelled", Reason.CANCELLED),
        ("bogus", Reason.MALFORMED),
        (None, Reason.MALFORMED),
        (["final"], Reason.MALFORMED),
    ],
)
def test_states_that_are_not_used(status: Any, reason: Reason) -> None:
    assert read(status=status) == refused(reason)


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_states_that_are_used(status: str) -> None:
    assert read(status=status) == (call(diplotype="*1/*17"),)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"resourceType": "DiagnosticReport"}, Reason.WRONG_TYPE),
        ({"meta": {"security": [{"code": "AIAST"}]}}, Reason.WRONG_TYPE),
        ({"subject": {"reference": "Patient/p2"}}, Reason.WRONG_PATIENT),
        ({"subject": None}, Reason.WRONG_PATIENT),
        ({"code": coded("69548-6")}, Reason.UNKNOWN_CODE),
        ({"code": coded("48018-6")}, Reason.UNKNOWN_CODE),
        ({"valueCodeableConcept": None}, Reason.NO_VALUE),
        ({"valueCodeableConcept": coded("CYP2C19 *1", PHARMVAR)}, Reason.UNKNOWN_CODE),
        ({"valueCodeableConcept": {}}, Reason.UNKNOWN_CODE),
        ({"dataAbsentReason": {"text": "error"}}, Reason.NO_VALUE),
        ({"valueCodeableConcept": coded("LA26806-2")}, Reason.UNKNOWN_CODE),
        # A gene that no rule here asks for.
        ({"component": [gene("HGNC:12014", "TPMT")],
          "valueCodeableConcept": coded("TPMT *1/*4", PHARMVAR)}, Reason.UNKNOWN_CODE),
        ({"component": None, "valueCodeableConcept": {"text": "*1/*4"}},
         Reason.UNKNOWN_CODE),
    ],
)  # fmt: skip
def test_why_a_result_is_not_used(changes: dict[str, Any], reason: Reason) -> None:
    assert read(**changes) == refused(reason)


@pytest.mark.parametrize(
    "part",
    [
        gene("HGNC:2621"),
        gene("2621"),
        gene("2621", "CYP2C19", "http://www.genenames.org"),
        gene("HGNC:2621", system="urn:oid:2.16.840.1.113883.6.281"),
        gene("CYP2C19"),
        component("48018-6", {"coding": [{"display": "CYP2C19"}]}),
        component("48018-6", {"text": "cyp2c19"}),
        {"code": coded("48018-6"), "valueString": "CYP2C19"},
    ],
)
def test_the_gene_by_number_name_or_text(part: dict[str, Any]) -> None:
    found = read(component=[part], valueCodeableConcept={"text": "*2/*2"})
    assert found == (call(diplotype="*2/*2"),)


def test_the_gene_in_an_extension() -> None:
    concept = coded("2623", "http://www.genenames.org", "CYP2C9")
    found = read(
        code=coded("363779003", "http://snomed.info/sct"),
        extension=[
            {"url": "http://x.example", "valueCodeableConcept": coded("2621")},
            {"url": EXTENSION, "valueCodeableConcept": concept},
        ],
        component=None,
        valueCodeableConcept=None,
        valueString="*1/*3",
    )
    assert found == (call("CYP2C9", "*1/*3"),)


def test_of_two_genes_studied_the_value_names_its_own() -> None:
    parts = [gene("2623", "CYP2C9"), gene("23663", "VKORC1")]
    value = coded("CYP2C9 *2/*5", PHARMVAR)
    found = read(component=parts, valueCodeableConcept=value)
    assert found == (call("CYP2C9", "*2/*5"),)


@pytest.mark.parametrize(
    "changes",
    [
        {"component": [gene("HGNC:2621", "CYP2D6")]},  # number and name disagree
        {"component": [gene("HGNC:12014", "CYP2C19")]},
        {"component": [gene("HGNC:2625", "CYP2D6")]},  # another gene than the value's
        {"valueCodeableConcept": {**coded("CYP2C19 *1/*17", PHARMVAR),
                                  "text": "CYP2C19 *1/*2"}},
        {"valueCodeableConcept": coded("CYP2C19 *1/*17", PHARMVAR, "CYP2C19 *1/*2")},
        {"valueString": "CYP2C19 *2/*2"},
        {"valueCodeableConcept": {"coding": [
            *coded("LA9657-3")["coding"], *coded("LA25390-8")["coding"]
        ]}},
        {"valueString": "CYP2C19 *1/*17"},  # two values, even of one meaning
        {"valueInteger": 1},
        {"code": coded("79716-7")},  # CYP2C9 by its code, CYP2C19 by its component
        {"code": coded("79716-7"), "component": None},
    ],
)  # fmt: skip
def test_a_result_that_contradicts_itself_is_refused(changes: dict[str, Any]) -> None:
    assert read(**changes) == refused(Reason.MALFORMED)


@pytest.mark.parametrize(("code", "phenotype"), ANSWERS.items())
def test_the_answers_of_the_metabolizer_codes(code: str, phenotype: str) -> None:
    found = read(code=coded("79714-2"), valueCodeableConcept=coded(f" {code}"))
    is_presence = phenotype in {"positive", "negative"}
    assert phenotype in PHENOTYPES
    assert found == (
        refused(Reason.UNKNOWN_CODE) if is_presence else (call(phenotype=phenotype),)
    )


@pytest.mark.parametrize(
    ("code", "parts", "found"),
    [
        ("79716-7", None, (call("CYP2C9", phenotype="poor"),)),
        ("79716-7", [gene("2623", "CYP2C9")], (call("CYP2C9", phenotype="poor"),)),
        # Which gene these codes mean is not confirmed: the resource must name it.
        ("79714-2", None, refused(Reason.UNKNOWN_CODE)),
        ("79715-9", None, refused(Reason.UNKNOWN_CODE)),
        ("79715-9", [gene("2625")], (call("CYP2D6", phenotype="poor"),)),
    ],
)
def test_a_metabolizer_code_and_its_gene(code: str, parts: Any, found: Any) -> None:
    value = coded("LA9657-3")
    assert read(code=coded(code), component=parts, valueCodeableConcept=value) == found


def test_genotype_and_phenotype_together() -> None:
    parts = [gene("2621"), component("53040-2", coded("LA25390-8"))]
    assert read(component=parts) == (call(diplotype="*1/*17", phenotype="rapid"),)


@pytest.mark.parametrize(
    ("changes", "day"),
    [
        ({"effectiveDateTime": "2018-07-26"}, date(2018, 7, 26)),
        ({"effectiveInstant": "2018-07-26T23:00:00-05:00"}, date(2018, 7, 26)),
        ({"effectiveDateTime": "2018", "issued": "2018-03-06T00:00:00-05:00"},
         date(2018, 3, 6)),
        ({"issued": "2019-03-05T16:04:44+00:00"}, date(2019, 3, 5)),
        ({"effectiveDateTime": "2018"}, None),
        ({"effectiveDateTime": ["2018-07-26"]}, None),
    ],
)  # fmt: skip
def test_the_day_where_there_is_one(changes: dict[str, Any], day: date | None) -> None:
    assert read(**changes) == (call(diplotype="*1/*17", day=day),)


@pytest.mark.parametrize(
    ("quantity", "found"),
    [
        ({"value": 1.25}, 1.25),
        ({"value": 0}, 0.0),
        ({"value": 3, "comparator": ">="}, Reason.NOT_A_NUMBER),
        ({"value": "1.25"}, Reason.NOT_A_NUMBER),
        ({"value": True}, Reason.NOT_A_NUMBER),
        ({}, Reason.NOT_A_NUMBER),
        (None, Reason.NOT_A_NUMBER),
        ({"value": -1}, Reason.IMPLAUSIBLE),
        ({"value": 21}, Reason.IMPLAUSIBLE),
        ({"value": float("nan")}, Reason.IMPLAUSIBLE),
    ],
)
def test_the_activity_score(quantity: Any, found: float | Reason) -> None:
    code = {"text": "CYP2D6 Activity Score"}
    parts = [gene("2621"), {"code": code, "valueQuantity": quantity}]
    expected = (
        refused(found)
        if isinstance(found, Reason)
        else (call(diplotype="*1/*17", activity=found),)
    )
    assert read(component=parts) == expected


UNREAD = "*2/*2 could not be ruled out"


@pytest.mark.parametrize(
    "changes",
    [
        {"valueCodeableConcept": {**coded("*1/*1", PHARMVAR), "text": UNREAD}},
        {"valueCodeableConcept": coded("*1/*1", PHARMVAR, UNREAD)},
        {"valueCodeableConcept": {**coded(UNREAD, PHARMVAR), "text": "*1/*1"}},
        {"valueCodeableConcept": {**coded("LA25390-8"), "text": "inconclusive"}},
        {"valueCodeableConcept": {**coded("LA0000-0"), "text": "*1/*1"}},
        {"component": [gene("2621"), component("53040-2", {"text": "invalid"})]},
        {"component": [gene("2621"), {"code": coded("53040-2"),
                                      "valueString": "assay failed"}]},
        {"component": [gene("2621"), {**component("53040-2", coded("LA25390-8")),
                                      "dataAbsentReason": {"text": "error"}}]},
        {"component": [gene("2621"), {**component("53040-2", coded("LA25390-8")),
                                      "valueString": "rapid metabolizer"}]},
        {"component": [gene("2621"), {**component("53040-2", coded("LA25390-8")),
                                      "modifierExtension": [{"url": "urn:x"}]}]},
        {"modifierExtension": [{"url": "urn:x"}]},
    ],
)  # fmt: skip
def test_what_cannot_be_read_may_take_back_the_rest(changes: dict[str, Any]) -> None:
    assert read(**changes) == refused(Reason.MALFORMED)


@pytest.mark.parametrize(
    "changes",
    [
        {"valueCodeableConcept": coded("PV00124", PHARMVAR, "CYP2C19 *1/*17")},
        {"valueCodeableConcept": {**coded("*1/*17", PHARMVAR), "text": "CYP2C19"}},
        {"component": [gene("2621"), {"code": coded("53040-2"),
                                      "dataAbsentReason": {"text": "unknown"}}]},
    ],
)  # fmt: skip
def test_mere_names_take_nothing_back(changes: dict[str, Any]) -> None:
    assert read(**changes) == (call(diplotype="*1/*17"),)


def test_two_activity_scores_are_none() -> None:
    part = {"code": {"coding": [{"display": "Activity score"}]},
            "valueQuantity": {"value": 1}}  # fmt: skip
    assert read(component=[part, part]) == refused(Reason.NOT_A_NUMBER)


@pytest.mark.parametrize(
    ("changes", "is_one"),
    [
        ({}, True),
        ({"code": coded("84414-2")}, True),
        ({"code": coded("84413-4", "urn:oid:2.16.840.1.113883.6.1")}, True),
        ({"code": coded("therapeutic-implication", TBD)}, True),
        ({"code": coded("44261-6")}, False),
        ({"code": coded("84413-4", "http://x.example")}, False),
        ({"code": "84413-4"}, False),
        ({"code": None}, False),
        ({"resourceType": "Condition"}, False),
    ],
)
def test_what_is_a_genetic_result(changes: dict[str, Any], is_one: bool) -> None:
    assert is_genotype(genotype(**changes)) is is_one


ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.just("84413-4"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["coding", "code", "text", "system", "url", "value"])
            | st.sampled_from(["valueCodeableConcept", "valueQuantity", "valueString"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KEYS = st.sampled_from(
    ["code", "component", "extension", "valueCodeableConcept", "valueString", "issued"]
)


@given(st.dictionaries(KEYS | st.sampled_from(["interpretation", "status"]), ANY))
def test_it_never_raises(fields: dict[str, Any]) -> None:
    for result in read(**fields):
        assert isinstance(result, GeneCall | Refused)
