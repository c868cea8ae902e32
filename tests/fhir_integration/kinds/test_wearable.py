from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.measures import measures
from backend.twin.record import Reason
from fhir_integration.codes import AI_LABEL, LOINC, check_digit_fits
from fhir_integration.kinds.refused import Refused
from fhir_integration.kinds.wearable import (
    Sample,
    is_wearable,
    measure_of,
    read_wearable,
)
from fhir_integration.subject import Subject
from tests.fhir_integration.kinds.body import (
    AT,
    DAY,
    MEASURE,
    Json,
    coded,
    lasting,
    quantity,
    signal,
    valued,
)

OURS = Subject.at("", "p1")
SOURCE = "Observation/w1/_history/1"


def read(resource: Json) -> tuple[Sample | Refused, ...]:
    return read_wearable(resource, subject=OURS, source=SOURCE)


def values(resource: Json) -> dict[str, float]:
    found = read(resource)
    return {x.measure.key: x.value for x in found if isinstance(x, Sample)}


def reasons(resource: Json) -> list[Reason]:
    return [x.reason for x in read(resource) if isinstance(x, Refused)]


def test_a_heart_rate_becomes_a_sample_traced_to_its_version() -> None:
    heart = measures()["heart-rate"]
    assert read(signal()) == (Sample(heart, AT, 0.0, DAY, 60, 72.0, SOURCE),)


NIGHT = "2026-02-13T23:00:00+01:00", "2026-02-14T07:00:00+01:00"
HOUR = "2026-02-14T09:00:00+01:00", "2026-02-14T10:00:00+01:00"
RMSSD = coded("hrv-rmssd", system=MEASURE)
ACTIVE = coded("active-minutes", system=MEASURE)
RESTING = coded("8867-4", "40443-4")
BOTH = coded("59408-5", "2708-6")
SDNN = {"system": LOINC, "code": "80404-7"}
MISLABELLED = {"coding": [{**SDNN, "display": "HRV (rMSSD)"}]}
BELOW = quantity(72, "/min", comparator="<")
NO_INTEGER = {"valueQuantity": None, "valueInteger": "9"}
AN_INTEGER = {"valueQuantity": None, "valueInteger": 9}


def night(code: str, value: float, unit: str) -> Json:
    return lasting(code, *NIGHT, valueQuantity=quantity(value, unit))


def samples(count: int) -> Json:
    """One a minute."""
    packed = {"origin": quantity(60, "/min"), "period": 60_000, "dimensions": 1}
    return {"valueQuantity": None, "valueSampledData": {**packed, "data": "0 " * count}}


DAR = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
ABSENT = {"extension": [{"url": DAR, "valueCode": "error"}]}


def text(value: str) -> Json:
    return {"valueQuantity": None, "valueString": value}


@pytest.mark.parametrize(
    ("resource", "key", "value"),
    [
        (valued("8867-4", 1.2, "Hz"), "heart-rate", 72.0),
        (signal("40443-4", effectiveDateTime="2026-02-14"), "resting-heart-rate", 72.0),
        (valued("80404-7", 0.05, "s"), "hrv-sdnn", 50.0),
        (valued(RMSSD, 35, "ms"), "hrv-rmssd", 35.0),
        (night("93832-4", 8, "h"), "sleep-duration", 480.0),
        (night("93831-6", 95, "min"), "sleep-deep", 95.0),
        (night("93830-8", 4, "h"), "sleep-light", 240.0),
        (night("93829-0", 99, "min"), "sleep-rem", 99.0),
        (lasting("55423-8", *HOUR), "steps", 500.0),
        (lasting("55423-8", *HOUR, **AN_INTEGER), "steps", 9.0),
        (valued("41950-7", 9000, "/d"), "steps-daily", 9000.0),
        (valued(ACTIVE, 0.5, "h"), "active-minutes", 30.0),
        (valued("9279-1", 16, "/min"), "respiratory-rate", 16.0),
        (valued("59408-5", 97, "%"), "spo2", 97.0),
        (valued("2708-6", 97, "%"), "spo2", 97.0),
        (valued("61008-9", 91.4, "[degF]"), "skin-temperature", 33.0),
        (signal(coded("8867-4", system="https://loinc.org")), "heart-rate", 72.0),
        (signal(RESTING), "resting-heart-rate", 72.0),
        (valued(BOTH, 97, "%"), "spo2", 97.0),
        (lasting("55423-8", *HOUR, valueQuantity=quantity(-0.0, "1")), "steps", 0.0),
    ],
)  # fmt: skip
def test_each_measure_is_read_in_its_unit(
    resource: Json, key: str, value: float
) -> None:
    assert values(resource) == {key: pytest.approx(value)}
    assert reasons(resource) == []
    assert "-" not in repr(values(resource)[key])


