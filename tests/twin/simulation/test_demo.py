"""The demo's patients: the same people every day, one of each kind that matters."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from backend.twin.simulation.demo import demo_records
from backend.twin.treatment_changes import treatment_changes

TODAY = date(2026, 11, 23)


def test_demo_patients_are_numbered_and_carry_no_sources() -> None:
    records = demo_records(TODAY)
    assert list(records) == [f"patient-{number}" for number in range(1, 6)]
    for record in records.values():
        assert record.series
        for series in record.series:
            for entry in series.entries:
                assert entry.source == ""
                assert series.scale.low <= entry.value <= series.scale.high
                assert TODAY - timedelta(days=119) <= entry.day <= TODAY


def test_demo_days_keep_their_values_as_time_goes_by() -> None:
    today, tomorrow = demo_records(TODAY), demo_records(TODAY + timedelta(days=1))
    for patient, record in today.items():
        for before, after in zip(record.series, tomorrow[patient].series, strict=True):
            known = {entry.day: entry.value for entry in before.entries}
            later = {entry.day: entry.value for entry in after.entries}
            added = later.keys() - known.keys()
            assert added <= {TODAY + timedelta(days=1)}
            assert all(known[day] == later[day] for day in later.keys() & known.keys())


@pytest.mark.parametrize(
    ("today", "begun"),
    [
        (date(2026, 9, 22), []),
        (date(2026, 9, 23), [date(2026, 9, 23)]),
        (date(2026, 11, 20), [date(2026, 9, 23)]),
        (date(2027, 3, 1), []),
    ],
)
def test_one_demo_patient_begins_a_medicine_now_and_then(
    today: date, begun: list[date]
) -> None:
    records = demo_records(today)
    told = {name: one.medications for name, one in records.items() if one.medications}
    assert [event.day for event in told.get("patient-2", ())] == begun
    assert set(told) <= {"patient-2"}
    days = [*treatment_changes(told.get("patient-2", ()), last_day=today, days=126)]
    assert days.count(1.0) == len(begun)


def test_demo_questionnaires_come_every_two_weeks_with_their_safety_item() -> None:
    record = demo_records(TODAY)["patient-1"]
    days = [entry.day for entry in record.series[-1].entries]
    assert record.series[-1].scale.key == "phq9"
    gaps = {(b - a).days for a, b in pairwise(days)}
    assert gaps == {14}
    assert [answer.day for answer in record.safety] == days
    assert {answer.value for answer in record.safety} == {0.0}


@pytest.mark.parametrize("later", range(0, 30, 3))
def test_one_demo_patient_answered_the_self_harm_item_lately(later: int) -> None:
    today = TODAY + timedelta(days=later)
    records = demo_records(today)
    alarming = {
        patient
        for patient, record in records.items()
        for answer in record.safety
        if answer.value > 0 and (today - answer.day).days < 14
    }
    assert alarming == {"patient-3"}


@pytest.mark.parametrize("later", range(0, 30, 3))
def test_one_demo_patient_has_four_entries_and_a_recent_one(later: int) -> None:
    today = TODAY + timedelta(days=later)
    (series,) = demo_records(today)["patient-4"].series
    assert len(series.entries) == 4
    assert (today - series.entries[-1].day).days < 28


@pytest.mark.parametrize("day", [date(2024, 1, 1), date(2060, 1, 1)])
def test_days_outside_the_simulated_decades_are_refused(day: date) -> None:
    with pytest.raises(ValueError, match="demo days run from"):
        demo_records(day)
