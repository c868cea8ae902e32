"""Which days a FHIR date can mean: "1987" is a year of them."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from backend.twin.record import Reason
from fhir_integration.times import Moment, moment


def day_span(text: object) -> tuple[date, date] | None:
    """First and last day of a year, a month, a day or a time; None if unreadable.

    A time counts by the day it states, as everywhere in this room.
    """
    read = moment(text)
    if isinstance(read, Moment):
        return read.day, read.day
    if read is not Reason.PARTIAL_DATE:
        return None
    return _partial(str(text))


def _partial(text: str) -> tuple[date, date] | None:
    year, month = int(text[:4]), text[5:]
    first, last = (int(month), int(month)) if month else (1, 12)
    try:
        return date(year, first, 1), date(year, last, monthrange(year, last)[1])
    except ValueError:  # the year 0, the month 13
        return None
