"""The shape that nearly all Observations of a real server have, read in one go.

One known code, one value in one known unit, one time: most of a record is that, and
what decides how such a resource is read repeats from one to the next. So codes, units,
days and clock times are looked at by the exact readers once and remembered. Whatever is
uncommon in a resource sends it to `dispatch.read_any`: both ways say the same of every
resource, which a test holds them to.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from backend.twin.measures import Measure
from backend.twin.record import Reason
from backend.twin.scales import Scale
from backend.twin.streams import NO_OFFSET
from fhir_integration.codes import DIARY, FHIR_ID
from fhir_integration.concept_map import translated
from fhir_integration.dispatch import Context, ReadResource
from fhir_integration.facts import content_of
from fhir_integration.instruments import Instrument, Part, instrument
from fhir_integration.kinds.genotype import is_genotype
from fhir_integration.kinds.wearable import Sample, measure_of
from fhir_integration.naming import business, newness
from fhir_integration.observation import Reading, is_assertion_of_ai
from fhir_integration.strict_json import Json
from fhir_integration.times import DAY, Moment, moment
from fhir_integration.ucum import Conversion, conversion
from fhir_integration.units import is_score
from fhir_integration.versions import is_other_version

# Elements that no reader looks at, and those that are looked at here.
_ELEMENTS = """
    resourceType id meta language text identifier basedOn category status code subject
    encounter issued performer note bodySite method specimen device effectiveDateTime
    valueQuantity referenceRange
