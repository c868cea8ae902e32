"""Which measures the body of a data point holds, and where its values stand.

A statistic is part of what a value is: the largest heart rate of an hour is no heart
rate, and the standard deviation of R-R intervals is what LOINC 80404-7 calls SDNN.
Neither standard has a schema of heart rate variability; where one is used, it counts
only if its `measure` says RMSSD or SDNN, since the two are never mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from backend.twin.measures import Measure, measures
from backend.twin.record import Reason
from fhir_integration.strict_json import Json
from fhir_integration.ucum import in_unit

_HRV = {"RMSSD": "hrv-rmssd", "SDNN": "hrv-sdnn"}
# A disposable strip on the forehead estimates the core, and so do the other places.
_SKIN = frozenset({"wrist", "finger", "toe"})
_SLEEP = {
    "total_sleep_time": "sleep-duration",
    "deep_sleep_duration": "sleep-deep",
    "light_sleep_duration": "sleep-light",
    "rem_sleep_duration": "sleep-rem",
}
_ACTIVE = ("duration_moderate_activity", "duration_vigorous_activity")


class Valued(NamedTuple):
    """A measure, and its value as the body has it: {"value", "unit"} or a count."""

    measure: Measure
    quantity: object


def values(name: str, body: Json, *, is_day: bool) -> Iterator[Valued]:
    """What a body of that schema says of measures; nothing where it says nothing.

    `is_day`: its time frame is a whole day. A value that is absent comes as None.
    """
    read = _SCHEMAS.get(name)
    if read is None or "descriptive_statistic_denominator" in body:
        return
    if body.get("descriptive_statistic") not in read.statistics:
        return
    for key, quantity in read.found(body, is_day):
        yield Valued(measures()[key], quantity)


_Found = Iterator[tuple[str, object]]


def _one(field: str, key: str) -> Callable[[Json, bool], _Found]:
    def found(body: Json, _: bool) -> _Found:  # noqa: FBT001 - one shape for all
        yield key, body.get(field)

    return found


def _heart_rate(body: Json, _: bool) -> _Found:  # noqa: FBT001
    is_rest = body.get("temporal_relationship_to_physical_activity") == "at rest"
    yield ("resting-heart-rate" if is_rest else "heart-rate"), body.get("heart_rate")


def _variability(body: Json, _: bool) -> _Found:  # noqa: FBT001
    key = _HRV.get(str(body.get("measure")))
    if key:
        yield key, body.get("heart_rate_variability")


def _temperature(body: Json, _: bool) -> _Found:  # noqa: FBT001
    if body.get("measurement_location") in _SKIN:
        yield "skin-temperature", body.get("body_temperature")


def _steps(field: str) -> Callable[[Json, bool], _Found]:
    def found(body: Json, is_day: bool) -> _Found:  # noqa: FBT001
        yield ("steps-daily" if is_day else "steps"), body.get(field)

    return found


def _activity(body: Json, is_day: bool) -> _Found:  # noqa: FBT001
    """Steps, and of a day the minutes in which the device saw at least a brisk walk."""
    if "base_movement_quantity" in body:
        yield from _steps("base_movement_quantity")(body, is_day)
    if is_day and any(field in body for field in _ACTIVE):
        yield "active-minutes", _sum([body.get(field) for field in _ACTIVE])


def _sum(parts: list[object]) -> Json | None:
    """All parts together, in minutes; None where one is missing, which is not zero."""
    minutes = [in_unit(part, measures()["active-minutes"]) for part in parts if part]
    numbers = [one for one in minutes if not isinstance(one, Reason)]
    if len(numbers) < len(parts):
        return None
    return {"value": sum(numbers), "unit": "min"}


def _sleep(body: Json, _: bool) -> _Found:  # noqa: FBT001
    """The time asleep, whether or not it is stated, and the stages that are."""
    for field, key in _SLEEP.items():
        if field in body or key == "sleep-duration":
            yield key, body.get(field)


def _stages(body: Json, is_day: bool) -> _Found:  # noqa: FBT001
    inner = body.get("sleep_stage_summary")
    yield from _sleep(inner if isinstance(inner, dict) else {}, is_day)


class _Schema(NamedTuple):
    found: Callable[[Json, bool], _Found]
    statistics: tuple[str | None, ...]


_LEVEL = (None, "average")
_AMOUNT = (None, "sum")
_SCHEMAS: Mapping[str, _Schema] = {
    "heart-rate": _Schema(_heart_rate, _LEVEL),
    "heart-rate-variability": _Schema(_variability, _LEVEL),
    "rr-interval": _Schema(_one("rr_interval", "hrv-sdnn"), ("standard deviation",)),
    "oxygen-saturation": _Schema(_one("oxygen_saturation", "spo2"), _LEVEL),
    "respiratory-rate": _Schema(_one("respiratory_rate", "respiratory-rate"), _LEVEL),
    "body-temperature": _Schema(_temperature, _LEVEL),
    "step-count": _Schema(_steps("step_count"), _AMOUNT),
    "physical-activity": _Schema(_activity, _AMOUNT),
    "sleep-duration": _Schema(_one("sleep_duration", "sleep-duration"), _AMOUNT),
    "total-sleep-time": _Schema(_one("total_sleep_time", "sleep-duration"), _AMOUNT),
    "sleep-episode": _Schema(_sleep, _AMOUNT),
    "sleep-stage-summary": _Schema(_stages, _AMOUNT),
}
