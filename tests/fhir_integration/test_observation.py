from __future__ import annotations

from typing import Any

import pytest

from backend.twin.record import PatientRecord, Reason
from fhir_integration.codes import AI_LABEL, LOINC
from fhir_integration.observation import when
from fhir_integration.reader import read_record
from fhir_integration.times import Moment
from tests.fhir_integration.made import SINCE, UNTIL, Json, observation, safety

ITEM = {
    "code": {"coding": [{"system": LOINC, "code": "44260-8"}]},
    "valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA6571-9"}]},
}
ISSUED = {"issued": "2026-02-20T10:00:00Z"}


def period(start: str, end: str) -> Json:
    return {"effectivePeriod": {"start": start, "end": end}}


def read(*resources: Json) -> PatientRecord:
    return read_record(resources, ehr_patient="p1", since=SINCE, until=UNTIL)


@pytest.mark.parametrize(
    ("stated", "day"),
    [
        ({"effectivePeriod": {"start": "2026-02-01", "end": "2026-02-14"}}, "02-14"),
        ({"effectivePeriod": {"end": "2026-02-14"}}, "02-14"),
        ({"effectivePeriod": {"start": "2026-02-01"}}, "02-01"),
        ({"effectiveTiming": {"event": ["2026-02-03T10:00:00Z", "2026"]}}, "02-03"),
        (ISSUED, "02-20"),
        ({**ISSUED, "effectiveDateTime": "2026-02-14"}, "02-14"),
        ({**ISSUED, "effectiveTiming": {"event": ["2026-02-03"]}}, "02-03"),
        (period("2026", "2026-02-14"), "02-14"),
        (period("2026-02-14T10:00:00+14:00", "2026-02-13T20:00:00-05:00"), "02-13"),
        (period("2026-02-14", "2026-02-14T00:00:00Z"), "02-14"),
    ],
)
def test_the_time_is_the_effective_one(stated: Json, day: str) -> None:
    at = when(stated)
    assert isinstance(at, Moment)
    assert at.day.isoformat() == f"2026-{day}"


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ({"_effectiveDateTime": {"extension": [{}]}}, Reason.NO_DATE),
        ({"effectiveSometime": "2026-02-14"}, Reason.NO_DATE),
        ({"effectiveTiming": {"repeat": {}}}, Reason.NO_DATE),
        ({"effectiveTiming": {"event": []}}, Reason.NO_DATE),
        ({"effectiveTiming": {"event": "2026-02-14"}}, Reason.NO_DATE),
        ({"effectiveTiming": "2026-02-14"}, Reason.MALFORMED),
        ({"effectivePeriod": {}}, Reason.NO_DATE),
        ({"effectivePeriod": {"end": "2026-02"}}, Reason.PARTIAL_DATE),
        ({"effectivePeriod": "2026-02-14"}, Reason.MALFORMED),
        (period("2026-02-15", "2026-02-14"), Reason.MALFORMED),
        (period("2026-02-14T10:00:01Z", "2026-02-14T10:00:00Z"), Reason.MALFORMED),
        (period("2026-03", "2026-02-14"), Reason.MALFORMED),
        (period("soon", "2026-02-14"), Reason.MALFORMED),
        (
            {"effectiveDateTime": "2026-02-14", **period("2026-02-14", "2026-02-14")},
            Reason.MALFORMED,
        ),
    ],
)
def test_issued_never_stands_in_for_an_effective_time(
    stated: Json, reason: Reason
) -> None:
    assert when({**stated, **ISSUED}) is reason


@pytest.mark.parametrize(
    "when_text",
    [
        f"{UNTIL}",
        f"{UNTIL}T08:00:00+11:00",  # still the day before in UTC
        f"{UNTIL}T23:59:59-11:00",  # the day after in UTC
    ],
)
def test_an_entry_of_the_last_day_is_read_with_or_without_a_time(
    when_text: str,
) -> None:
    record = read(observation(effectiveDateTime=when_text))
    assert [entry.day for entry in record.series[0].entries] == [UNTIL]


