"""Versions, copies and repeats of one entry: which of them counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from backend.twin.record import PatientRecord, Reason, Refusal
from fhir_integration.reader import read_record
from tests.fhir_integration.every_kind import form
from tests.fhir_integration.made import (
    SINCE,
    UNTIL,
    Json,
    observation,
    rating,
    safety,
)


def read(resources: Iterable[Json]) -> PatientRecord:
    return read_record(resources, ehr_patient="p1", since=SINCE, until=UNTIL)


def reasons(record: PatientRecord) -> list[Reason]:
    return [refusal.reason for refusal in record.refused]


def test_the_newest_version_wins_even_if_it_takes_back() -> None:
    first = observation()
    second = observation(
        status="entered-in-error",
        meta={"versionId": "2", "lastUpdated": "2026-02-15T10:00:00Z"},
    )
    for order in ([first, second], [second, first]):
        record = read(order)
        assert record.series == ()
        assert set(reasons(record)) == {Reason.ENTERED_IN_ERROR, Reason.DUPLICATE}


def test_without_times_the_higher_version_number_is_newer() -> None:
    versions = [
        observation(meta={"versionId": str(n)}, valueQuantity={"value": n})
        for n in (9, 10)
    ]
    assert read(versions).series[0].entries[0].value == 10.0


def test_a_version_dated_before_the_window_leaves_no_trace() -> None:
    moved = observation(effectiveDateTime="2025-01-01", meta={"versionId": "0"})
    assert read([moved, observation()]) == read([observation()])


def test_the_same_score_under_two_ids_counts_once() -> None:
    twin = observation(id="o2", effectiveDateTime="2026-02-14T08:05:00Z")
    record = read([twin, observation()])
    assert [e.source for e in record.series[0].entries] == ["Observation/o1/_history/1"]
    assert record.refused == (Refusal("Observation/o2/_history/1", Reason.DUPLICATE),)


NAMED = {"identifier": [{"system": "urn:x", "value": "1"}]}


def test_one_business_identifier_under_two_ids_counts_once() -> None:
    first = observation(**NAMED)
    later = {"versionId": "1", "lastUpdated": "2026-02-15T10:00:00Z"}
    same = "2026-02-14T08:05:00Z"
    copy = observation(id="o2", meta=later, effectiveDateTime=same, **NAMED)
    for order in ([first, copy], [copy, first]):
        record = read(order)
        [entry] = record.series[0].entries
        assert entry.source == "Observation/o2/_history/1"
        assert record.refused == (
            Refusal("Observation/o1/_history/1", Reason.DUPLICATE),
        )


def test_the_newest_of_an_identifier_may_take_it_back() -> None:
    later = {"versionId": "1", "lastUpdated": "2026-02-15T10:00:00Z"}
    back = observation(id="o2", meta=later, status="entered-in-error", **NAMED)
    record = read([back, observation(**NAMED)])
    assert record.series == ()
    assert set(reasons(record)) == {Reason.ENTERED_IN_ERROR, Reason.DUPLICATE}


@pytest.mark.parametrize(
    "other",
    [
        rating("r1", "2026-02-14", 5) | NAMED,  # all items of one form
        rating("r1", "2026-02-13", 12) | {"code": observation()["code"]} | NAMED,
        safety("s1", **NAMED),
        observation(id="o2", valueQuantity={"value": 3}, identifier=[{"value": "1"}]),
        observation(id="o2", valueQuantity={"value": 3}, identifier=["1"]),
    ],
)
def test_an_identifier_hides_no_other_item_or_day(other: Json) -> None:
    record = read([observation(**NAMED), other])
    used = [entry for series in record.series for entry in series.entries]
    assert len(used) + len(record.safety) == 2
    assert record.refused == ()


@pytest.mark.parametrize("made", [observation, form])
def test_an_identifier_of_several_times_a_day_hides_none(
    made: Callable[..., Json],
) -> None:
    element = "authored" if made is form else "effectiveDateTime"
    name: Any = NAMED["identifier"][0] if made is form else NAMED["identifier"]
    times = [f"2026-02-14T{hour:02}:00:00Z" for hour in (8, 12, 16, 20)]
    asked = [made(**{element: at}) for at in times]
    four = [{**one, "id": f"o{n}", "identifier": name} for n, one in enumerate(asked)]
    record = read(four)
    assert [len(series.entries) for series in record.series] == [4]
    assert record.refused == ()


def test_two_parts_of_one_instrument_under_one_id_are_told_apart() -> None:
    total = observation(id="o1", meta=None, valueQuantity={"value": 1})
    answer = safety("o1", meta=None)
    one, other = read([total, answer]), read([answer, total])
    assert one == other
    assert [found.value for found in one.safety] == [1.0]


def test_another_patients_copy_takes_nothing_back() -> None:
    later = {"versionId": "1", "lastUpdated": "2026-02-15T10:00:00Z"}
    stray = {"subject": {"reference": "Patient/p2"}}
    copy = observation(id="o2", meta=later, **stray, **NAMED)
    assert len(read([observation(**NAMED), copy]).series[0].entries) == 1


def test_another_score_at_the_same_time_is_no_duplicate() -> None:
    other = observation(id="o2", valueQuantity={"value": 3})
    assert len(read([observation(), other]).series[0].entries) == 2
