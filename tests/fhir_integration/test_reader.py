from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from backend.twin.record import Entry, PatientRecord, Reason, Refusal
from backend.twin.scales import scale, scales
from fhir_integration.codes import AI_LABEL, CATEGORY, FORECAST, LOINC, RATING, UCUM
from fhir_integration.forecast_resources import observation as forecast_observation
from fhir_integration.reader import read_record
from tests.fhir_integration.made import (
    SINCE,
    UNTIL,
    Json,
    diary,
    document,
    observation,
    rating,
    safety,
)

SCALES = Path(__file__).resolve().parents[1] / "data" / "fhir" / "scales"


def read(resources: Iterable[Json], patient: str = "p1") -> PatientRecord:
    return read_record(resources, ehr_patient=patient, since=SINCE, until=UNTIL)


def reasons(record: PatientRecord) -> list[Reason]:
    return [refusal.reason for refusal in record.refused]


def test_a_total_becomes_an_entry_traced_to_its_version() -> None:
    record = read([observation()])
    [series] = record.series
    assert series.scale == scale("phq9")
    assert [(e.value, e.source, e.at) for e in series.entries] == [
        (12.0, "Observation/o1/_history/1", "2026-02-14T09:05:00+01:00")
    ]
    assert record.refused == ()


def test_without_a_version_the_source_is_the_plain_reference() -> None:
    assert (
        read([observation(meta=None)]).series[0].entries[0].source == "Observation/o1"
    )


@pytest.mark.parametrize("key", sorted(scales()))
def test_every_scale_of_the_table_is_read(key: str) -> None:
    resource = json.loads((SCALES / f"{key}.json").read_text(encoding="utf-8"))
    patient = resource["subject"]["reference"].removeprefix("Patient/")
    record = read([resource], patient)
    assert [series.scale.key for series in record.series] == [key]
    assert record.refused == ()


REFUSED: list[tuple[dict[str, Any], Reason]] = [
    ({"status": "entered-in-error"}, Reason.ENTERED_IN_ERROR),
    ({"status": "cancelled"}, Reason.CANCELLED),
    ({"status": "preliminary"}, Reason.NOT_FINAL),
    ({"status": "registered"}, Reason.NOT_FINAL),
    ({"status": "unknown"}, Reason.NOT_FINAL),
    ({"status": "bogus"}, Reason.MALFORMED),
    ({"status": ["final"]}, Reason.MALFORMED),
    ({"status": None}, Reason.MALFORMED),
    ({"resourceType": "Encounter"}, Reason.NOT_READ),
    ({"resourceType": "Observations"}, Reason.NOT_FHIR),
    ({"resourceType": None}, Reason.NOT_FHIR),
    ({"meta": {"security": [AI_LABEL]}}, Reason.WRONG_TYPE),
    ({"subject": {"reference": "Patient/p2"}}, Reason.WRONG_PATIENT),
    ({"subject": {"reference": "Group/p1"}}, Reason.WRONG_PATIENT),
    ({"subject": {"reference": "#p1"}}, Reason.WRONG_PATIENT),
    ({"subject": None}, Reason.WRONG_PATIENT),
    ({"code": None}, Reason.UNKNOWN_CODE),
    ({"code": {"coding": [{"system": LOINC, "code": 7}]}}, Reason.UNKNOWN_CODE),
    ({"code": {"coding": [{"code": "44261-6"}]}}, Reason.UNKNOWN_CODE),
    ({"code": {"coding": [{"system": RATING, "code": "x"}]}}, Reason.UNKNOWN_CODE),
    ({"effectiveDateTime": "2026-02"}, Reason.PARTIAL_DATE),
    ({"effectiveDateTime": None}, Reason.NO_DATE),
    ({"effectiveDateTime": "soon"}, Reason.MALFORMED),
    ({"effectiveDateTime": "2026-03-01"}, Reason.IN_FUTURE),
    (
        {"valueQuantity": {"value": 12, "system": UCUM, "code": "{T-score}"}},
        Reason.WRONG_UNIT,
    ),
    (
        {
            "valueQuantity": None,
            "valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA6569-3"}]},
        },
        Reason.NOT_A_NUMBER,
    ),
    ({"valueQuantity": {"value": 28}}, Reason.OUTSIDE_SCALE),
    ({"valueQuantity": {"value": -0.5}}, Reason.OUTSIDE_SCALE),
    ({"valueQuantity": {"value": 12, "unit": "mg"}}, Reason.WRONG_UNIT),
    ({"valueQuantity": None}, Reason.NO_VALUE),
]


@pytest.mark.parametrize(("changes", "reason"), REFUSED)
def test_what_cannot_be_used_is_refused_by_reason(
    changes: dict[str, Any], reason: Reason
) -> None:
    record = read([observation(**changes)])
    assert record.series == ()
    assert reasons(record) == [reason]


