"""Resources of other FHIR versions are recognised; R4's own never are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_integration import version_marks as table
from fhir_integration.strict_json import Json
from fhir_integration.versions import (
    holds_other_version,
    is_other_version,
    states_other_version,
)

CONCEPT = {"text": "made up"}
STU3 = "http://hl7.org/fhir/STU3/StructureDefinition/Patient"
CORE = "http://hl7.org/fhir/StructureDefinition/Observation"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def _one(kind: str, **fields: object) -> Json:
    return {"resourceType": kind, "id": "a", **fields}


@pytest.mark.parametrize(
    "resource",
    [
        # DSTU2
        _one("MedicationOrder"),
        _one("Condition", patient={"reference": "Patient/a"}),
        _one("Patient", name=[{"family": ["Doe"]}]),
        _one("MedicationStatement", wasNotTaken=True),
        _one("QuestionnaireResponse", group={}),
        _one("Encounter", **{"class": "inpatient"}),
        # STU3
        _one("ProcedureRequest"),
        _one("Observation", context={"reference": "Encounter/a"}),
        _one("Observation", related=[]),
        _one("Observation", comment="made up"),
        _one("Observation", category=CONCEPT),
        _one("Condition", clinicalStatus="active"),
        _one("Condition", abatementBoolean=True),
        _one("Encounter", reason=[CONCEPT]),
        _one("Procedure", context={"reference": "Encounter/a"}),
        _one("MedicationRequest", requester={"agent": {}}),
        _one("MedicationRequest", dosageInstruction=[{"doseQuantity": {}}]),
        _one("MedicationStatement", taken="n"),
        _one("MedicationAdministration", notGiven=True),
        _one("QuestionnaireResponse", questionnaire={"reference": "Questionnaire/a"}),
        _one("Questionnaire", item=[{"linkId": "1"}, {"options": {}}]),
        _one("Questionnaire", item=[{"option": []}]),
        _one("ValueSet", extensible=True),
        _one("CapabilityStatement", fhirVersion="3.0.2"),
        _one("Patient", meta={"profile": [STU3]}),
        _one("Patient", meta={"profile": [f"{US_CORE}|2.0.0"]}),
        _one("Observation", meta={"profile": [f"{CORE}|3.0.1"]}),
        # R5
        _one("Transport"),
        _one("Encounter", actualPeriod={}),
        _one("Encounter", **{"class": [CONCEPT]}),
        _one("MedicationRequest", medication={"concept": CONCEPT}),
        _one("MedicationRequest", contained=[_one("Medication", doseForm=CONCEPT)]),
        _one("Condition", participant=[]),
        _one("Consent", decision="deny"),
        _one("Consent", provision=[{}]),
        _one("Observation", valueSampledData={"interval": 1, "intervalUnit": "s"}),
        _one("Observation", meta={"profile": [f"{CORE}|5.0.0"]}),
    ],
)
def test_other_versions(resource: Json) -> None:
    assert is_other_version(resource)
    assert holds_other_version(iter([_one("Patient"), resource]))


@pytest.mark.parametrize(
    "resource",
    [
        {},
        {"resourceType": 3},
        _one("Basic"),
        _one("Observation", category=[CONCEPT], interpretation=[CONCEPT]),
        _one("Observation", valueSampledData={"period": 1}),
        _one("Condition", clinicalStatus=CONCEPT, stage=[{}]),
        _one("Encounter", **{"class": {"code": "AMB"}}),
        _one("MedicationRequest", dosageInstruction=[{"doseAndRate": []}]),
        _one("MedicationRequest", requester={"reference": "Practitioner/a"}),
        _one("MedicationRequest", contained=[_one("Medication", form=CONCEPT)]),
        _one("MedicationStatement", context={"reference": "Encounter/a"}),
        _one("QuestionnaireResponse", questionnaire="Questionnaire/a"),
        _one("Patient", name=[{"family": "Doe"}, "not an object"]),
        _one("Patient", meta="not an object"),
        _one("Patient", meta={"profile": "not a list"}),
        _one("Patient", meta={"profile": [None, f"{US_CORE}|9.0.0", US_CORE]}),
        _one("Observation", meta={"profile": [f"{CORE}|4.0.1", CORE]}),
        _one("CapabilityStatement", fhirVersion="4.0.1"),
        _one("CapabilityStatement", fhirVersion="4.3.0"),
        _one("CapabilityStatement", fhirVersion=3),
    ],
)
def test_r4_and_what_says_nothing(resource: Json) -> None:
    assert not is_other_version(resource)
    assert not holds_other_version([resource])


@pytest.mark.parametrize(
    ("content_type", "other"),
    [
        ("application/fhir+json", False),
        ("application/fhir+json; charset=utf-8; fhirVersion=4.0", False),
        ('application/fhir+json;fhirversion="4.3"', False),
        ("application/fhir+json; fhirVersion=4.0.1", False),
        ("application/fhir+json; fhirVersion=3.0", True),
        ("application/fhir+json; fhirVersion=5.0; charset=utf-8", True),
        ("application/fhir+json; fhirVersion=1.0", True),
        ("Application/JSON+fhir; charset=utf-8", True),
        ("application/xml+fhir", True),
        ("", False),
    ],
)
def test_content_types(content_type: str, *, other: bool) -> None:
    assert states_other_version(content_type) is other


def test_no_mark_is_an_element_of_r4() -> None:
    """By R4B's own models: of these types its elements are those of R4."""
    from importlib import import_module  # noqa: PLC0415 - 0.3 s, for this test alone

    for kind, names in table.ELEMENTS.items():
        model = getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
        known = {one.alias or name for name, one in model.model_fields.items()}
        assert known.isdisjoint(names.split()), kind
        nested = {**table.SHAPES.get(kind, {}), **table.WITHIN.get(kind, {})}
        assert nested.keys() <= known, kind


