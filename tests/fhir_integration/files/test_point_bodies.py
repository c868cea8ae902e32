"""Bodies of data points: which measure, and which of their values."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_integration.files.point_bodies import values

Q: dict[str, Any] = {"value": 5, "unit": "min"}
HOUR = {"value": 1, "unit": "h"}
ACTIVE = {"duration_moderate_activity": HOUR, "duration_vigorous_activity": Q}


def found(name: str, body: dict[str, Any], *, is_day: bool = False) -> dict[str, Any]:
    return {one.measure.key: one.quantity for one in values(name, body, is_day=is_day)}


CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("heart-rate", {"heart_rate": Q}, {"heart-rate": Q}),
    ("heart-rate", {"descriptive_statistic": "average"}, {"heart-rate": None}),
    ("heart-rate", {"heart_rate": Q, "descriptive_statistic": "maximum"}, {}),
    (
        "heart-rate",
        {"heart_rate": Q, "temporal_relationship_to_physical_activity": "at rest"},
        {"resting-heart-rate": Q},
    ),
    ("heart-rate-variability", {"heart_rate_variability": Q}, {}),
    *(
        (
            "heart-rate-variability",
            {"heart_rate_variability": Q, "measure": word},
            {key: Q},
        )
        for word, key in (("RMSSD", "hrv-rmssd"), ("SDNN", "hrv-sdnn"))
    ),
    ("rr-interval", {"rr_interval": Q}, {}),
    (
        "rr-interval",
        {"rr_interval": Q, "descriptive_statistic": "standard deviation"},
        {"hrv-sdnn": Q},
    ),
    ("oxygen-saturation", {"oxygen_saturation": Q}, {"spo2": Q}),
    ("respiratory-rate", {"respiratory_rate": Q}, {"respiratory-rate": Q}),
    ("body-temperature", {"body_temperature": Q}, {}),
    ("body-temperature", {"body_temperature": Q, "measurement_location": "oral"}, {}),
    (
        "body-temperature",
        {"body_temperature": Q, "measurement_location": "wrist"},
        {"skin-temperature": Q},
    ),
    ("step-count", {"step_count": 7}, {"steps": 7}),
    ("step-count", {"step_count": 7, "descriptive_statistic": "sum"}, {"steps": 7}),
    ("step-count", {"step_count": 7, "descriptive_statistic": "average"}, {}),
    ("step-count", {"step_count": 7, "descriptive_statistic_denominator": "d"}, {}),
    ("physical-activity", {"activity_name": "walk"}, {}),
    ("physical-activity", {"base_movement_quantity": Q, **ACTIVE}, {"steps": Q}),
    ("sleep-duration", {"sleep_duration": Q}, {"sleep-duration": Q}),
    ("total-sleep-time", {"total_sleep_time": Q}, {"sleep-duration": Q}),
    ("sleep-episode", {}, {"sleep-duration": None}),
    (
        "sleep-episode",
        {"total_sleep_time": HOUR, "deep_sleep_duration": Q, "light_sleep_duration": Q},
        {"sleep-duration": HOUR, "sleep-deep": Q, "sleep-light": Q},
    ),
    (
        "sleep-stage-summary",
        {"sleep_stage_summary": {"total_sleep_time": HOUR, "rem_sleep_duration": Q}},
        {"sleep-duration": HOUR, "sleep-rem": Q},
    ),
    ("sleep-stage-summary", {"sleep_stage_summary": 7}, {"sleep-duration": None}),
    ("blood-pressure", {"systolic_blood_pressure": Q}, {}),
    ("", {"heart_rate": Q}, {}),
]


@pytest.mark.parametrize(("name", "body", "expected"), CASES)
def test_what_a_body_says(
    name: str, body: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert found(name, body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (ACTIVE, {"active-minutes": {"value": 65.0, "unit": "min"}}),
        ({"duration_moderate_activity": HOUR}, {"active-minutes": None}),
        (
            {**ACTIVE, "duration_moderate_activity": {"value": 1}},
            {"active-minutes": None},
        ),
        ({"base_movement_quantity": Q}, {"steps-daily": Q}),
    ],
)
def test_of_a_whole_day(body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found("physical-activity", body, is_day=True) == expected
    assert found("step-count", {"step_count": 7}, is_day=True) == {"steps-daily": 7}
