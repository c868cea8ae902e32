"""Readings of one code as rows, and how each unit stated with them converts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Generic, TypeVar

from backend.twin.measures import Measure
from backend.twin.record import Reason, Refusal
from backend.twin.scales import Scale
from fhir_integration.dispatch import ReadResource
from fhir_integration.facts import content_of
from fhir_integration.instruments import step_of
from fhir_integration.kinds.refused import Refused
from fhir_integration.kinds.wearable import Sample, is_count
from fhir_integration.naming import newness
from fhir_integration.observation import Reading
from fhir_integration.times import Moment
from fhir_integration.ucum import Conversion, conversion
from fhir_integration.units import is_score

MOST = 100_000  # what one memory holds before it starts anew
_K = TypeVar("_K")
_V = TypeVar("_V")
Row = tuple[Any, ...]


class Memory(dict[_K, _V], Generic[_K, _V]):
    """Remembers what a function said; bounded, since keys come from outside."""

    def __init__(self, say: Callable[[_K], _V]) -> None:
        self._say = say

    def __missing__(self, key: _K) -> _V:
        if len(self) >= MOST:
            self.clear()
        made = self[key] = self._say(key)
        return made


class Column:
    """The rows of one code, and how each stated unit converts (None: not at all).

    A row: own id, business name, source, lastUpdated and versionId as stated, day,
    microseconds since 1970 UTC, offset, value, and what else its time says. Of scores
    the day is a date and the rest ISO text of the time ("" of a day); of samples it is
    days since 1970, and the rest the window's length in seconds. A plain tuple: one is
    made for each resource.

    `of` is None for codes that nothing here reads: their rows are refused, and hold no
    value. `window` is empty but for measures; `counts` says that an integer without a
    unit is a value.
    """

    __slots__ = ("counts", "high", "low", "of", "rows", "step", "units", "window")

    def __init__(self, of: Measure | Scale | None) -> None:
        self.of = of
        self.low, self.high = (of.low, of.high) if of else (0.0, 0.0)
        self.step = step_of(of) if isinstance(of, Scale) else 0.0
        self.window = of.window if isinstance(of, Measure) else ""
        self.counts = isinstance(of, Scale) or (of is not None and is_count(of))
        self.rows: list[Row] = []
        self.units: Memory[tuple[Any, ...], Conversion | None] = Memory(self._unit)

    def read(self, row: Row) -> ReadResource:
        """The row as `dispatch.read_any` would have read its resource."""
        own_id, name, source, updated, version, day, micros, offset, value, rest = row
        result: Sample | Reading | Refused
        if self.of is None:
            result = Refused(Reason.UNKNOWN_CODE)
        elif isinstance(self.of, Scale):
            instant = datetime.fromisoformat(rest) if rest else None
            result = Reading(self.of, Moment(day, instant), value, safety=False)
        else:
            start, fraction = divmod(micros, 1_000_000)
            result = Sample(self.of, start, rest, day, offset, value, source, fraction)
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
        if isinstance(self.of, Measure):
            made = conversion(quantity, self.of)
        else:
            fits = self.of is not None and is_score(quantity, self.of)
            made = Conversion() if fits else Reason.WRONG_UNIT
        if isinstance(made, Reason):
            raise ValueError(made)
        return None if made == Conversion() else made


def identities(columns: Iterable[Column]) -> set[str]:
    """Type and id of every row whose code is read."""
    return {f"Observation/{row[0]}" for one in columns if one.of for row in one.rows}


def refusals(columns: Iterable[Column]) -> list[Refusal]:
    """The rows whose code is not read."""
    return [
        Refusal(row[2], Reason.UNKNOWN_CODE)
        for one in columns
        if one.of is None
        for row in one.rows
    ]
