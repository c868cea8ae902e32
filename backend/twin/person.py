"""Who the patient is, as far as a model or the gate must know; no name, no address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Sex = Literal["female", "male", "other", "unknown"]


@dataclass(frozen=True, slots=True)
class Person:
    """Age, sex and what decides whether anything may be computed at all.

    `born_first` and `born_last` are the earliest and latest day of birth that the EHR's
    date can mean: a date of birth may be a year only. Both are None where it is unsaid.
    `replaced_by` is the EHR's id of the record that took this one's place, `replaces`
    are the ids of those it took the place of. `restricted`: the EHR labels the patient
    as restricted. `opted_out`: a consent of theirs, in force, denies the use; where
    `consent_known` is False the EHR could not be asked, or its answer not be read.
    """

    born_first: date | None = None
    born_last: date | None = None
    sex: Sex = "unknown"
    deceased: bool = False
    died: date | None = None
    active: bool = True
    replaced_by: str = ""
    replaces: tuple[str, ...] = ()
    restricted: bool = False
    opted_out: bool = False
    consent_known: bool = True

    def ages(self, day: date) -> tuple[int, int] | None:
        """Youngest and oldest age on `day`, whole years; None if birth is unsaid."""
        if self.born_first is None or self.born_last is None:
            return None
        return _years(self.born_last, day), _years(self.born_first, day)


def _years(born: date, day: date) -> int:
    """Whole years; somebody born on 29 February has the birthday on 1 March."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
