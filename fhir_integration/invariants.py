"""What must hold of our Observations before they leave, beyond R4's structure.

`fhir.resources` accepts an unknown status, a value beside dataAbsentReason and units of
any kind, so these are checked here. A broken rule is an error of ours, never sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir.resources.R4B.detectedissue import DetectedIssue
from fhir.resources.R4B.device import Device
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.provenance import Provenance
from fhir.resources.R4B.task import Task
from pydantic import ValidationError

from backend.twin.scales import Scale
from fhir_integration import codes
from fhir_integration.errors import NotConformant
from fhir_integration.strict_json import Json

# `Any`: the library's metaclass hides pydantic's methods from the type checker.
_MODELS: dict[str, Any] = {
    "DetectedIssue": DetectedIssue,
    "Device": Device,
    "Observation": Observation,
    "Provenance": Provenance,
    "Task": Task,
}
_SLACK = 1e-4  # the numbers are rounded to four decimals, the bounds are not
_STATUSES = frozenset(
    {"registered", "preliminary", "final", "amended", "corrected", "cancelled"}
    | {"entered-in-error", "unknown"}
)


def check_structure(resource: Json) -> None:
    """One pass through the R4B model. Raises NotConformant; quotes no value."""
    kind = resource["resourceType"]
    try:
        _MODELS[kind].model_validate(resource)
    except ValidationError as error:
        count = error.error_count()
        raise NotConformant(f"{kind} breaks R4 in {count} places") from None


def check_forecast(observation: Json, scale: Scale) -> None:
    """Status, obs-6, obs-7, label, code, unit, order of intervals and of days."""
    rules = {
        **rules_of_all(observation, codes.FORECAST),
        "a unit is not the scale's": _units(observation) <= {scale.unit},
        "a number lies outside the scale": _inside(observation, scale),
        "a probability has no threshold, or is none": _probable(observation),
        "an interval does not hold the next narrower one": _ordered(observation),
        "the days do not ascend from one": _ascending(observation),
    }
    hold(rules)


def check_day(observation: Json, scale: Scale) -> None:
    """The same for one day of a flat forecast, which has a value and no components."""
    value = observation["valueQuantity"]
    low, high = scale.low - _SLACK, scale.high + _SLACK
    hold(
        {
            **rules_of_all(observation, codes.FORECAST),
            "a unit is not the scale's": value["code"] == scale.unit,
            "a number lies outside the scale": low <= value["value"] <= high,
        }
    )


def rules_of_all(observation: Json, system: str) -> dict[str, bool]:
    """What holds of whatever a model says, under codes of our own `system`."""
    return {
        "status is not one of R4's": observation["status"] in _STATUSES,
        "a value stands beside dataAbsentReason (obs-6)": _obs_6(observation),
        "a component repeats the code beside a value (obs-7)": _obs_7(observation),
        "the AI label is missing": _is_labelled(observation),
        "the code is a measurement's": _own_code(observation, system),
    }


def hold(rules: Mapping[str, bool]) -> None:
    """Raise NotConformant with the first rule that does not hold."""
    for rule, holds in rules.items():
        if not holds:
            raise NotConformant(rule)


def _obs_6(observation: Json) -> bool:
    return not ("dataAbsentReason" in observation and _has_value(observation))


def _obs_7(observation: Json) -> bool:
    own = {_code(observation)}
    inner = observation.get("component", [])
    same = any(_code(component) in own for component in inner)
    return not (same and _has_value(observation))


def _has_value(element: Json) -> bool:
    return any(key.startswith("value") for key in element)


def _is_labelled(observation: Json) -> bool:
    return codes.AI_LABEL in observation.get("meta", {}).get("security", [])


def _own_code(observation: Json, system: str) -> bool:
    return all(coding["system"] == system for coding in observation["code"]["coding"])


def _code(element: Json) -> tuple[str, str]:
    coding = element["code"]["coding"][0]
    return coding["system"], coding["code"]


def _is_chance(component: Json) -> bool:
    return _code(component)[1].startswith(codes.CHANCE)


def _probable(observation: Json) -> bool:
    """Each probability is a number from 0 to 1, of a named threshold or said absent."""
    stated = [c for c in observation["component"] if _is_chance(c)]
    return all(
        "dataAbsentReason" in component
        if "valueQuantity" not in component
        else _is_share(component["valueQuantity"]) and _threshold(component) is not None
        for component in stated
    )


def _is_share(quantity: Json) -> bool:
    share: float = quantity["value"]
    return quantity["code"] == quantity["unit"] == "1" and 0 <= share <= 1


def _threshold(component: Json) -> Json | None:
    for extension in component.get("extension", []):
        if extension["url"] == codes.THRESHOLD:
            found: Json = extension["valueQuantity"]
            return found
    return None


def _quantities(observation: Json) -> Iterator[Json]:
    """Every score: of the days, and the thresholds of probabilities."""
    for component in observation["component"]:
        threshold = _threshold(component)
        if threshold is not None:
            yield threshold
        if "valueQuantity" in component and not _is_chance(component):
            yield component["valueQuantity"]
        if "valueRange" in component:
            yield from component["valueRange"].values()


def _units(observation: Json) -> set[str]:
    stated = list(_quantities(observation))
    return {q["code"] for q in stated} | {q["unit"] for q in stated}


def _inside(observation: Json, scale: Scale) -> bool:
    return all(
        scale.low - _SLACK <= q["value"] <= scale.high + _SLACK
        for q in _quantities(observation)
    )


def days(observation: Json) -> dict[int, dict[str, tuple[float, ...]]]:
    """Horizon day -> {"predicted-value": (m,), "pi80": (low, high), "pi95": ...}."""
    found: dict[int, dict[str, tuple[float, ...]]] = {}
    for component in observation["component"]:
        for extension in component.get("extension", []):
            if extension["url"] == codes.HORIZON_DAY:
                day = found.setdefault(extension["valueInteger"], {})
                day[_code(component)[1]] = _numbers(component)
    return found


def _numbers(component: Json) -> tuple[float, ...]:
    if "valueQuantity" in component:
        return (float(component["valueQuantity"]["value"]),)
    ends = component["valueRange"]
    return float(ends["low"]["value"]), float(ends["high"]["value"])


def _ordered(observation: Json) -> bool:
    for day in days(observation).values():
        (median,), narrow, wide = day["predicted-value"], day["pi80"], day["pi95"]
        line = [wide[0], narrow[0], median, narrow[1], wide[1]]
        if line != sorted(line):
            return False
    return True


def _ascending(observation: Json) -> bool:
    stated = list(days(observation))
    return bool(stated) and stated == list(range(1, len(stated) + 1))
