"""The common shape must say of every resource what the exact readers say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.twin.record import PatientRecord, Reason
from fhir_integration.codes import AI_LABEL, DIARY, LOINC, RANGE, RATING
from fhir_integration.common_shape import CommonShape
from fhir_integration.dispatch import Context, read_any
from fhir_integration.reader import read_record
from fhir_integration.subject import Subject
from tests.fhir_integration.kinds.body import coded, lasting, quantity, signal
from tests.fhir_integration.made import BASE, SINCE, UNTIL, Json, diary, observation
from tests.fhir_integration.test_reader_properties import JUNK

SITE_CODES = {("urn:site", "HR"): (LOINC, "8867-4")}
CONTEXT = Context(
    Subject.at(BASE, "p1"), since=SINCE, until=UNTIL, site_codes=SITE_CODES
)
RESTING = signal("40443-4", effectiveDateTime="2026-02-14T07:00:00.25-05:30")
SITE = signal({"coding": [{"system": "urn:site", "code": "HR"}]})
PROFILE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-heart-rate"


HOUR = ("2026-02-14T09:00:00.5+01:00", "2026-02-14T10:00:00+01:00")
NIGHT = ("2026-02-13T22:30:00+01:00", "2026-02-14T06:45:00+01:00")
WEEK = ("2026-02-07T00:00:00Z", "2026-02-14T00:00:00Z")
STEPS = lasting("55423-8", *HOUR)
TWICE_CODED = coded("8867-4")
TWICE_CODED["coding"].insert(0, {"code": "PULSE", "display": "Pulse"})
VENDOR_DIARY = coded("cheerful", system=DIARY)
VENDOR_DIARY["coding"].append({"system": "urn:vendor", "code": "1"})


def read(*resources: Json) -> PatientRecord:
    return read_record(
        resources,
        ehr_patient="p1",
        since=SINCE,
        until=UNTIL,
        base_url=BASE,
        site_codes=SITE_CODES,
    )


def exactly(*resources: Json) -> PatientRecord:
    """Read with an empty element that no common shape has and no reader looks at."""
    return read(*({**resource, "contained": []} for resource in resources))


def is_taken(resource: Json) -> bool:
    return CommonShape(CONTEXT).take(resource)


COMMON = [
    observation(),
    observation(effectiveDateTime="2026-02-14"),
    observation(effectiveDateTime="2026-02-14T10:00Z", valueQuantity={"value": 3}),
    observation(meta={"profile": [PROFILE]}),
    observation(meta={"lastUpdated": 7, "versionId": 7}),
    observation(code=coded("mood-0-10", system=RATING), valueQuantity={"value": 7}),
    observation(subject={"reference": f"{BASE}/Patient/p1"}, status="amended"),
    observation(identifier=[{"system": "urn:x", "value": "1"}]),
    diary("d1"),
    diary("d2", effectiveDateTime="2026-02-13"),
    signal(),
    signal(identifier=[{"system": "urn:x", "value": "1"}], category=[{}]),
    signal("80404-7", valueQuantity=quantity(0.05, "s")),
    signal("61008-9", valueQuantity={"value": 95, "unit": "degF"}),
    RESTING,
    SITE,
    signal(interpretation=[{"coding": []}], extension=[{"url": "urn:x"}]),
    signal(effectiveDateTime=None, effectiveInstant="2026-02-14T09:05:00Z"),
    signal(TWICE_CODED, identifier=[{"system": "urn:x", "value": "1"}]),
    signal(coded("8867-4", "40443-4"), effectiveDateTime="2026-02-14T07:00:00Z"),
    observation(code=coded("x", "44261-6"), device={}, note=[{}], partOf=[]),
    observation(valueQuantity=None, valueInteger=12),
    observation(effectiveDateTime=None, effectivePeriod={"end": "2026-02-14"}),
    {**diary("d3"), "code": VENDOR_DIARY},
    STEPS,
    lasting("55423-8", *HOUR, valueQuantity=None, valueInteger=500),
    lasting("55423-8", "2026-01-01T23:00:00Z", "2026-01-02T00:00:00Z"),
    lasting("55423-8", *HOUR, identifier=[{"system": "urn:x", "value": "1"}]),
    lasting("8867-4", *HOUR, valueQuantity=quantity(61.5, "/min")),
    lasting("93832-4", *NIGHT, valueQuantity=quantity(8, "h")),
]


UNREAD = [
    observation(code=coded("1234-5")),
    observation(code=coded("1234-5"), effectiveDateTime="2026-02-14"),
    signal({"coding": []}),
    signal(coded("8867-4", "80404-7")),
    observation(code=coded("44261-6", "70274-6")),
    signal(coded("80404-7", text="RMSSD"), valueQuantity=quantity(50, "ms")),
    signal("1234-5", valueQuantity=None, valueString="positive"),
    signal("1234-5", identifier=[{"system": "urn:x", "value": "1"}]),
    lasting("1234-5", *HOUR),
]


@pytest.mark.parametrize("resource", UNREAD)
def test_a_plain_resource_of_an_unknown_code_is_refused_at_once(resource: Json) -> None:
    assert is_taken(resource)
    found = read(resource)
    assert found == exactly(resource)
    assert [one.reason for one in found.refused] == [Reason.UNKNOWN_CODE]
    assert read(resource, resource) == exactly(resource, resource)


@pytest.mark.parametrize("resource", COMMON)
def test_the_common_shape_is_taken_and_says_the_same(resource: Json) -> None:
    assert is_taken(resource)
    assert not is_taken({**resource, "contained": []})
    found = read(resource)
    assert found == exactly(resource)
    assert found.digest == exactly(resource).digest
    assert found.refused == ()


@pytest.mark.parametrize("resource", COMMON + UNREAD)
def test_a_row_is_read_as_its_resource_is(resource: Json) -> None:
    common = CommonShape(CONTEXT)
    common.take(resource)
    [column] = [one for one in common.columns if one.rows]
    assert column.read(column.rows[0]) == read_any(resource, CONTEXT)


MODIFIER = {"modifierExtension": [{"url": "urn:not", "valueBoolean": True}]}
DAR = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
ABSENT = {"extension": [{"url": DAR, "valueCode": "error"}]}
BACKWARDS = {"start": "2026-02-15", "end": "2026-02-14"}
RANGE_OF_DIARY = diary("d1")["referenceRange"][0]
UNCOMMON: list[Json] = [
    {},
    observation(code=coded("98979-8")),  # read by its own reader
    observation(status="cancelled"),
    observation(subject={"reference": "Patient/p2"}),
    observation(component=[]),
    observation(meta={"security": [AI_LABEL]}),
    observation(meta={"profile": ["http://hl7.org/fhir/STU3/StructureDefinition/x"]}),
    observation(category={"coding": []}),
    observation(id="o 1"),
    observation(effectiveDateTime="2026-02"),
    observation(effectiveDateTime="2025-02-14"),
    observation(effectiveDateTime="2026-02-14T10:00:00"),
    observation(valueQuantity={"value": 28}),
    observation(valueQuantity={"value": True}),
    observation(valueQuantity={"value": 10**400}),
    observation(valueQuantity={"value": 1, "unit": "mg"}),
    observation(valueQuantity={"value": 1, "comparator": "<"}),
    observation(code=coded("44260-8")),
    observation(code=coded("44249-1")),
    observation(code=coded("1234-5"), status="unknown"),
    observation(code=coded("1234-5"), effectiveDateTime="2025-02-14"),
    observation(code=coded("1234-5"), dataAbsentReason={}),
    observation(code=coded("84413-4")),
    observation(valueQuantity={"value": 10.5}),
    observation(valueQuantity={"value": 5, "code": "1", "unit": "T-score"}),
    observation(modifierExtension=[{"url": "urn:not"}]),
    observation(implicitRules="urn:rules"),
    observation(focus=[{"reference": "Patient/fetus"}]),
    observation(valueQuantity={"value": 5, **MODIFIER}),
    observation(valueQuantity={"value": 5, "_value": ABSENT}),
    observation(valueQuantity=None, valueInteger=5, _valueInteger=ABSENT),
    observation(code=coded("44261-6", "44260-8"), valueQuantity={"value": 2}),
    observation(effectivePeriod={"end": "2026-02-14"}),
    observation(effectiveDateTime=None, effectivePeriod=BACKWARDS),
    signal(focus=[{"reference": "Patient/fetus"}]),
    signal(valueQuantity={**quantity(72, "/min"), **MODIFIER}),
    {**diary("d1"), "referenceRange": [{**RANGE_OF_DIARY, **MODIFIER}]},
    diary("d1", low=True),
    diary("d1", low=9),
    signal(effectiveDateTime="2026-02-14"),
    signal(valueQuantity=quantity(72)),
    signal(valueQuantity=quantity(500, "/min")),
    signal("55423-8", valueQuantity=quantity(5, "1")),
    signal(interpretation={"coding": []}),
    signal(effectiveInstant="2026-02-14T09:05:00Z"),
    signal(valueQuantity=None, valueInteger=60),
    signal("55423-8", valueQuantity=quantity(5, "1")),
    observation(valueQuantity=None),
    observation(valueInteger=12),
    observation(valueQuantity=None, valueInteger=True),
    observation(valueQuantity=None, valueInteger=12.0),
    observation(effectiveDateTime=None, effectivePeriod={"start": "2026-02-14"}),
    lasting("55423-8", "2026-02-14", "2026-02-14"),
    lasting("55423-8", HOUR[1], HOUR[0]),
    lasting("55423-8", HOUR[1], HOUR[1]),
    lasting("55423-8", HOUR[0], None),
    lasting("55423-8", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.0+00:00"),
    lasting("55423-8", "2025-12-31T23:00:00Z", "2026-01-01T00:00:00Z"),
    lasting("55423-8", "2026-01-01T00:00:00+05:00", "2026-01-01T00:00:00Z"),
    lasting("93832-4", *HOUR, valueQuantity=quantity(8, "h")),
    lasting("40443-4", *WEEK, valueQuantity=quantity(60, "/min")),
]


@pytest.mark.parametrize("resource", UNCOMMON)
def test_anything_uncommon_is_left_to_the_exact_readers(resource: Json) -> None:
    assert not is_taken(resource)
    assert read(resource) == exactly(resource)


def test_bounds_that_look_alike_to_python_are_not_mixed_up() -> None:
    low_one, low_true = diary("d1"), diary("d2", low=True)
    for order in ([low_one, low_true], [low_true, low_one]):
        assert read(*order) == exactly(*order)


ELEMENTS = sorted(
    {name for one in COMMON + UNREAD for name in one}
    | {"modifierExtension", "implicitRules", "focus", "_valueQuantity"}
)
INNER = {
    "code": [
        *(coded("44261-6"), coded("8867-4"), coded("x", system=DIARY)),
        *(
            coded("x", "8867-4"),
            coded("x"),
            coded("55423-8", "44261-6"),
            coded("80404-7", "x"),
            *(
                coded("44260-8"),
                coded("44261-6", "70274-6"),
                coded("44261-6", "44260-8"),
            ),
        ),
        *(coded("93832-4"), VENDOR_DIARY, TWICE_CODED),
    ],
    "valueQuantity": [
        *({"value": 2.5}, {"value": 5, **MODIFIER}, {"value": 5, "_value": ABSENT}),
        *({"value": 5, "code": "1", "unit": unit} for unit in ("score", "%")),
        {"value": 5},
        quantity(60, "/min"),
        {"value": 60, "unit": "bpm"},
    ],
    "effectiveDateTime": [
        *("2026-02-14", "2026-02-14T23:59:60Z", "2026-02-14T08:00:00.1234567-11:00"),
        *("2026-02-14T09:05:00.2+01:00", "2026-02-14T09:05:00+14:30"),
        *("2025-12-31T23:00:00-12:00", "2026-02-28T23:00:00Z", "2026-03-01", "2026"),
    ],
    "meta": [{}, {"versionId": "2"}, {"lastUpdated": "2026-02-15"}, {"profile": [1]}],
    "effectivePeriod": [
        {"start": start, "end": end}
        for start in ("2026-02-14T00:30:00Z", "2026-02-13T20:00:00-05:00", "2026-01-01")
        for end in ("2026-02-14T01:00:00Z", "2026-02-14T00:00:00-05:00", "2026-02-14")
    ],
    "modifierExtension": [[], *MODIFIER.values()],
    "focus": [[], [{"reference": "Patient/p1"}], [{"reference": "Patient/p2"}]],
    "valueInteger": [0, 5, 70, -1, 10**6],
    "interpretation": [{}, []],
    "referenceRange": [[{"type": {"coding": [{"system": RANGE, "code": "scale"}]}}]],
    "id": ["o1", "o2", "o3"],
}
BENT = st.builds(
    lambda of, name, junk, inner: {**of, name: inner.get(name, junk)},
    st.sampled_from(COMMON + UNREAD),
    st.sampled_from(ELEMENTS),
    JUNK,
    st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(some) for name, some in INNER.items()}
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(BENT, max_size=6), st.randoms())
def test_both_ways_say_the_same_of_everything(
    resources: list[Json], random: Any
) -> None:
    found = read(*resources)
    assert found == exactly(*resources)
    assert found.digest == exactly(*resources).digest
    mixed = [{**x, "contained": []} if random.random() < 0.5 else x for x in resources]
    random.shuffle(mixed)
    assert read(*mixed) == found


def test_memory_of_what_repeats_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhir_integration.columns.MOST", 2)
    times = [f"2026-02-{day:02}T0{day % 7}:00:00Z" for day in range(1, 29)]
    signals = [signal(id=f"w{n}", effectiveDateTime=t) for n, t in enumerate(times)]
    common = CommonShape(CONTEXT)
    assert all(map(common.take, signals))
    assert len(read(*signals).streams[0]) == len(times)
