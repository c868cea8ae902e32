"""What a link says of who comes first."""

from __future__ import annotations

import pytest

from backend.twin.correlation.link import LagUnit, Link
from tests.twin.correlation.made import START


def link(unit: LagUnit, lag: float | None, *ends: float) -> Link:
    interval = (ends[0], ends[1]) if ends else None
    return Link(
        biometric="pulse",
        symptom="worry",
        window=(START, START),
        n=20,
        coverage=1.0,
        lag_unit=unit,
        lag_hours=lag,
        lag_interval=interval,
    )


@pytest.mark.parametrize(
    ("made", "follows"),
    [
        (link("hours", 5.0, 2.0, 9.0), True),
        (link("hours", -5.0, -9.0, -1.0), False),
        (link("hours", 0.0, -3.0, 4.0), None),
        (link("hours", 0.0, 0.0, 0.0), None),
        (link("hours", 2.0, 0.0, 4.0), None),
        (link("hours", -2.0, -4.0, 0.0), None),
        (link("days", 0.0, -12.0, 12.0), None),
        (link("nights", 0.0, -12.0, 12.0), True),
        (link("nights", 24.0, -12.0, 36.0), True),
        (link("nights", -24.0, -36.0, -12.0), False),
        (link("nights", -24.0, -36.0, 12.0), None),
        (link("nights", 0.0, -36.0, 12.0), None),
        (link("hours", None), None),
        (link("hours", 3.0), None),
    ],
)
def test_who_comes_first(made: Link, follows: bool | None) -> None:
    assert made.follows is follows
    assert not made.examined
