"""Data points of IEEE 1752.1 and Open mHealth, made here after their schemas."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.record import Reason
from fhir_integration.files import open_mhealth
from fhir_integration.files.data_points import NotRead, Point
from fhir_integration.files.local_clock import Clock, zone_of
from fhir_integration.files.open_mhealth import read_points
from fhir_integration.kinds.refused import Refused
from fhir_integration.kinds.wearable import Sample

Json = dict[str, Any]
BERLIN = Clock(zone_of("Europe/Berlin"))
START, END = "2025-07-01T08:00:00+02:00", "2025-07-01T09:00:00+02:00"
HOUR = {"time_interval": {"start_date_time": START, "end_date_time": END}}


def header(name: str = "heart-rate", namespace: str = "omh", **more: Any) -> Json:
    schema = {"namespace": namespace, "name": name, "version": "2.0"}
    return {"uuid": "u1", "schema_id": schema, **more}


def data_point(name: str, *bodies: Any, **more: Any) -> Json:
    body = bodies[0] if len(bodies) == 1 else list(bodies)
    return {"header": header(name, **more), "body": body}


def beats(frame: Any, value: Any = 61, unit: str = "beats/min", **more: Any) -> Json:
    quantity = {"value": value, "unit": unit}
    return {"heart_rate": quantity, "effective_time_frame": frame, **more}


def steps(value: Any, **interval: Any) -> Json:
    frame = {"time_interval": interval}
    return {"step_count": value, "effective_time_frame": frame}


def read(*values: Any, clock: Clock = BERLIN) -> list[Point]:
    raw = b"\n".join(json.dumps(one).encode() for one in values)
    return list(read_points(io.BytesIO(raw), clock))


def said(value: Json, clock: Clock = BERLIN) -> list[tuple[str, float] | Reason]:
    (point,) = read(value, clock=clock)
    return [
        one.reason if isinstance(one, Refused) else (one.measure.key, one.value)
        for one in point.results
    ]


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"date_time": START}, ("heart-rate", 61.0)),
        ({"date_time": "2025-07-01T06:00:00Z"}, ("heart-rate", 61.0)),
        (HOUR, ("heart-rate", 61.0)),
        ({"date_time": "2025-07-01T08:00:00"}, Reason.NO_TIME),  # of nobody's clock
        ({"date_time": "2025-07-01"}, Reason.NO_TIME),
        ({"date_time": 7}, Reason.MALFORMED),
        ({"date_time": START, **HOUR}, Reason.MALFORMED),
        ({"time_interval": 7}, Reason.MALFORMED),
        ({"time_interval": {}}, Reason.NO_DATE),
        (
            {"time_interval": {"date": "2025-07-01", "part_of_day": "night"}},
            Reason.NO_TIME,
        ),
        ({"time_interval": {"start_date_time": START}}, Reason.NO_WINDOW),
        ({}, Reason.NO_DATE),
        (None, Reason.NO_DATE),
        (7, Reason.MALFORMED),
    ],
)
def test_a_time_frame(frame: Any, expected: object) -> None:
    assert said(data_point("heart-rate", beats(frame))) == [expected]


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [
        ({"start_date_time": START, "duration": {"value": 90, "unit": "sec"}}, 90.0),
        ({"end_date_time": END, "duration": {"value": 2, "unit": "h"}}, 7200.0),
        ({"end_date_time": END, "duration": {"value": 30, "unit": "min"}}, 1800.0),
        ({"start_date_time": START, "duration": {"value": 1, "unit": "Mo"}}, None),
        ({"start_date_time": START, "duration": {"value": "1", "unit": "h"}}, None),
        ({"start_date_time": START, "duration": 7}, None),
        ({"start_date_time": "noon", "duration": {"value": 1, "unit": "h"}}, None),
    ],
)
def test_a_duration(interval: Json, seconds: float | None) -> None:
    (point,) = read(data_point("step-count", steps(10, **interval)))
    (result,) = point.results
    if seconds is None:
        assert result == Refused(Reason.MALFORMED)
    else:
        assert isinstance(result, Sample)
        assert result.seconds == seconds


WHOLE = {
    "start_date_time": "2025-06-30T22:00:00Z",
    "end_date_time": "2025-07-01T22:00:00Z",
}


@pytest.mark.parametrize(
    ("clock", "interval", "expected"),
    [
        (BERLIN, WHOLE, ("steps-daily", 10.0)),
        (Clock(), WHOLE, Reason.NO_TIME),
        (Clock(zone_of("UTC")), WHOLE, Reason.NO_WINDOW),
        (BERLIN, {"start_date_time": START, "end_date_time": END}, ("steps", 10.0)),
        (
            Clock(),
            {
                "start_date_time": "2025-07-01T00:00:00+02:00",
                "end_date_time": "2025-07-01T23:59:59+02:00",
            },
            ("steps-daily", 10.0),
        ),
        (
            BERLIN,
            {"start_date_time": START, "duration": {"value": 7, "unit": "d"}},
            ("steps", 10.0),
        ),
    ],
)
def test_steps_of_a_day_need_a_day_of_somebody_s_clock(
    clock: Clock, interval: Json, expected: object
) -> None:
    assert said(data_point("step-count", steps(10, **interval)), clock) == [expected]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (beats({"date_time": START}, is_worn=False), Reason.NO_VALUE),
        (beats({"date_time": START}, is_worn=True), ("heart-rate", 61.0)),
        (beats({"date_time": START}, value=None), Reason.NO_VALUE),
        (beats({"date_time": START}, value=""), Reason.NO_VALUE),
        (beats({"date_time": START}, value="61"), Reason.NOT_A_NUMBER),
        (beats({"date_time": START}, value=0), Reason.IMPLAUSIBLE),
        (beats({"date_time": START}, unit="Hz"), Reason.IMPLAUSIBLE),
        (beats({"date_time": START}, unit="kg"), Reason.WRONG_UNIT),
        (
            {"heart_rate": 61, "effective_time_frame": {"date_time": START}},
            Reason.NO_UNIT,
        ),
        ({"effective_time_frame": {"date_time": START}}, Reason.NO_VALUE),
        ([], Reason.NO_VALUE),
        ([7], Reason.MALFORMED),
        (7, Reason.MALFORMED),
        (None, Reason.MALFORMED),
    ],
)
def test_a_value(body: Any, expected: object) -> None:
    assert said({"header": header(), "body": body}) == [expected]


@pytest.mark.parametrize(
    ("name", "namespace", "expected"),
    [
        ("heart-rate", "omh", ("heart-rate", 61.0)),
        ("heart-rate", "ieee", ("heart-rate", 61.0)),
        ("heart-rate", "vendor", Reason.UNKNOWN_CODE),
        ("body-weight", "omh", Reason.UNKNOWN_CODE),
    ],
)
def test_a_schema(name: str, namespace: str, expected: object) -> None:
    body = beats({"date_time": START})
    assert said(data_point(name, body, namespace=namespace)) == [expected]


def test_a_series_has_many_bodies_and_one_refusal_for_all_that_are_alike() -> None:
    bodies = [beats({"date_time": START}, value=one) for one in (61, 0, 62, 300)]
    assert said(data_point("heart-rate", *bodies)) == [
        ("heart-rate", 61.0),
        ("heart-rate", 62.0),
        Reason.IMPLAUSIBLE,
    ]


def test_a_series_too_long_for_memory_is_no_series(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(open_mhealth, "MAX_SAMPLES", 1)
    bodies = [beats({"date_time": START})] * 2
    assert said(data_point("heart-rate", *bodies)) == [Reason.MALFORMED]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"header": header(uuid="a", user_id="p1")}, ("a", "p1", "a")),
        ({"header": {"id": "b"}}, ("b", "", "b")),
        ({"header": {"id": 7, "user_id": 7}}, ("point/1", "", "")),
        ({"header": 7}, ("point/1", "", "")),
        ({}, ("point/1", "", "")),
    ],
)
def test_who_and_which(value: Json, expected: tuple[str, str, str]) -> None:
    (point,) = read(value)
    assert (point.source, point.patient, point.identity) == expected
    assert all(isinstance(one, Refused) for one in point.results)


def test_an_object_that_is_not_strict_json_is_counted_and_the_rest_is_read() -> None:
    whole = json.dumps(data_point("heart-rate", beats({"date_time": START}))).encode()
    raw = b'{"a": NaN}\n' + whole
    broken, good = read_points(io.BytesIO(raw), BERLIN)
    assert broken.fault == "holds NaN or Infinity"
    assert broken.results == (Refused(Reason.MALFORMED),)
    assert (good.place, good.fault) == (2, "")


def test_fhir_is_told_from_it() -> None:
    with pytest.raises(NotRead, match="import_fhir"):
        read({"resourceType": "Bundle"})


anything = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["value", "unit", "date_time", "time_interval", "duration"]
            ),
            inner,
        )
    ),
    max_leaves=8,
)
names = st.sampled_from(
    ["heart-rate", "step-count", "physical-activity", "sleep-episode", "rr-interval"]
)
fields = st.sampled_from(
    [
        *("heart_rate", "step_count", "base_movement_quantity", "total_sleep_time"),
        *("effective_time_frame", "descriptive_statistic", "is_worn"),
    ]
)


@given(names, st.dictionaries(fields, anything) | anything, anything)
def test_any_body_gives_samples_or_reasons(name: str, body: Any, other: Any) -> None:
    point, odd = read({"header": header(name), "body": body}, {"header": other})
    for result in (*point.results, *odd.results):
        assert isinstance(result, Sample | Refused)
    assert point.results
