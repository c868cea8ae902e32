"""Which instrument an element's code names, and which part of it: total, item, panel.

Items are read for two reasons: a safety item for itself, the others to make a total
where the EHR states none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, lru_cache

from backend.twin.record import Reason
from backend.twin.scales import Scale, known_scales, local_scale, scale
from fhir_integration import codes
from fhir_integration.items import item_scales
from fhir_integration.kinds.modified import is_modified
from fhir_integration.numbers import finite
from fhir_integration.strict_json import Json


class Part(Enum):
    """What of an instrument a code stands for."""

    TOTAL = "total"
    SAFETY = "safety item"
    ITEM = "item"
    PANEL = "panel"


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument by its scale, and the part of it that a code names.

    `item` is the item's own code, empty for a total and a panel. Its numbers run from
    `low` to `high`, score units, in whole steps of `step`; 0 for any between.
    """

    scale: Scale
    part: Part
    item: str = ""
    low: float = field(init=False)
    high: float = field(init=False)
    step: float = field(init=False)

    def __post_init__(self) -> None:
        low, high = self.scale.low, self.scale.high
        asked = self.scale.safety_item
        if self.part is Part.ITEM:
            low, high = codes.ANSWER_RANGE
        elif self.part is Part.SAFETY and asked is not None:
            low, high = asked.low, asked.high
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        step = step_of(self.scale) if self.part is Part.TOTAL else 1.0
        object.__setattr__(self, "step", step)

    def has(self, value: float) -> bool:
        """True for a number that can be given there."""
        is_between = self.low <= value <= self.high
        return is_between and not (self.step and (value - self.low) % self.step)


def step_of(scale: Scale) -> float:
    """By how much totals of a questionnaire differ at least; 0 for a diary's ratings.

    What lies between two steps is no total but a mean or an estimate from fewer items.
    Of a diary's ratings a mean is one: several are given on one day.
    """
    return scale.step or 0.0 if scale.cadence == "questionnaire" else 0.0


@cache
def _known() -> Mapping[tuple[object, object], Instrument]:
    """(system, code) -> instrument, for every code and spelling that a table knows."""
    return {
        (spelling, code): one
        for (system, code), one in _tables().items()
        for spelling in codes.spellings(system)
    }


@cache
def _tables() -> Mapping[tuple[str, str], Instrument]:
    totals = {
        (one.system, one.code): Instrument(one, Part.TOTAL)
        for one in known_scales().values()
    }
    items = {
        name: Instrument(one, Part.ITEM, name[1]) for name, one in item_scales().items()
    }
    safety = {
        name: Instrument(one, Part.SAFETY, name[1])
        for name, one in codes.safety_items().items()
    }
    panels = {
        name: Instrument(scale(key), Part.PANEL) for name, key in codes.PANELS.items()
    }
    return {**totals, **items, **safety, **panels}


def named(system: str, code: str) -> Instrument | None:
    """The instrument that a code of that system names; None where no table knows it."""
    return _known().get((system, code))


def instrument(element: Json) -> Instrument | Reason:
    """The instrument that an Observation's or a component's code names.

    Matched by system and code only, never by display. Of codings that name two, neither
    is known; but an answer to a safety item is read as one, whatever else it is called.
    A panel's counts only where no other is known.
    """
    known = _known()
    panel: Instrument | Reason = Reason.UNKNOWN_CODE
    parts: list[Instrument | Reason] = []
    for coding in codings(element):
        system, code = coding.get("system"), coding.get("code")
        if not isinstance(code, str) or not isinstance(system, str):
            continue
        found: Instrument | Reason | None = known.get((system, code))
        if found is None and system == codes.DIARY:
            found = _diary(element, code)
        if isinstance(found, Instrument) and found.part is Part.PANEL:
            panel = found
        elif found is not None and found not in parts:
            parts.append(found)
    if len(parts) > 1:
        return next(filter(_is_safety, parts), Reason.UNKNOWN_CODE)
    return parts[0] if parts else panel


def _is_safety(found: Instrument | Reason) -> bool:
    return isinstance(found, Instrument) and found.part is Part.SAFETY