def test_a_label_that_is_not_the_ai_label_is_no_obstacle() -> None:
    label = {"system": "urn:labels", "code": "R"}
    assert read([observation(meta={"security": [label]})]).series


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_valid_states_are_used(status: str) -> None:
    assert read([observation(status=status)]).series


@pytest.mark.parametrize(
    "when",
    [
        {"effectiveDateTime": "2026-02-14"},
        {"effectiveInstant": "2026-02-14T09:05:00Z"},
        {"effectivePeriod": {"start": "2026-02-01", "end": "2026-02-14"}},
        {"issued": "2026-02-14T10:00:00Z"},
    ],
)
def test_every_way_to_state_the_time_is_read(when: Json) -> None:
    resource = observation(effectiveDateTime=None) | when
    [series] = read([resource]).series
    assert series.entries[0].day.isoformat() == "2026-02-14"
    assert bool(series.entries[0].at) == ("T09" in str(when) or "issued" in when)


def test_what_lies_before_the_window_was_not_asked_for() -> None:
    old = observation(effectiveDateTime="2025-12-31", status="entered-in-error")
    assert read([old]) == read([])


def test_our_own_forecasts_are_never_read_as_data() -> None:
    ours = forecast_observation(document(), device_reference="Device/d1")
    ours |= {"id": "f1", "valueQuantity": {"value": 12}}
    unlabelled = {**ours, "meta": {}, "id": "f2"}
    record = read([ours, unlabelled])
    assert record.series == ()
    assert reasons(record) == [Reason.WRONG_TYPE] * 2
    assert FORECAST in str(unlabelled["code"])
    assert CATEGORY in str(unlabelled["category"])


def test_a_diary_item_brings_its_own_scale() -> None:
    [series] = read([diary("d1")]).series
    assert (series.scale.key, series.scale.low, series.scale.high) == (
        "diary:cheerful",
        1.0,
        7.0,
    )


@pytest.mark.parametrize(
    "bounds",
    [
        {"referenceRange": None},
        {"referenceRange": [{"low": {"value": 1}, "high": {"value": 7}}]},
        {"referenceRange": ["1-7"]},
    ],
)
def test_a_diary_item_without_bounds_has_no_scale(bounds: Json) -> None:
    resource = diary("d1")
    resource.pop("referenceRange")
    resource |= {k: v for k, v in bounds.items() if v is not None}
    assert reasons(read([resource])) == [Reason.NO_SCALE]


@pytest.mark.parametrize(
    ("low", "high"), [(7, 1), (1, 1), (1, "7"), (True, 7), (None, 7), (0, 10**400)]
)
def test_bounds_that_bound_nothing_are_no_scale(low: Any, high: Any) -> None:
    assert reasons(read([diary("d1", low=low, high=high)])) == [Reason.NO_SCALE]


def test_a_diary_code_with_two_blanks_in_a_row_is_malformed() -> None:
    resource = diary("d1")
    resource["code"]["coding"][0]["code"] = "two  words"
    assert reasons(read([resource])) == [Reason.MALFORMED]


def test_a_diary_item_with_two_ranges_keeps_the_commoner() -> None:
    days = ["2026-02-01", "2026-02-02", "2026-02-03"]
    common = [diary(f"d{i}", effectiveDateTime=day) for i, day in enumerate(days)]
    other = diary("x", high=100, effectiveDateTime="2026-02-04")
    record = read([other, *common])
    [series] = record.series
    assert (series.scale.high, len(series.entries)) == (7.0, 3)
    assert record.refused == (Refusal("Observation/x/_history/1", Reason.NO_SCALE),)


def test_the_safety_item_is_an_answer_not_a_score() -> None:
    record = read([safety("s1"), safety("s2", valueInteger=4)])
    assert record.series == ()
    assert [(a.scale.key, a.value) for a in record.safety] == [("phq9", 1.0)]
    assert reasons(record) == [Reason.MALFORMED]  # two values in s2


def test_a_safety_answer_beyond_three_is_outside() -> None:
    item = safety("s1", valueInteger=4)
    item.pop("valueCodeableConcept")
    assert reasons(read([item])) == [Reason.OUTSIDE_SCALE]


def test_entries_come_in_order_of_time() -> None:
    late = rating("a", "2026-02-02T20:00:00+01:00", 3)
    early = rating("b", "2026-02-02T08:00:00+01:00", 7)
    before = rating("c", "2026-02-01", 5)
    [series] = read([late, early, before]).series
    assert [entry.value for entry in series.entries] == [5, 7, 3]
    assert isinstance(series.entries[0], Entry)


def test_a_resource_without_a_usable_id_is_still_read_or_refused() -> None:
    nameless = [observation(id=None), observation(id="o 1", valueInteger=1)]
    record = read(nameless)
    assert record.series[0].entries[0].source == "Observation"
    assert record.refused == (Refusal("Observation", Reason.MALFORMED),)
