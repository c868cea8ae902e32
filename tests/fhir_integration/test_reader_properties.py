"""What holds of the reader for every input."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.twin.record import PatientRecord
from fhir_integration.codes import LOINC
from fhir_integration.reader import read_record
from tests.fhir_integration.made import (
    SINCE,
    UNTIL,
    Json,
    diary,
    observation,
    rating,
    safety,
)


def list_of(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def read(resources: Iterable[Json]) -> PatientRecord:
    return read_record(resources, ehr_patient="p1", since=SINCE, until=UNTIL)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["coding", "system", "code", "value", "reference", "start"])
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
ELEMENTS = sorted(
    {*observation(), *diary("d1"), *safety("s1")}
    | {"issued", "effectivePeriod", "valueString", "dataAbsentReason"}
    | {"component", "identifier", "effectiveTiming", "hasMember"}
)
ITEM = {name: safety("s")[name] for name in ("code", "valueCodeableConcept")}
FORM = observation(component=[ITEM], id="f1")
PANEL = {**FORM, "code": {"coding": [{"system": LOINC, "code": "44249-1"}]}}
BENT = st.builds(
    lambda of, name, junk: {**of, name: junk},
    st.sampled_from(
        [
            *(observation(), diary("d1"), safety("s1"), rating("r", "2026", 1)),
            *(FORM, PANEL),
        ]
    ),
    st.sampled_from(ELEMENTS),
    JUNK,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(BENT | st.dictionaries(st.text(max_size=5), JUNK), max_size=4))
def test_no_object_makes_the_reader_raise(resources: list[Json]) -> None:
    record = read(resources)
    used = sum(len(series.entries) for series in record.series) + len(record.safety)
    parts = sum(1 + len(list_of(of.get("component"))) for of in resources)
    assert used + len(record.refused) <= parts


KEPT = {"resourceType", "code", "component", "meta"}  # bent, these say something else


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([safety("s1"), FORM, PANEL]),
    st.sampled_from(sorted(set(ELEMENTS) - KEPT)),
    JUNK,
)
def test_an_answer_to_a_safety_item_is_read_or_said_to_be_lost(
    of: Json, name: str, junk: Any
) -> None:
    record = read([{**of, name: junk}])
    assert record.safety or any(refusal.safety for refusal in record.refused)


ENTRIES = st.builds(
    lambda number, day, value, version, item: {
        **(rating if item else lambda i, w, v: diary(i, effectiveDateTime=w))(
            f"o{number}", f"2026-02-{day:02}", value
        ),
        "meta": {"versionId": str(version)},
    },
    st.integers(0, 5),
    st.integers(1, 28),
    st.integers(0, 12),
    st.integers(1, 3),
    st.booleans(),
)


@settings(deadline=None)
@given(st.lists(ENTRIES, max_size=8), st.randoms(), st.data())
def test_order_and_repetition_do_not_matter(
    resources: list[Json], random: Any, data: st.DataObject
) -> None:
    expected = read(resources)
    shuffled = list(resources)
    random.shuffle(shuffled)
    assert read(shuffled) == expected
    if resources:
        again = data.draw(st.lists(st.sampled_from(resources), max_size=4))
        repeated = read([*again, *shuffled])
        assert repeated.series == expected.series
        assert repeated.digest == expected.digest
