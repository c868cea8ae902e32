"""The shape that nearly all Observations of a real server have, read in one go.

One known code, one value in one known unit, one time or period: most of a record is
that, and what decides how such a resource is read repeats from one to the next. So
codes, units, days and clock times are looked at by the exact readers once and
remembered. Whatever is uncommon in a resource sends it to `dispatch.read_any`: both
ways say the same of every resource, which a test holds them to.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from backend.twin.measures import Measure
from backend.twin.record import Reason
from backend.twin.scales import Scale
from backend.twin.streams import NO_OFFSET
from fhir_integration.codes import DIARY, FHIR_ID
from fhir_integration.columns import Column, Memory
from fhir_integration.concept_map import translated
from fhir_integration.dispatch import Context
from fhir_integration.instruments import Instrument, Part, instrument
from fhir_integration.kinds.genotype import is_genotype
from fhir_integration.kinds.lab_fact import is_lab_fact
from fhir_integration.kinds.refused import Refused
from fhir_integration.kinds.spans import span_between
from fhir_integration.kinds.wearable import judged, measure_of
from fhir_integration.naming import business
from fhir_integration.observation import is_assertion_of_ai, when
from fhir_integration.statuses import USED
from fhir_integration.strict_json import Json
from fhir_integration.times import DAY, Moment, moment
from fhir_integration.versions import is_other_version

__all__ = ["Column", "CommonShape"]

# Elements that no reader looks at, and those that are looked at here.
_ELEMENTS = """
    resourceType id meta language text extension identifier basedOn partOf derivedFrom
    category status code subject encounter issued performer note interpretation bodySite
    method specimen device effectiveDateTime effectiveInstant effectivePeriod
    valueQuantity valueInteger valueString valueCodeableConcept referenceRange
"""
_PLAIN = frozenset(_ELEMENTS.split())
_UNUSUAL = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
# Of a Quantity, what makes its value none or another one.
_TELLING = frozenset({"comparator", "modifierExtension", "_value"})
_IS_ID = FHIR_ID.fullmatch
_DAY = DAY * 1_000_000  # microseconds
# Day, microseconds, offset, the rest of a row's time, and the time of the entry's name.
_Time = tuple[Any, int, int, Any, object]


class CommonShape:
    """Takes the Observations of one patient that have the common shape."""

    def __init__(self, context: Context) -> None:
        self._unknown = Column(None)
        self.columns = [self._unknown]
        self._context = context
        self._owners = context.subject.references
        self._since = Moment(context.since).number
        self._shapes: Memory[tuple[str, ...], str] = Memory(_effective)
        self._profiles: Memory[tuple[Any, ...], bool] = Memory(_is_r4)
        self._versions: Memory[Any, str] = Memory(_suffix)
        self._days: Memory[str, tuple[date, int]] = Memory(self._day)
        self._clocks: Memory[str, tuple[int, int, str]] = Memory(_clock)
        self._codes: Memory[tuple[Any, ...], Column | None] = Memory(self._column)

    def take(self, resource: Json) -> bool:
        """Keep the resource if it has the common shape; False leaves it to others."""
        try:
            column = self._codes[_said(resource)]
            if column is None:
                return False
            effective = self._shapes[tuple(resource)]
            return (
                effective != ""
                and self._is_plain(resource)
                and self._keep(column, resource, effective)
            )
        except _UNUSUAL:
            return False

    def _is_plain(self, resource: Json) -> bool:
        meta = resource["meta"]
        return (
            resource["resourceType"] == "Observation"
            and resource["status"] in USED
            and resource["subject"]["reference"] in self._owners
            and "security" not in meta
            and ("profile" not in meta or self._profiles[tuple(meta["profile"])])
            and type(resource.get("category")) is not dict  # STU3 had one only
            and type(resource.get("interpretation")) is not dict
        )

    def _at(self, column: Column, text: str) -> _Time | None:
        """At one time; of a score a day will do."""
        day, number = self._days[text[:10]]
        clock, offset, rest = self._clocks[text[10:]]
        micros = number * _DAY + clock
        if not column.window:
            if not rest:
                return day, micros, offset, "", day
            return day, micros, offset, text[:10] + rest, micros
        if not rest or column.window == "interval":
            return None
        return number, micros, offset, 0.0, micros

    def _lasting(self, column: Column, period: Json, value: float) -> _Time | None:
        """Over a period; a score looks back from its end."""
        text: str = period["end"]
        if not isinstance(column.of, Measure):
            at = when({"effectivePeriod": period})
            return None if isinstance(at, Reason) else self._at(column, text)
        stated: str = period["start"]
        _, number = self._days[text[:10]]
        _, first = self._days[stated[:10]]
        clock, offset, rest = self._clocks[text[10:]]
        begin, _, has_time = self._clocks[stated[10:]]
        if not (rest and has_time):
            return None
        start, end = first * _DAY + begin, number * _DAY + clock
        span = span_between(start, end, number, offset=offset, window=column.of.window)
        if isinstance(span, Reason) or span.day < self._since:
            return None
        found = judged((span, value), column.of, "")
        if isinstance(found, Refused):
            return None
        return span.day, start, offset, span.seconds, end

    def _keep(self, column: Column, resource: Json, effective: str) -> bool:
        own_id, meta, stated = resource["id"], resource["meta"], resource[effective]
        value = 0.0 if column.of is None else _number(resource, column)
        if not (column.low <= value <= column.high and _IS_ID(own_id)):
            return False
        if column.step and (value - column.low) % column.step:
            return False
        if effective == "effectivePeriod":
            time = self._lasting(column, stated, value)
        else:
            time = self._at(column, stated)
        if time is None:
            return False
        day, micros, offset, rest, when = time
        name: tuple[str, ...] = ()
        if "identifier" in resource:
            name = business(resource, when=str(when))
        version = meta.get("versionId")
        source = f"Observation/{own_id}{self._versions[version]}"
        updated = meta.get("lastUpdated")
        column.rows.append(
            (own_id, name, source, updated, version, day, micros, offset, value, rest)
        )
        return True

    def _column(self, said: tuple[Any, ...]) -> Column | None:
        """The column of that code; None where the exact readers must see it."""
        codings, text, bounds = said if len(said) == 3 else ((said[:3],), *said[3:])
        named = [
            {"system": system, "code": code, "display": display}
            for system, code, display in codings
        ]
        element: Json = {"code": {"coding": named, "text": text}}
        if bounds is not None:
            element["referenceRange"] = [_range(*bounds)]
        element = translated(element, self._context.site_codes)
        of = _meaning(element)
        if isinstance(of, Reason):
            return self._unknown if of is Reason.UNKNOWN_CODE else None
        column = Column(of)
        self.columns.append(column)
        return column

    def _day(self, text: str) -> tuple[date, int]:
        """Raises ValueError for what is no day, or none that is asked for."""
        read = moment(text)
        if isinstance(read, Reason):
            raise ValueError(read)
        if not self._context.since <= read.day <= self._context.until:
            raise ValueError("a day that is not asked for")
        return read.day, read.number


def _said(resource: Json) -> tuple[Any, ...]:
    """All that decides what the code means; flat where there is one coding."""
    code = resource["code"]
    codings = code["coding"]
    if len(codings) == 1:
        coding = codings[0]
        system = coding["system"]
        bounds = _bounds(resource) if system == DIARY else None
        return system, coding["code"], coding.get("display"), code.get("text"), bounds
    said = tuple([(x.get("system"), x.get("code"), x.get("display")) for x in codings])
    is_diary = any(system == DIARY for system, _, _ in said)
    return said, code.get("text"), _bounds(resource) if is_diary else None


def _number(resource: Json, column: Column) -> float:
    """The value in the column's unit. Raises ValueError where there is none."""
    convert = None
    if "valueQuantity" in resource:
        quantity = resource["valueQuantity"]
        if not _TELLING.isdisjoint(quantity):
            raise ValueError("no plain value")
        convert = column.units[
            quantity.get("unit"), quantity.get("code"), quantity.get("system")
        ]
        value = quantity["value"]
    else:
        value = resource["valueInteger"]
        if type(value) is not int or not column.counts:
            raise ValueError("no value")
    if type(value) is not float and type(value) is not int:
        raise ValueError("no number")
    return (value if convert is None else convert(value)) + 0.0