def parts(resource: Json, of: Instrument | Reason) -> list[tuple[Json, Instrument]]:
    """The elements of `resource` that are read: itself, and some components.

    `of` is what its own code names. Of components the safety items are read wherever
    they stand, and in a panel its instrument's total and items.
    """
    panel = isinstance(of, Instrument) and of.part is Part.PANEL
    found: list[tuple[Json, Instrument]] = []
    if isinstance(of, Instrument) and not panel:
        found.append((resource, of))
    if "component" not in resource:
        return found
    for component in dicts(resource["component"]):
        inner = instrument(component)
        if isinstance(inner, Reason):
            continue
        is_of_panel = panel and isinstance(of, Instrument) and _belongs(inner, of.scale)
        if inner.part is Part.SAFETY or is_of_panel:
            found.append((component, inner))
    return found


def _belongs(inner: Instrument, panel: Scale) -> bool:
    if inner.part is Part.ITEM:
        return True
    return inner.part is Part.TOTAL and inner.scale == panel


def only_points_elsewhere(panel: Json) -> bool:
    """True for a panel whose answers are Observations that are read on their own."""
    members = dicts(panel.get("hasMember"))
    return bool(members) and all(
        "Observation" in str(member.get("reference")).split("/")[:-1]
        for member in members
    )


def holds_answers(resource: Json) -> bool:
    """True if an answer to a safety item is in it, or may be: a panel's unread part."""
    of = instrument(resource)
    read = [inner for _, inner in parts(resource, of)]
    return any(inner.part is Part.SAFETY for inner in read) or hides_answer(
        resource, of, read
    )


def hides_answer(
    resource: Json, of: Instrument | Reason, read: Iterable[Instrument]
) -> bool:
    """True for a panel with parts beside those `read` one of which may be an answer."""
    if isinstance(of, Reason) or of.part is not Part.PANEL:
        return False
    points = bool(resource.get("hasMember")) and not only_points_elsewhere(resource)
    return (points or _has_unread(resource)) and may_hide(of.scale, read)


def may_hide(scale: Scale, read: Iterable[Instrument]) -> bool:
    """True if an unread part of that questionnaire may answer a safety item.

    Beside a total there is one such item, so nothing is hidden once it is read. Of an
    instrument without a total every part is one.
    """
    if scale.safety_item is None:
        return False
    return scale.is_answer_only or all(one.part is not Part.SAFETY for one in read)


def _has_unread(panel: Json) -> bool:
    """True for components that no table knows: one may be the safety item."""
    stated = panel.get("component")
    known = [one for one in dicts(stated) if _is_known(one)]
    return bool(stated) and (not isinstance(stated, list) or len(known) < len(stated))


def _is_known(component: Json) -> bool:
    if isinstance(instrument(component), Instrument):
        return True
    names = [(one.get("system"), one.get("code")) for one in codings(component)]
    return codes.DERIVED in names


def _diary(element: Json, code: str) -> Instrument | Reason:
    """A diary item of the site's own, with the bounds sent beside its value."""
    if not codes.DIARY_CODE.fullmatch(code):
        return Reason.MALFORMED
    for stated in dicts(element.get("referenceRange")):
        kind = stated.get("type")
        if is_modified(stated):
            continue
        marks = dicts(kind.get("coding")) if isinstance(kind, dict) else []
        if not any(_is_scale_mark(mark) for mark in marks):
            continue
        low, high = _bound(stated.get("low")), _bound(stated.get("high"))
        if low is not None and high is not None and low < high:
            return _diary_item(code, low, high)
    return Reason.NO_SCALE


@lru_cache(maxsize=1024)  # a diary has few items and thousands of entries
def _diary_item(code: str, low: float, high: float) -> Instrument:
    item = local_scale(code, system=codes.DIARY, low=low, high=high)
    return Instrument(item, Part.TOTAL)


def _is_scale_mark(coding: Json) -> bool:
    return coding.get("system") == codes.RANGE and coding.get("code") == "scale"


def _bound(quantity: object) -> float | None:
    value = quantity.get("value") if isinstance(quantity, dict) else None
    number = finite(value)
    return None if isinstance(number, Reason) else number


def codings(element: Json) -> list[Json]:
    """The codings of `element.code`, whatever else stands there."""
    code = element.get("code")
    return dicts(code.get("coding")) if isinstance(code, dict) else []


def dicts(value: object) -> list[Json]:
    """The objects of a JSON list; empty for anything else."""
    if not isinstance(value, list):
        return []
    if len(value) == 1:  # the common case, at half the price
        return value if isinstance(value[0], dict) else []
    return [x for x in value if isinstance(x, dict)]
