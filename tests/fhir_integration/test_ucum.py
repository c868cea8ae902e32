from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.measures import measures
from backend.twin.record import Reason
from fhir_integration.codes import UCUM
from fhir_integration.ucum import between, in_unit


def read(key: str, **quantity: Any) -> float | Reason:
    return in_unit(quantity, measures()[key])


@pytest.mark.parametrize(
    ("key", "value", "code", "expected"),
    [
        ("heart-rate", 72, "/min", 72.0),
        ("heart-rate", 72, "{beats}/min", 72.0),
        ("heart-rate", 72, "bpm", 72.0),
        ("heart-rate", 1.2, "Hz", 72.0),
        ("heart-rate", 4320, "/h", 72.0),
        ("hrv-sdnn", 45, "ms", 45.0),
        ("hrv-sdnn", 0.045, "s", 45.0),
        ("hrv-rmssd", 45000, "us", 45.0),
        ("sleep-duration", 7.5, "h", 450.0),
        ("sleep-duration", 27000, "s", 450.0),
        ("sleep-rem", 90, "min", 90.0),
        ("steps", 500, "{steps}", 500.0),
        ("steps", 500, "1", 500.0),
        ("steps-daily", 5000, "{steps}/d", 5000.0),
        ("steps-daily", 5000, "/d", 5000.0),
        ("active-minutes", 30, "min/d", 30.0),
        ("respiratory-rate", 16, "{breaths}/min", 16.0),
        ("spo2", 97, "%", 97.0),
        ("spo2", 0.97, "1", 97.0),
        ("skin-temperature", 33.5, "Cel", 33.5),
        ("skin-temperature", 95, "[degF]", 35.0),
        ("skin-temperature", 308.15, "K", 35.0),
    ],
)
def test_a_ucum_code_decides(
    key: str, value: float, code: str, expected: float
) -> None:
    found = read(key, value=value, code=code, system=UCUM)
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("key", "unit"),
    [
        *(("heart-rate", unit) for unit in ("beats/min", "beats/minute", "BPM")),
        *(
            ("heart-rate", unit)
            for unit in ("count/min", "/min", " beats  per minute ")
        ),
        ("respiratory-rate", "breaths per minute"),
        *(("skin-temperature", unit) for unit in ("C", "degrees C", "°C", "Cel")),
        *(("spo2", unit) for unit in ("%O2", "%", "percent")),
        ("steps", "steps"),
        ("steps-daily", "steps/day"),
        ("sleep-deep", "minutes"),
        ("hrv-sdnn", "msec"),
    ],
)
def test_without_a_code_the_printed_unit_decides(key: str, unit: str) -> None:
    assert read(key, value=30, unit=unit) == 30.0


@pytest.mark.parametrize(
    ("key", "quantity", "reason"),
    [
        ("heart-rate", {}, Reason.NO_UNIT),
        ("heart-rate", {"unit": ""}, Reason.NO_UNIT),
        ("steps", {}, Reason.NO_UNIT),
        ("heart-rate", {"unit": "bananas"}, Reason.WRONG_UNIT),
        ("heart-rate", {"unit": 7}, Reason.WRONG_UNIT),
        ("heart-rate", {"unit": "ms"}, Reason.WRONG_UNIT),
        ("heart-rate", {"code": "ms", "unit": "beats/min"}, Reason.WRONG_UNIT),
        ("heart-rate", {"code": "BPM"}, Reason.WRONG_UNIT),
        ("heart-rate", {"code": "bpm", "unit": "ms"}, Reason.WRONG_UNIT),
        ("hrv-sdnn", {"code": "bpm"}, Reason.WRONG_UNIT),
        ("heart-rate", {"code": 7}, Reason.WRONG_UNIT),
        ("heart-rate", {"code": "/min", "system": "urn:x"}, Reason.WRONG_UNIT),
        ("sleep-duration", {"code": "h", "unit": "min"}, Reason.WRONG_UNIT),
        ("skin-temperature", {"code": "Cel", "unit": "degF"}, Reason.WRONG_UNIT),
        ("steps", {"code": "{steps}/d"}, Reason.WRONG_UNIT),
        ("spo2", {"code": "{steps}"}, Reason.WRONG_UNIT),
    ],
)
def test_a_unit_is_never_guessed(
    key: str, quantity: dict[str, Any], reason: Reason
) -> None:
    assert read(key, value=30, **quantity) is reason


def test_an_unknown_printed_unit_beside_a_code_is_no_obstacle() -> None:
    assert read("heart-rate", value=72, code="/min", unit="Schläge/min") == 72.0


@pytest.mark.parametrize(
    ("quantity", "reason"),
    [
        ("72 bpm", Reason.MALFORMED),
        (None, Reason.MALFORMED),
        ({"code": "/min"}, Reason.NO_VALUE),
        ({"value": 72, "comparator": "<", "code": "/min"}, Reason.NOT_A_NUMBER),
        ({"value": "72", "code": "/min"}, Reason.NOT_A_NUMBER),
        ({"value": True, "code": "/min"}, Reason.NOT_A_NUMBER),
        ({"value": 10**400, "code": "/min"}, Reason.NOT_A_NUMBER),
        ({"value": float("nan"), "code": "/min"}, Reason.NOT_A_NUMBER),
        ({"value": float("inf"), "code": "/min"}, Reason.NOT_A_NUMBER),
    ],
)
def test_what_is_no_number_is_refused(quantity: object, reason: Reason) -> None:
    assert in_unit(quantity, measures()["heart-rate"]) is reason


KINDS = [("ms", "s", "min", "h", "d"), ("/min", "/s", "/h"), ("Cel", "K", "[degF]")]
PAIRS = [(a, b) for kind in KINDS for a in kind for b in kind]


@given(st.sampled_from(PAIRS), st.floats(-1e6, 1e6))
def test_there_and_back_is_where_it_was(pair: tuple[str, str], value: float) -> None:
    there, back = between(*pair), between(*pair[::-1])
    assert there is not None
    assert back is not None
    assert back(there(value)) == pytest.approx(value, rel=1e-9, abs=1e-6)


@given(st.floats(allow_nan=False))
def test_a_value_in_its_own_unit_is_not_touched(value: float) -> None:
    same = between("/min", "/min")
    assert same is not None
    assert same(value) == value
