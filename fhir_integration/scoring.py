"""Scores of a record: each told once, one range for each scale, in order of time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from operator import itemgetter
from typing import NamedTuple

from backend.twin.record import Entry, Reason, Refusal, SafetyAnswer, Series
from backend.twin.scales import Scale
from fhir_integration.common_shape import Column
from fhir_integration.observation import Reading

# Day, microseconds since 1970 UTC, "a time was stated", value, source, ISO text of the
# time, "added up from items". In order of time as tuples; plain ones, since there is
# one for each score.
_Score = tuple[date, int, bool, float, str, str, bool]
_Range = tuple[float, float]
_WHAT = itemgetter(1, 2, 3)
_is_summed = itemgetter(6)
Sourced = tuple[str, Reading]  # reference in the EHR, what was read there


class _Told(NamedTuple):
    """The scores of one scale, told with one range."""

    scale: Scale
    safety: bool
    rows: list[_Score]


class Scores:
    """Collects the scores of one patient, then settles which of them count."""

    def __init__(self) -> None:
        # By scale and "is a safety item", then by range: a diary's may change.
        self._told: dict[tuple[str, bool], dict[_Range, _Told]] = defaultdict(dict)
        self._refused: list[Refusal] = []
        self._summed: set[str] = set()  # scales with totals that were added up
        # By scale: reference and day of totals that are stated and refused.
        self._withheld: dict[str, list[tuple[str, date | None]]] = defaultdict(list)

    def withhold(self, of: Scale, source: str, day: date | None) -> None:
        """Such a total is stated: none is added up in its place."""
        self._withheld[of.key].append((source, day))

    def add(self, readings: Iterable[Sourced]) -> None:
        """Scores that were read one by one."""
        for source, found in readings:
            at = found.moment
            rows = self._rows(found.scale, safety=found.safety)
            timed = at.instant is not None
            row = (at.day, at.micros, timed, found.value, source, at.at, found.summed)
            rows.append(row)
            if found.summed:
                self._summed.add(found.scale.key)

    def add_columns(self, columns: Iterable[Column]) -> None:
        """Scores of the common shape."""
        for column in columns:
            if isinstance(column.of, Scale):
                self._rows(column.of, safety=False).extend(
                    (day, micros, at != "", value, source, at, False)
                    for _, _, source, _, _, day, micros, _, value, at in column.rows
                )

    def days(self, scale: Scale) -> set[date]:
        """Days with a total on that scale, be it refused."""
        told = {row[0] for row in self._totals(scale.key)}
        return told | {day for _, day in self._withheld[scale.key] if day is not None}

    def names(self, scale: Scale) -> set[str]:
        """Type and id of what states a total on that scale, be it refused."""
        sources = [row[4] for row in self._totals(scale.key) if not row[6]]
        sources += [source for source, _ in self._withheld[scale.key]]
        return {source.partition("/_history/")[0] for source in sources}

    def settle(
        self,
    ) -> tuple[tuple[Series, ...], tuple[SafetyAnswer, ...], list[Refusal]]:
        """Series, answers to safety items, and what was told twice or otherwise."""
        for key in sorted(self._summed):
            self._give_way(key)
        for by_range in self._told.values():
            self._keep_first(by_range)
        kept = [
            one for by_range in self._told.values() for one in by_range.values()
            if one.rows
        ]  # fmt: skip
        fitting = self._of_one_range(kept)
        series = [
            Series(one.scale, _entries(one.rows)) for one in fitting if not one.safety
        ]
        answers = sorted(
            (row, one.scale.key, one.scale)
            for one in fitting if one.safety
            for row in one.rows
        )  # fmt: skip
        return (
            tuple(sorted(series, key=lambda one: one.scale.key)),
            tuple(
                SafetyAnswer(scale, row[0], row[3], row[4]) for row, _, scale in answers
            ),
            self._refused,
        )

    def _totals(self, key: str) -> list[_Score]:
        return [row for one in self._told[key, False].values() for row in one.rows]

    def _give_way(self, key: str) -> None:
        """What was added up stands only where no total is stated of that day.

        Nor of that instant: another clock may call it another day. A stated total that
        was refused leaves none.
        """
        stated = [row for row in self._totals(key) if not row[6]]
        days = {row[0] for row in stated}
        instants = {row[1] for row in stated if row[2]}
        withheld = {day for _, day in self._withheld[key]}
        for one in self._told[key, False].values():
            rows, one.rows[:] = [*one.rows], [row for row in one.rows if not row[6]]
            for row in filter(_is_summed, rows):
                if row[0] in days or (row[2] and row[1] in instants):
                    self._refused.append(Refusal(row[4], Reason.DUPLICATE))
                elif row[0] in withheld:
                    self._refused.append(Refusal(row[4], Reason.NO_VALUE))
                else:
                    one.rows.append(row)

    def _rows(self, scale: Scale, *, safety: bool) -> list[_Score]:
        by_range = self._told[scale.key, safety]
        ends = scale.low, scale.high
        if ends not in by_range:
            by_range[ends] = _Told(scale, safety, [])
        return by_range[ends].rows

    def _keep_first(self, by_range: Mapping[_Range, _Told]) -> None:
        """Of scores with equal time and value the first by reference is used."""
        counts = Counter(_WHAT(row) for one in by_range.values() for row in one.rows)
        if len(counts) == sum(len(one.rows) for one in by_range.values()):
            return
        rivals = sorted(
            (row[4], ends, row)
            for ends, one in by_range.items()
            for row in one.rows
        )  # fmt: skip
        seen: set[tuple[int, bool, float]] = set()
        for one in by_range.values():
            one.rows.clear()
        for source, ends, row in rivals:
            if _WHAT(row) in seen:
                self._refused.append(Refusal(source, Reason.DUPLICATE))
            else:
                seen.add(_WHAT(row))
                by_range[ends].rows.append(row)

    def _of_one_range(self, kept: list[_Told]) -> list[_Told]:
        """Of a diary item's ranges the commonest counts, then the widest."""
        counts: dict[str, Counter[_Range]] = defaultdict(Counter)
        for one in kept:
            counts[one.scale.key][one.scale.low, one.scale.high] += len(one.rows)
        fitting: list[_Told] = []
        for one in kept:
            ends = counts[one.scale.key]
            chosen = max(ends, key=lambda e: (ends[e], e[1] - e[0], e))
            if (one.scale.low, one.scale.high) == chosen:
                fitting.append(one)
            else:
                self._refused += [Refusal(row[4], Reason.NO_SCALE) for row in one.rows]
        return fitting


def _entries(rows: list[_Score]) -> tuple[Entry, ...]:
    return tuple(
        Entry(day, value, source, at, summed)
        for day, _, _, value, source, at, summed in sorted(rows)
    )  # fmt: skip
