"""Which instrument an element's code names, and which part of it: total, item, panel.

PHQ-9 item 9 is the one item that is read, for safety. The other items are not, and no
total is made by adding items up: a total is what the EHR says it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache

from backend.twin.record import Reason
from backend.twin.scales import Scale, local_scale, scale, scales
from fhir_integration import codes
from fhir_integration.strict_json import Json


class Part(Enum):
    """What of an instrument a code stands for."""

    TOTAL = "total"
    SAFETY = "safety item"
    PANEL = "panel"


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument by its scale, and the part of it that a code names."""

    scale: Scale
    part: Part


@cache
def _known() -> Mapping[tuple[str, str], Instrument]:
    """(system, code) -> instrument, for every code that a table knows."""
    totals = {
        (one.system, one.code): Instrument(one, Part.TOTAL) for one in scales().values()
    }
    items = {
        name: Instrument(one, Part.SAFETY) for name, one in codes.safety_items().items()
    }
    panels = {
        name: Instrument(scale(key), Part.PANEL) for name, key in codes.PANELS.items()
    }
    return {**totals, **items, **panels}


def instrument(element: Json) -> Instrument | Reason:
    """The instrument that an Observation's or a component's code names.

    Of several codings the first known counts; a panel's only where no other is known.
    """
    known = _known()
    panel: Instrument | Reason = Reason.UNKNOWN_CODE
    for coding in codings(element):
        system, code = codes.canonical(coding.get("system")), coding.get("code")
        if not isinstance(code, str):
            continue
        found = known.get((system, code))
        if found is None and system == codes.DIARY:
            return _diary(element, code)
        if found is not None and found.part is not Part.PANEL:
            return found
        panel = found or panel
    return panel


def parts(resource: Json, named: Instrument | Reason) -> list[tuple[Json, Instrument]]:
    """The elements of `resource` that hold a score: itself, and some components.

    `named` is what its own code names. Of components the safety items are read
    wherever they stand, and in a panel its instrument's total.
    """
    panel = None
    found: list[tuple[Json, Instrument]] = []
    if isinstance(named, Instrument) and named.part is Part.PANEL:
        panel = Instrument(named.scale, Part.TOTAL)
    elif isinstance(named, Instrument):
        found.append((resource, named))
    if "component" not in resource:
        return found
    for component in dicts(resource["component"]):
        inner = instrument(component)
        if isinstance(inner, Reason):
            continue
        if inner.part is Part.SAFETY or inner == panel:
            found.append((component, inner))
    return found


def only_points_elsewhere(panel: Json) -> bool:
    """True for a panel whose answers are Observations that are read on their own."""
    members = dicts(panel.get("hasMember"))
    return bool(members) and all(
        "Observation" in str(member.get("reference")).split("/")[:-1]
        for member in members
    )


def holds_answers(resource: Json) -> bool:
    """True if an answer to a safety item is in it, or may be: a panel's unread part."""
    named = instrument(resource)
    found = parts(resource, named)
    if found or isinstance(named, Reason):
        return any(inner.part is Part.SAFETY for _, inner in found)
    has_members = bool(resource.get("hasMember")) and not only_points_elsewhere(
        resource
    )
    return has_members or bool(resource.get("component"))


def _diary(element: Json, code: str) -> Instrument | Reason:
    """A diary item of the site's own, with the bounds sent beside its value."""
    if not codes.DIARY_CODE.fullmatch(code):
        return Reason.MALFORMED
    for stated in dicts(element.get("referenceRange")):
        kind = stated.get("type")
        marks = dicts(kind.get("coding")) if isinstance(kind, dict) else []
        if not any(_is_scale_mark(mark) for mark in marks):
            continue
        low, high = _bound(stated.get("low")), _bound(stated.get("high"))
        if low is not None and high is not None and low < high:
            item = local_scale(code, system=codes.DIARY, low=low, high=high)
            return Instrument(item, Part.TOTAL)
    return Reason.NO_SCALE


def _is_scale_mark(coding: Json) -> bool:
    return coding.get("system") == codes.RANGE and coding.get("code") == "scale"


def _bound(quantity: object) -> float | None:
    value = quantity.get("value") if isinstance(quantity, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def codings(element: Json) -> list[Json]:
    """The codings of `element.code`, whatever else stands there."""
    code = element.get("code")
    return dicts(code.get("coding")) if isinstance(code, dict) else []


def dicts(value: object) -> list[Json]:
    """The objects of a JSON list; empty for anything else."""
    return [x for x in value if isinstance(x, dict)] if isinstance(value, list) else []