def test_every_measure_of_the_table_is_read_above() -> None:
    [mark] = [
        m
        for m in test_each_measure_is_read_in_its_unit.pytestmark  # type: ignore[attr-defined]
        if m.name == "parametrize"
    ]
    assert {key for _, key, _ in mark.args[1]} == set(measures())


def test_loinc_numbers_of_the_table_bear_their_check_digit() -> None:
    codes = [code for one in measures().values() for code in one.codes]
    numbers = [code for system, code in codes if system == LOINC]
    assert len(numbers) > 10
    assert all(map(check_digit_fits, numbers))


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (signal(meta={"security": [AI_LABEL]}), Reason.WRONG_TYPE),
        (signal(resourceType="Condition"), Reason.WRONG_TYPE),
        (signal(status="entered-in-error"), Reason.ENTERED_IN_ERROR),
        (signal(status="cancelled"), Reason.CANCELLED),
        (signal(status="preliminary"), Reason.NOT_FINAL),
        (signal(status="registered"), Reason.NOT_FINAL),
        (signal(status="unknown"), Reason.NOT_FINAL),
        (signal(status="bogus"), Reason.MALFORMED),
        (signal(status=["final"]), Reason.MALFORMED),
        (signal(status=None), Reason.MALFORMED),
        (signal(subject={"reference": "Patient/p2"}), Reason.WRONG_PATIENT),
        (signal(coded("1234-5")), Reason.UNKNOWN_CODE),
        (signal(effectiveDateTime=None), Reason.NO_DATE),
        (signal(effectiveDateTime="2026-02-14"), Reason.NO_TIME),
        (signal(effectiveDateTime="2026"), Reason.PARTIAL_DATE),
        (valued("55423-8", 500, "1"), Reason.NO_WINDOW),
        (signal(valueQuantity=None), Reason.NO_VALUE),
        (signal(dataAbsentReason=coded("unknown")), Reason.NO_VALUE),
        (signal(_valueQuantity=ABSENT), Reason.NO_VALUE),
        (signal(valueQuantity=quantity(72, "/min", _value=ABSENT)), Reason.NO_VALUE),
        (lasting("8867-4", *HOUR, **samples(63)), Reason.MALFORMED),
        (signal(valueQuantity=quantity(72)), Reason.NO_UNIT),
        (signal(valueQuantity=None, valueInteger=72), Reason.NO_UNIT),
        (valued("8867-4", 72, "ms"), Reason.WRONG_UNIT),
        (signal(valueQuantity=BELOW), Reason.NOT_A_NUMBER),
        (signal(**text("72")), Reason.NOT_A_NUMBER),
        (lasting("55423-8", *HOUR, **text("9")), Reason.NOT_A_NUMBER),
        (lasting("55423-8", *HOUR, **NO_INTEGER), Reason.NOT_A_NUMBER),
        (signal(valueInteger=72), Reason.MALFORMED),
        (valued("8867-4", 19.9, "/min"), Reason.IMPLAUSIBLE),
        (valued("8867-4", 250.1, "/min"), Reason.IMPLAUSIBLE),
        (lasting("55423-8", *HOUR[::-1]), Reason.MALFORMED),
        (signal(valueQuantity=None, valueSampledData={}), Reason.MALFORMED),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_by_reason(
    resource: Json, reason: Reason
) -> None:
    assert reasons(resource) == [reason]
    assert values(resource) == {}