LOST: list[tuple[Json, Reason]] = [
    ({"status": "preliminary"}, Reason.NOT_FINAL),
    ({"status": "bogus"}, Reason.MALFORMED),
    ({"effectiveDateTime": None}, Reason.NO_DATE),
    ({"effectiveDateTime": "2026-02"}, Reason.PARTIAL_DATE),
    ({"effectiveDateTime": "2026-03-01"}, Reason.IN_FUTURE),
    ({"status": "registered"}, Reason.NOT_FINAL),
    ({"status": "unknown"}, Reason.NOT_FINAL),
    ({"subject": None}, Reason.WRONG_PATIENT),
    ({"subject": [{"reference": "Patient/p1"}]}, Reason.WRONG_PATIENT),
    ({"subject": {"reference": "https://b.example/Patient/p1"}}, Reason.WRONG_PATIENT),
]
NOT_LOST: list[tuple[Json, Reason]] = [
    ({"status": "entered-in-error"}, Reason.ENTERED_IN_ERROR),
    ({"status": "cancelled"}, Reason.CANCELLED),
    ({"subject": {"reference": "Patient/p2"}}, Reason.WRONG_PATIENT),
    ({"meta": {"security": [AI_LABEL]}}, Reason.WRONG_TYPE),
    ({"resourceType": "Immunization"}, Reason.NOT_READ),
]


@pytest.mark.parametrize("holder", ["item", "component"])
@pytest.mark.parametrize(
    ("changes", "reason", "lost"),
    [(*row, True) for row in LOST] + [(*row, False) for row in NOT_LOST],
)
def test_a_refusal_says_whether_an_answer_is_lost(
    holder: str, changes: Json, reason: Reason, lost: bool
) -> None:
    whole = safety("o1") if holder == "item" else observation(component=[ITEM])
    changed = {k: v for k, v in {**whole, **changes}.items() if v is not None}
    [refusal] = read(changed).refused
    assert (refusal.reason, refusal.safety) == (reason, lost)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"valueCodeableConcept": {"text": "Nearly every day"}}, Reason.NOT_A_NUMBER),
        (
            {"valueCodeableConcept": {"coding": [{"system": "urn:ehr", "code": "2"}]}},
            Reason.NOT_A_NUMBER,
        ),
        ({"valueString": "Nearly every day"}, Reason.NOT_A_NUMBER),
        ({"valueBoolean": True}, Reason.NOT_A_NUMBER),
        ({"valueInteger": 4}, Reason.OUTSIDE_SCALE),
        ({"valueQuantity": {"value": 2, "unit": "mg"}}, Reason.WRONG_UNIT),
        ({"dataAbsentReason": {"text": "asked but declined"}}, Reason.NO_VALUE),
        ({"valueInteger": 2, "modifierExtension": [{}]}, Reason.MODIFIED),
        ({"valueQuantity": {"value": 1.5}}, Reason.OUTSIDE_SCALE),
        ({}, Reason.NO_VALUE),
    ],
)
def test_an_answer_that_is_no_number_is_lost_not_guessed(
    changes: dict[str, Any], reason: Reason
) -> None:
    item = safety("s1")
    item.pop("valueCodeableConcept")
    component = {"code": ITEM["code"], **changes}
    for record in (
        read(item | changes),
        read(observation(component=[component])),
    ):
        assert record.safety == ()
        assert [(r.reason, r.safety) for r in record.refused] == [(reason, True)]


def test_what_is_refused_of_a_plain_total_loses_no_answer() -> None:
    for reason in LOST:
        changed = {k: v for k, v in {**observation(), **reason[0]}.items() if v}
        [refusal] = read(changed).refused
        assert (refusal.reason, refusal.safety) == (reason[1], False)
