from __future__ import annotations

import pytest

from backend.jobs.chart import COLUMNS, chart
from backend.twin.scales import scale
from tests.twin.made import forecast

MOOD = scale("mood-0-10")


def test_a_line_a_day_under_the_scales_ends() -> None:
    head, *days = chart(forecast(MOOD, 5.0))
    assert head.split()[:2] == ["0", "10"]
    assert len(days) == 14


@pytest.mark.parametrize("middle", [0.0, 2.5, 5.0, 10.0])
def test_the_mark_lies_in_the_band_at_its_place(middle: float) -> None:
    _, first, *_ = chart(forecast(MOOD, middle))
    bar = first[13 : 13 + COLUMNS]
    assert set(bar) <= {"·", "▒", "█"}
    assert bar.index("█") == min(COLUMNS - 1, int(middle / 10 * COLUMNS))
    assert "··▒" not in bar[bar.index("█") :]


def test_numbers_stand_beside_the_bar() -> None:
    _, first, *_ = chart(forecast(MOOD, 5.0))
    assert "5.0" in first
    assert " to " in first
