"""One clock for a watch and a diary that state their times differently."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from backend.twin.correlation.local_clock import local_clock
from backend.twin.streams import NO_OFFSET

H = 3600
DAY = 24 * H
NOON = 20_000 * DAY + 12 * H
Stated = tuple[np.ndarray, np.ndarray]


def stated(*rows: tuple[int, int]) -> Stated:
    columns = np.array(rows, np.int64).reshape(-1, 2)
    return columns[:, 0], columns[:, 1]


def hours(clock_of: list[Stated], row: tuple[int, int], zone: str = "") -> float:
    """How far the local clock of one row is ahead of its instant."""
    made = local_clock(clock_of, ZoneInfo(zone) if zone else None)
    local = made.local(*stated(row))
    return float(local[0] - row[0]) / H


WATCH = stated((NOON, 120), (NOON + 50 * DAY, 60))


@pytest.mark.parametrize(
    ("row", "ahead"),
    [
        ((NOON, 120), 2),
        ((NOON, -300), -5),
        ((NOON - 9 * DAY, 0), 2),  # "Z": the watch's clock
        ((NOON + 24 * DAY, 0), 2),
        ((NOON + 26 * DAY, 0), 1),
        ((NOON + 90 * DAY, 0), 1),
        ((NOON, NO_OFFSET), 0),  # local already
    ],
)
def test_utc_alone_takes_the_nearest_stated_offset(
    row: tuple[int, int], ahead: float
) -> None:
    assert hours([WATCH, stated(row)], row) == ahead


def test_one_stated_offset_is_everybodys() -> None:
    assert hours([stated((NOON, 330))], (NOON + DAY, 0)) == 5.5


def test_with_nothing_stated_the_clock_is_utc() -> None:
    nothing = [stated(), stated((NOON, 0), (NOON, NO_OFFSET))]
    assert hours(nothing, (NOON, 0)) == 0
    assert local_clock(nothing, None).says().startswith("UTC")
    assert local_clock([], None).says().startswith("UTC")
    assert local_clock([WATCH], None).says() == (
        "the local offsets that the sources state"
    )


def test_a_known_zone_wins_and_knows_summer_time() -> None:
    spring = int(np.datetime64("2026-03-29T01:00:00", "s").astype(np.int64))
    zone = "Europe/Berlin"
    assert hours([WATCH], (spring - 1, 0), zone) == 1
    assert hours([WATCH], (spring, -300), zone) == 2
    assert hours([WATCH], (spring, NO_OFFSET), zone) == 0
    made = local_clock([WATCH], ZoneInfo(zone))
    assert made.says() == "the clock of Europe/Berlin"
    assert len(made.local(*stated())) == 0
