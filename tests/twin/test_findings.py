from __future__ import annotations

from datetime import timedelta

import pytest

from backend.twin.findings import urgent_findings
from backend.twin.record import Entry, PatientRecord, SafetyAnswer, Series
from backend.twin.scales import scale
from tests.twin.made import LAST, record, series

PHQ9 = scale("phq9")


@pytest.mark.parametrize(
    ("age", "value", "found"),
    [(0, 1, True), (14, 1, True), (15, 1, False), (-1, 1, False), (0, 0, False)],
)
def test_a_safety_answer_is_urgent_for_fourteen_days(
    age: int, value: float, found: bool
) -> None:
    held = record(safety={LAST - timedelta(days=age): value})
    assert bool(urgent_findings(held, LAST)) is found


def test_an_answer_without_a_safety_item_is_no_finding() -> None:
    odd = SafetyAnswer(scale("gad7"), LAST, 3, "Observation/1")
    assert urgent_findings(PatientRecord((), (odd,)), LAST) == ()


@pytest.mark.parametrize(
    ("scores", "days_ago"),
    [
        ([20], [0]),
        ([19, 20], [0]),
        ([20, 27], [7]),
        ([20, 10, 22], [14, 0]),
        ([22, 21, 20, 20], []),  # entered 21 days ago
        ([4, 19], []),
    ],
)
def test_entering_a_severe_band_is_found_once(
    scores: list[int], days_ago: list[int]
) -> None:
    held = record(series(scores, of=PHQ9, every=7))
    found = urgent_findings(held, LAST)
    assert [(LAST - one.day).days for one in found] == days_ago
    assert {one.kind for one in found} <= {"severe-band"}


def test_findings_are_in_order_of_day() -> None:
    early = Entry(LAST - timedelta(days=3), 16, "Observation/g")
    held = PatientRecord(
        (Series(scale("gad7"), (early,)),),
        (SafetyAnswer(PHQ9, LAST, 1, "Observation/p"),),
    )
    assert [one.kind for one in urgent_findings(held, LAST)] == [
        "severe-band",
        "self-harm",
    ]
