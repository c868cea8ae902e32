"""For whom an instrument is made: series of another age are left out, and counted.

Safety answers are never left out: somebody gave them, whatever their age.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from backend.twin.person import Person
from backend.twin.record import PatientRecord, Reason, Refusal
from backend.twin.scales import Scale


def for_age(record: PatientRecord, person: Person | None, day: date) -> PatientRecord:
    """The record without series of scales that exclude the patient's age on `day`.

    Their entries are refused as NOT_FOR_AGE. Where the age is not known, or known too
    roughly to tell, the series stays: see `unsure_scales`.
    """
    out = [one for one in record.series if _excludes(one.scale, person, day)]
    if not out:
        return record
    refused = tuple(
        Refusal(entry.source, Reason.NOT_FOR_AGE)
        for series in out
        for entry in series.entries
    )
    kept = tuple(one for one in record.series if not _excludes(one.scale, person, day))
    return replace(record, series=kept, refused=(*record.refused, *refused))


def excluded_scales(
    record: PatientRecord, person: Person | None, day: date
) -> tuple[Scale, ...]:
    """The scales whose series `for_age` leaves out."""
    return tuple(
        one.scale for one in record.series if _excludes(one.scale, person, day)
    )


def unsure_scales(
    record: PatientRecord, person: Person | None, day: date
) -> tuple[Scale, ...]:
    """The scales made for some ages that are used although the age may not fit."""
    return tuple(
        one.scale
        for one in record.series
        if not _includes(one.scale, person, day)
        and not _excludes(one.scale, person, day)
    )


def ages_said(scale: Scale) -> str:
    """For whom the scale is made, in words: "aged 12 to 17"."""
    if scale.youngest is None:
        return f"aged {scale.oldest} or younger"
    if scale.oldest is None:
        return f"aged {scale.youngest} or older"
    return f"aged {scale.youngest} to {scale.oldest}"


def _excludes(scale: Scale, person: Person | None, day: date) -> bool:
    """True if no age that the patient can have fits."""
    ages = person.ages(day) if person else None
    if ages is None:
        return False
    low, high = _limits(scale)
    return ages[1] < low or ages[0] > high


def _includes(scale: Scale, person: Person | None, day: date) -> bool:
    """True if every age that the patient can have fits."""
    low, high = _limits(scale)
    if (low, high) == _EVERYBODY:
        return True
    ages = person.ages(day) if person else None
    return ages is not None and low <= ages[0] and ages[1] <= high


_EVERYBODY = (float("-inf"), float("inf"))


def _limits(scale: Scale) -> tuple[float, float]:
    low = _EVERYBODY[0] if scale.youngest is None else float(scale.youngest)
    high = _EVERYBODY[1] if scale.oldest is None else float(scale.oldest)
    return low, high