"""
_PLAIN = frozenset(_ELEMENTS.split())
_USED = frozenset({"final", "amended", "corrected"})
_UNUSUAL = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
_MOST = 100_000  # what one memory holds before it starts anew
_DAY = DAY * 1_000_000  # microseconds
_K = TypeVar("_K")
_V = TypeVar("_V")
Row = tuple[Any, ...]


class _Memory(dict[_K, _V], Generic[_K, _V]):
    """Remembers what a function said; bounded, since keys come from outside."""

    def __init__(self, say: Callable[[_K], _V]) -> None:
        self._say = say

    def __missing__(self, key: _K) -> _V:
        if len(self) >= _MOST:
            self.clear()
        made = self[key] = self._say(key)
        return made


class Column:
    """The rows of one code, and how each stated unit converts (None: not at all).

    A row: own id, business name, source, lastUpdated and versionId as stated, day (a
    date for scores, days since 1970 for samples), microseconds since 1970 UTC, offset,
    value, ISO text of the time ("" of a day). A plain tuple: one is made for each
    resource.
    """

    __slots__ = ("high", "low", "of", "rows", "units")

    def __init__(self, of: Measure | Scale) -> None:
        self.of, self.low, self.high = of, of.low, of.high
        self.rows: list[Row] = []
        self.units: _Memory[tuple[Any, ...], Conversion | None] = _Memory(self._unit)

    def read(self, row: Row) -> ReadResource:
        """The row as `dispatch.read_any` would have read its resource."""
        own_id, name, source, updated, version, day, micros, offset, value, at = row
        result: Sample | Reading
        if isinstance(self.of, Scale):
            instant = datetime.fromisoformat(at) if at else None
            result = Reading(self.of, Moment(day, instant), value, safety=False)
        else:
            start = micros // 1_000_000
            result = Sample(self.of, start, 0.0, day, offset, value, source)
        meta = {"lastUpdated": updated, "versionId": version}
        return ReadResource(
            f"Observation/{own_id}",
            name,
            newness({"meta": meta}),
            source,
            (result,),
            (content_of(result),),
        )

    def _unit(self, stated: tuple[Any, ...]) -> Conversion | None:
        """Raises ValueError for a unit that is not the scale's or the measure's."""
        names = zip(("unit", "code", "system"), stated, strict=True)
        quantity = {name: said for name, said in names if said is not None}
        if isinstance(self.of, Scale):
            made = Conversion() if is_score(quantity, self.of) else Reason.WRONG_UNIT
        else:
            made = conversion(quantity, self.of)
        if isinstance(made, Reason):
            raise ValueError(made)
        return None if made == Conversion() else made


class CommonShape:
    """Takes the Observations of one patient that have the common shape."""

    def __init__(self, context: Context) -> None:
        self.columns: list[Column] = []
        self._context = context
        self._owners = context.subject.references
        self._shapes: _Memory[tuple[str, ...], bool] = _Memory(_PLAIN.issuperset)
        self._profiles: _Memory[tuple[Any, ...], bool] = _Memory(_is_r4)
        self._versions: _Memory[Any, str] = _Memory(_suffix)
        self._days: _Memory[str, tuple[date, int]] = _Memory(self._day)
        self._clocks: _Memory[str, tuple[int, int, str]] = _Memory(_clock)
        self._codes: _Memory[tuple[Any, ...], Column | None] = _Memory(self._column)

    def take(self, resource: Json) -> bool:
        """Keep the resource if it has the common shape; False leaves it to others."""
        try:
            return self._take(resource)
        except _UNUSUAL:
            return False

    def _take(self, resource: Json) -> bool:
        code, quantity = resource["code"], resource["valueQuantity"]
        (coding,) = code["coding"]
        system = coding["system"]
        bounds = _bounds(resource) if system == DIARY else None
        said = system, coding["code"], coding.get("display"), code.get("text"), bounds
        column = self._codes[said]
        if column is None or not self._is_plain(resource, quantity):
            return False
        convert = column.units[
            quantity.get("unit"), quantity.get("code"), quantity.get("system")
        ]
        value = quantity["value"]
        if type(value) is not float and type(value) is not int:
            return False
        value = value + 0.0 if convert is None else convert(value) + 0.0
        return column.low <= value <= column.high and self._keep(
            column, resource, value
        )

    def _is_plain(self, resource: Json, quantity: Json) -> bool:
        meta = resource["meta"]
        return (
            resource["resourceType"] == "Observation"
            and resource["status"] in _USED
            and resource["subject"]["reference"] in self._owners
            and self._shapes[tuple(resource)]
            and "comparator" not in quantity
            and "security" not in meta
            and ("profile" not in meta or self._profiles[tuple(meta["profile"])])
            and type(resource.get("category")) is not dict  # STU3 had one only
        )

    def _keep(self, column: Column, resource: Json, value: float) -> bool:
        own_id, meta = resource["id"], resource["meta"]
        text: str = resource["effectiveDateTime"]
        day, number = self._days[text[:10]]
        clock, offset, rest = self._clocks[text[10:]]
        if not FHIR_ID.fullmatch(own_id):
            return False
        is_score = type(column.of) is Scale
        if not (is_score or rest):
            return False
        micros = number * _DAY + clock
        at = text[:10] + rest if is_score and rest else ""
        of_day = day if is_score else number
        name: tuple[str, ...] = ()
        if "identifier" in resource:
            name = business(resource, when=str(day if is_score else micros))
        version = meta.get("versionId")
        source = f"Observation/{own_id}{self._versions[version]}"
        updated = meta.get("lastUpdated")
        column.rows.append(
            (own_id, name, source, updated, version, of_day, micros, offset, value, at)
        )
        return True

    def _column(self, said: tuple[Any, ...]) -> Column | None:
        """The column of that code; None where the exact readers must see it."""
        system, code, display, text, bounds = said
        coding = {"system": system, "code": code, "display": display}
        element: Json = {"code": {"coding": [coding], "text": text}}
        if bounds is not None:
            element["referenceRange"] = [_range(*bounds)]
        element = translated(element, self._context.site_codes)
        of = _meaning(element)
        if of is None:
            return None
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


def _meaning(element: Json) -> Measure | Scale | None:
    """What one number under that code is; None if it takes more to say."""
    resource = {"resourceType": "Observation", **element}
    if is_genotype(resource) or is_assertion_of_ai(resource):
        return None
    of = instrument(resource)
    if isinstance(of, Instrument):
        return of.scale if of.part is Part.TOTAL else None
    measure = measure_of(resource)
    return None if measure is None or measure.window == "interval" else measure


def _bounds(resource: Json) -> tuple[Any, ...]:
    """What a diary item's scale depends on; types too, since 1 equals True."""
    (stated,) = resource["referenceRange"]
    (mark,) = stated["type"]["coding"]
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