@pytest.mark.parametrize(
    ("code", "key"),
    [
        (coded("80404-7"), "hrv-sdnn"),
        (coded("80404-7", text="SDNN over five minutes"), "hrv-sdnn"),
        (coded("80404-7", text="RMSSD"), None),
        (MISLABELLED, None),
        ({"coding": [*coded("80404-7")["coding"], *RMSSD["coding"]]}, None),
        (coded("8867-4", "9279-1"), None),
        (coded("8867-4", "40443-4", "9279-1"), None),
        (coded(7), None),
        ({"coding": "8867-4"}, None),
        ("8867-4", None),
    ],
)  # fmt: skip
def test_two_measures_in_one_are_neither(code: Any, key: str | None) -> None:
    found = measure_of({"code": code})
    assert (found and found.key) == key


def component(code: str, value: Any, unit: str) -> Json:
    return {"code": coded(code), "valueQuantity": quantity(value, unit)}


STAGES = [component("93831-6", 90, "min"), component("93829-0", 1.5, "h")]


def test_the_parts_of_a_night_are_read_beside_the_whole() -> None:
    whole = night("93832-4", 8, "h") | {"component": STAGES}
    assert values(whole) == {
        "sleep-duration": 480.0,
        "sleep-deep": 90.0,
        "sleep-rem": 90.0,
    }
    assert reasons(whole) == []


def test_a_panel_needs_neither_a_known_code_nor_a_value() -> None:
    panel = signal("59408-5", valueQuantity=None, component=[
        component("59408-5", 97, "%"), component("3151-8", 6, "L/min"), "x",
    ])  # fmt: skip
    vitals = signal("85353-1", valueQuantity=None, component=[
        component("8867-4", 72, "/min"), component("9279-1", 72, "/min"),
    ])  # fmt: skip
    assert (values(panel), reasons(panel)) == ({"spo2": 97.0}, [])
    assert is_wearable(vitals)
    assert values(vitals) == {"heart-rate": 72.0}
    assert reasons(vitals) == [Reason.IMPLAUSIBLE]


def test_a_value_under_an_unknown_code_is_said_to_be_unread() -> None:
    mixed = signal("1234-5", component=[component("8867-4", 72, "/min")])
    assert (values(mixed), reasons(mixed)) == (
        {"heart-rate": 72.0},
        [Reason.UNKNOWN_CODE],
    )


def test_a_day_of_samples_in_one_resource() -> None:
    packed = {
        "origin": quantity(0, "/min"),
        "period": 3600_000,
        "data": "60 E E 300 61",
    }
    resource = signal(valueQuantity=None, valueSampledData=packed)
    found = [x for x in read(resource) if isinstance(x, Sample)]
    assert [(x.start, x.value) for x in found] == [(AT, 60.0), (AT + 4 * 3600, 61.0)]
    assert reasons(resource) == [Reason.NO_VALUE, Reason.IMPLAUSIBLE]


def test_the_pace_of_step_samples_is_their_window() -> None:
    packed = {"origin": quantity(0, "{steps}"), "period": 60_000, "data": "10 10"}
    resource = signal("55423-8", valueQuantity=None, valueSampledData=packed)
    found = [x for x in read(resource) if isinstance(x, Sample)]
    assert [(x.start, x.seconds) for x in found] == [(AT, 60.0), (AT + 60, 60.0)]


@pytest.mark.parametrize(
    ("resource", "known"),
    [
        (signal(), True),
        (signal("1234-5", component=STAGES), True),
        (signal("1234-5", component=[component("1234-5", 1, "1")]), False),
        (signal("44261-6"), False),
        ({}, False),
    ],
)
def test_a_wearable_is_known_by_a_measures_code(resource: Json, known: bool) -> None:
    assert is_wearable(resource) is known


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["coding", "code", "value", "start", "end", "event", "data"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
ELEMENTS = sorted(
    {*signal(), "effectivePeriod", "effectiveTiming", "component", "valueSampledData"}
)


@given(st.sampled_from(ELEMENTS), JUNK)
def test_no_object_makes_it_raise(name: str, junk: Any) -> None:
    is_wearable({**signal(), name: junk})
    assert read({**signal(component=STAGES), name: junk})
    read({name: junk})
