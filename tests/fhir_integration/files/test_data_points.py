"""Files give the very streams that the same values give as FHIR."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import numpy as np
import pytest

from backend.twin.measures import measures
from backend.twin.record import Reason, Refusal
from backend.twin.streams import Stream
from fhir_integration.files.data_points import Point, sample, streams
from fhir_integration.files.local_clock import Clock, zone_of
from fhir_integration.files.open_mhealth import read_points
from fhir_integration.files.wearable_csv import read_csv
from fhir_integration.kinds.refused import Refused
from fhir_integration.reader import read_record
from tests.fhir_integration.kinds.body import quantity, signal

BERLIN = Clock(zone_of("Europe/Berlin"))
# Both half past twos of the night in which clocks go back, one of them told twice.
PULSE = [
    ("2025-10-26T02:30:00+02:00", 58),
    ("2025-10-26T02:30:00+01:00", 58),
    ("2025-10-26T02:30:00+01:00", 58),
    ("2025-10-26T03:30:00.25+01:00", 61.5),
    ("2025-10-26T04:30:00+01:00", None),
    ("2025-10-26T05:30:00+01:00", 300),
]
NIGHT = ("2025-10-25T23:10:00+02:00", "2025-10-26T06:40:00+01:00", 450)


def from_csv() -> list[Point]:
    rows = ["time,end,code,value,unit"]
    rows += [f"{at},,8867-4,{'' if v is None else v},/min" for at, v in PULSE]
    rows.append(",93832-4,".join([",".join(NIGHT[:2]), f"{NIGHT[2]},min"]))
    return list(read_csv(io.StringIO("\n".join(rows)), BERLIN))


def from_open_mhealth() -> list[Point]:
    def point(number: int, name: str, body: dict[str, Any]) -> bytes:
        schema = {"namespace": "omh", "name": name, "version": "1.0"}
        header = {"uuid": f"u{number}", "schema_id": schema}
        return json.dumps({"header": header, "body": body}).encode()

    beats = [
        point(
            number,
            "heart-rate",
            {
                "heart_rate": {"value": value, "unit": "beats/min"},
                "effective_time_frame": {"date_time": at},
            },
        )
        for number, (at, value) in enumerate(PULSE)
    ]
    start, end, minutes = NIGHT
    interval = {"start_date_time": start, "end_date_time": end}
    asleep = {
        "total_sleep_time": {"value": minutes * 60, "unit": "sec"},
        "effective_time_frame": {"time_interval": interval},
    }
    raw = b"\n".join([*beats, point(9, "total-sleep-time", asleep)])
    return list(read_points(io.BytesIO(raw), BERLIN))


def from_fhir() -> tuple[tuple[Stream, ...], list[Reason]]:
    beats = [
        signal(
            id=f"o{number}",
            effectiveDateTime=at,
            valueQuantity=None if value is None else quantity(value, "/min"),
        )
        for number, (at, value) in enumerate(PULSE)
    ]
    start, end, minutes = NIGHT
    asleep = signal(
        "93832-4",
        id="o9",
        effectiveDateTime=None,
        effectivePeriod={"start": start, "end": end},
        valueQuantity=quantity(minutes, "min"),
    )
    record = read_record(
        [*beats, asleep],
        ehr_patient="p1",
        since=date(2025, 1, 1),
        until=date(2026, 1, 1),
    )
    return record.streams, [one.reason for one in record.refused]


@pytest.mark.parametrize("points", [from_csv(), from_open_mhealth()])
def test_the_same_streams_as_from_fhir(points: list[Point]) -> None:
    ((patient, (made, refused)),) = streams(points).items()
    expected, reasons = from_fhir()
    assert patient == ""
    assert [one.measure for one in made] == [one.measure for one in expected]
    for ours, theirs in zip(made, expected, strict=True):
        for column in ("start", "seconds", "day", "offset", "value"):
            left, right = getattr(ours, column), getattr(theirs, column)
            np.testing.assert_array_equal(left, right)
            assert left.dtype == right.dtype
    assert sorted(one.reason for one in refused) == sorted(reasons)
    beats = made[0]
    assert beats.offset.tolist() == [120, 60, 60]
    assert np.diff(beats.start).tolist() == [3600, 3600]
    assert len(set(beats.day.tolist())) == 1


def test_each_person_has_streams_of_their_own() -> None:
    rows = "time,code,value,unit,patient\n2025-07-01T08:00Z,8867-4,61,/min,{}\n"
    points = [
        point
        for who in ("b", "a")
        for point in read_csv(io.StringIO(rows.format(who)), Clock())
    ]
    found = streams(points)
    assert list(found) == ["a", "b"]
    assert all(len(made) == 1 and not refused for made, refused in found.values())


def test_a_refusal_says_which_row_it_is() -> None:
    point = Point(7, "", "row/7", (Refused(Reason.NO_UNIT),))
    assert streams([point]) == {"": ((), (Refusal("row/7", Reason.NO_UNIT),))}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("steps", 5, 5.0),
        ("steps", None, Reason.NO_VALUE),
        ("steps", "5", Reason.NOT_A_NUMBER),
        ("heart-rate", 60, Reason.NO_UNIT),
    ],
)
def test_a_bare_number_is_a_count(key: str, value: object, expected: object) -> None:
    day = {"start": "2025-07-01T08:00:00Z", "end": "2025-07-01T09:00:00Z"}
    result = sample(measures()[key], value, {"effectivePeriod": day}, "x")
    said = result.reason if isinstance(result, Refused) else result.value
    assert said == expected