def _effective(names: tuple[str, ...]) -> str:
    """Which effective[x] a resource of these elements has; "" for an uncommon shape."""
    times = [name for name in names if name.startswith("effective")]
    values = [name for name in names if name.startswith("value")]
    is_common = len(times) == 1 and len(values) == 1 and _PLAIN.issuperset(names)
    return times[0] if is_common else ""


def _meaning(element: Json) -> Measure | Scale | Reason:
    """What one number under that code is; UNKNOWN_CODE if nothing here reads it.

    Any other reason: it takes more than a number to say.
    """
    resource = {"resourceType": "Observation", **element}
    if is_genotype(resource) or is_lab_fact(resource) or is_assertion_of_ai(resource):
        return Reason.NOT_A_NUMBER
    of = instrument(resource)
    if isinstance(of, Instrument):
        return of.scale if of.part is Part.TOTAL else Reason.NOT_A_NUMBER
    return measure_of(resource) or of


def _bounds(resource: Json) -> tuple[Any, ...]:
    """What a diary item's scale depends on; types too, since 1 equals True."""
    (stated,) = resource["referenceRange"]
    (mark,) = stated["type"]["coding"]
    if "modifierExtension" in stated:
        raise ValueError("no plain range")
    low, high = stated["low"]["value"], stated["high"]["value"]
    return type(low), low, type(high), high, mark["system"], mark["code"]


def _range(_: type, low: Any, __: type, high: Any, system: Any, code: Any) -> Json:
    """A reference range with those bounds."""
    mark = {"system": system, "code": code}
    bounds = {"low": {"value": low}, "high": {"value": high}}
    return {**bounds, "type": {"coding": [mark]}}


def _is_r4(profiles: tuple[Any, ...]) -> bool:
    resource = {"resourceType": "Observation", "meta": {"profile": list(profiles)}}
    return not is_other_version(resource)


def _suffix(version: object) -> str:
    is_known = isinstance(version, str) and FHIR_ID.fullmatch(version)
    return f"/_history/{version}" if is_known else ""


def _clock(text: str) -> tuple[int, int, str]:
    """Microseconds from the day's midnight in UTC, offset and ISO text of a time.

    Nothing, for a plain day, is midnight without an offset. Raises ValueError for what
    is no time.
    """
    if not text:
        return 0, NO_OFFSET, ""
    day = "2000-01-01"
    read = moment(day + text)
    if isinstance(read, Reason) or read.offset is None:
        raise ValueError("no time")
    return read.micros - Moment(read.day).micros, read.offset, read.at[len(day) :]
