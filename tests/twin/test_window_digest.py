"""Equal windows, equal digests; what lies outside does not count."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from backend.twin.features import CONTEXT, forecast_window
from backend.twin.history import MedicationChange, MedicationEvent
from backend.twin.record import Entry, Series
from backend.twin.scales import local_scale
from backend.twin.window_digest import window_digest
from tests.twin.made import LAST, begun, series

SCALE = local_scale("worry", system="urn:diary", low=0.0, high=10.0)
DIARY = series([4, 5, 6], of=SCALE)


def digest(one: Series) -> str:
    return window_digest(forecast_window(one, LAST))


def with_last(**changed: object) -> Series:
    *before, last = DIARY.entries
    return replace(DIARY, entries=(*before, replace(last, **changed)))  # type: ignore[arg-type]


def aged(days: int) -> Series:
    """The diary with one more entry, so many days before its last one."""
    early = Entry(LAST - timedelta(days=days), 7.0, "Observation/early")
    return replace(DIARY, entries=(early, *DIARY.entries))


@pytest.mark.parametrize(
    "changed",
    [
        {"day": LAST - timedelta(days=1)},
        {"at": "2026-03-01T08:00:00Z"},
        {"value": 6.5},
        {"source": "Observation/2/_history/2"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_each_part_of_an_entry_counts(changed: dict[str, object]) -> None:
    assert digest(with_last(**changed)) != digest(DIARY)


@pytest.mark.parametrize(
    "changed", [{"system": "urn:other"}, {"code": "sorrow"}, {"low": -1.0}, {"high": 9}]
)
def test_the_scale_counts(changed: dict[str, object]) -> None:
    other = replace(SCALE, **changed)  # type: ignore[arg-type]
    assert digest(replace(DIARY, scale=other)) != digest(DIARY)


def test_the_order_of_entries_does_not_count() -> None:
    turned = replace(DIARY, entries=DIARY.entries[::-1])
    assert digest(turned) == digest(DIARY)


def test_only_the_days_of_the_window_count() -> None:
    assert digest(aged(CONTEXT)) == digest(DIARY)
    assert digest(aged(CONTEXT - 1)) != digest(DIARY)


def test_an_entry_after_the_day_asked_for_does_not_count() -> None:
    later = Entry(LAST + timedelta(days=1), 7.0, "Observation/later")
    more = replace(DIARY, entries=(*DIARY.entries, later))
    assert digest(more) == digest(DIARY)


def test_a_change_of_treatment_counts_by_its_day_and_its_sign() -> None:
    start = begun(LAST - timedelta(days=3))
    stop = replace(start, change=MedicationChange.STOP, day=LAST)
    known = [[], [start], [replace(start, day=LAST)], [start, stop]]
    found = {
        window_digest(forecast_window(DIARY, LAST, medications=one)) for one in known
    }
    assert len(found) == len(known)


@pytest.mark.parametrize(
    "start",
    [
        begun(LAST - timedelta(days=CONTEXT)),
        begun(LAST + timedelta(days=1)),
        replace(begun(LAST), ingredients=("ibuprofen",)),
    ],
    ids=["before the window", "after it", "not psychiatric"],
)
def test_other_medicines_do_not_count(start: MedicationEvent) -> None:
    treated = forecast_window(DIARY, LAST, medications=[start])
    assert window_digest(treated) == digest(DIARY)