@given(
    st.sampled_from(sorted(table.ELEMENTS)),
    st.sampled_from(["meta", "contained", "name", "item", "category", "fhirVersion"]),
    JSON,
)
def test_never_raises(kind: str, element: str, value: object) -> None:
    assert is_other_version({"resourceType": kind, element: value}) in (True, False)


def _within(value: object) -> Iterator[Json]:
    """Every resource in a JSON value, at any depth."""
    if isinstance(value, dict) and "resourceType" in value:
        yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _within(inner)


def _read(folder: Path) -> dict[str, Json]:
    found = {path.name: path for path in sorted(folder.rglob("*.json"))}
    return {name: orjson.loads(path.read_bytes()) for name, path in found.items()}


def test_every_stu3_bundle_is_recognised(shared: Path) -> None:
    bundles = _read(shared / "data" / "fhir" / "examples" / "stu3-negative")
    recognised = {
        name: holds_other_version(entry["resource"] for entry in bundle["entry"])
        for name, bundle in bundles.items()
    }
    assert recognised == dict.fromkeys(bundles, True)
    assert len(bundles) == 14


@pytest.mark.parametrize(
    ("folder", "resources"),
    [
        ("fhir/demo", 5378),
        ("fhir/examples/us-core", 60),
        ("fhir/examples/r4-core", 239),
        ("fhir/examples/genomics-operations", 190),
        ("fhir-genomics-examples", 77),
    ],
)
def test_no_r4_resource_is_marked(shared: Path, folder: str, resources: int) -> None:
    found = [
        one
        for content in _read(shared / "data" / folder).values()
        for one in _within(content)
    ]
    assert [one["id"] for one in found if is_other_version(one)] == []
    assert len(found) == resources


def test_orders_of_dstu2_in_hooks(shared: Path) -> None:
    orders = [
        one
        for content in _read(shared / "data/fhir/examples/cds-hooks").values()
        for one in _within(content)
        if one["resourceType"] == "MedicationOrder"
    ]
    assert len(orders) == 5
    assert all(map(is_other_version, orders))
