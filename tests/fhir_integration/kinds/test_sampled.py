from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.measures import measures
from backend.twin.record import Reason
from backend.twin.streams import NO_OFFSET
from fhir_integration.kinds import sampled as module
from fhir_integration.kinds.refused import Refused
from fhir_integration.kinds.sampled import Sampled, is_crowded, sampled
from fhir_integration.kinds.spans import Span
from fhir_integration.kinds.wearable import read_wearable
from fhir_integration.subject import Subject
from tests.fhir_integration.kinds.body import AT, DAY, Json, quantity

WHOLE = Span(AT, 0.0, DAY, 60)


def data(text: object = "60 61", **changes: Any) -> Json:
    made: Json = {
        "origin": quantity(0, "/min"),
        "period": 60_000,
        "dimensions": 1,
        "data": text,
    }
    made |= changes
    return {name: value for name, value in made.items() if value is not None}


def read(packed: object, key: str = "heart-rate", whole: Span = WHOLE) -> list[Sampled]:
    return list(sampled(packed, measures()[key], whole))


def test_samples_follow_each_other_at_their_pace() -> None:
    assert read(data("60 61.5 -1")) == [
        (Span(AT, 0.0, DAY, 60), 60.0),
        (Span(AT + 60, 0.0, DAY, 60), 61.5),
        (Span(AT + 120, 0.0, DAY, 60), -1.0),
    ]


def test_factor_and_origin_give_the_value_and_the_unit() -> None:
    packed = data("10", origin=quantity(32, "[degF]"), factor=6.3)
    [(_, value)] = [x for x in read(packed, "skin-temperature") if isinstance(x, tuple)]
    assert value == pytest.approx(35.0)


def test_marks_are_no_values() -> None:
    assert read(data("E L U x 1e3")) == [
        Reason.NO_VALUE,
        Reason.NOT_A_NUMBER,
        Reason.NOT_A_NUMBER,
        Reason.MALFORMED,
        Reason.MALFORMED,
    ]


def test_more_samples_than_a_resource_may_have_are_refused_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_SAMPLES", 3)
    assert len(read(data("60 61 62"))) == 3
    assert read(data("60 61 62 63")) == [Reason.MALFORMED]


@pytest.mark.parametrize(
    ("seconds", "ends", "count"),
    [(60.0, True, 3), (59.0, True, 1), (0.0, False, 3), (180.0, True, 3)],
)
def test_samples_stay_within_the_stated_period(
    seconds: float, ends: bool, count: int
) -> None:
    whole = Span(AT, seconds, DAY, 60)
    found = list(sampled(data("60 61 62"), measures()["heart-rate"], whole, ends=ends))
    assert len(found) == count
    assert (found == [Reason.MALFORMED]) is (count == 1)


def test_four_samples_a_second_keep_their_instants() -> None:
    whole = Span(AT, 0.0, DAY, 60, 500_000)
    found = read(data("60 60 60", period=250), whole=whole)
    at = [(x[0].start, x[0].fraction) for x in found if isinstance(x, tuple)]
    assert at == [(AT, 500_000), (AT, 750_000), (AT + 1, 0)]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1 2 3"], False),
        (["1 2 3 4"], True),
        (["1 2", "3"], False),
        (["1 2", "3 4"], True),
        ([None, 7], False),
        ([], False),
    ],
)
def test_the_samples_of_all_components_count_together(
    monkeypatch: pytest.MonkeyPatch, texts: list[Any], expected: bool
) -> None:
    monkeypatch.setattr(module, "MAX_SAMPLES", 3)
    parts: list[Any] = [{"valueSampledData": {"data": text}} for text in texts]
    odd = [{"valueSampledData": 7}, 7, {}]
    assert is_crowded({"component": [*parts, *odd]}) is expected
    assert is_crowded({**(parts[0] if parts else {}), "component": 7}) is (
        texts == ["1 2 3 4"]
    )


def test_samples_of_a_stretch_of_time_cover_their_period() -> None:
    packed = data("100", origin=quantity(0, "{steps}"))
    assert read(packed, "steps") == [(Span(AT, 60.0, DAY, 60), 100.0)]


@pytest.mark.parametrize(
    ("whole", "days"),
    [
        (Span(AT, 0.0, DAY, 60), [DAY, DAY, DAY + 1]),  # 09:05, 16:35, 00:05
        (Span(AT, 0.0, DAY, NO_OFFSET), [DAY, DAY, DAY]),
        (Span(AT, 0.0, DAY, 120), [DAY, DAY, DAY + 1]),
    ],
)
def test_the_day_moves_on_at_the_local_midnight(whole: Span, days: list[int]) -> None:
    packed = data("60 60 60", period=7.5 * 3600 * 1000)
    read_days = [one[0].day for one in read(packed, whole=whole) if len(one) == 2]
    assert read_days == days


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        ("60 61", Reason.MALFORMED),
        (data(origin=None), Reason.MALFORMED),
        (data(origin=quantity(0)), Reason.NO_UNIT),
        (data(origin=quantity(0, "ms")), Reason.WRONG_UNIT),
        (data(origin=quantity("0", "/min")), Reason.MALFORMED),
        (data(factor="2"), Reason.MALFORMED),
        (data(period=None), Reason.MALFORMED),
        (data(period=0), Reason.MALFORMED),
        (data(period=1e300), Reason.MALFORMED),
        (data(dimensions=2), Reason.NOT_A_NUMBER),
        (data(dimensions="1"), Reason.NOT_A_NUMBER),
        (data(None), Reason.NO_VALUE),
        (data(" "), Reason.NO_VALUE),
        (data(7), Reason.NO_VALUE),
    ],
)
def test_what_cannot_be_unpacked_is_refused_by_reason(
    packed: object, reason: Reason
) -> None:
    assert read(packed) == [reason]


@given(st.text(alphabet="0123456789.-+ELU e\n", max_size=40))
def test_no_text_raises(text: str) -> None:
    read(data(text))


def test_a_crowd_of_samples_is_refused_as_a_whole() -> None:
    data = {"origin": {"value": 0}, "period": 1000, "dimensions": 1}
    part = {
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "valueSampledData": {**data, "data": "60 " * 60_000},
    }
    resource = {
        "resourceType": "Observation",
        "status": "final",
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-02-01T10:00:00Z",
        "code": {"text": "a night"},
        "component": [part, part],
    }
    read = read_wearable(resource, subject=Subject.at("", "p1"), source="Observation/o")
    assert read == (Refused(Reason.MALFORMED),)
