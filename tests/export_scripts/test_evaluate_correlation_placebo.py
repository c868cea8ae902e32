"""Placebo windows: rates over people, and the section's verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from export_scripts.evaluate_correlation_bench import bench
from export_scripts.evaluate_correlation_placebo import Window, asked, rate, section
from tests.export_scripts.told import told_all, told_nothing

NAMES = [f"p{i}" for i in range(10)]


def windows(wrong: int, of: int = 16) -> list[Window]:
    """Everybody's wearable with everybody else's symptoms."""
    return [(a, b, wrong, of) for a in NAMES for b in NAMES if a != b]


def test_a_rate_that_is_the_same_everywhere_has_no_spread() -> None:
    assert rate(windows(1)) == pytest.approx((1 / 16,) * 3)


def test_people_make_the_interval_wide() -> None:
    # One wearer alone has all of it: 1 in 10 of the windows.
    mixed = [(a, b, 4 * (a == "p0"), 16) for a, b, *_ in windows(0)]
    point, low, high = rate(mixed)
    assert point == pytest.approx(0.025)
    assert low == 0.0
    assert high > 0.05


@pytest.mark.parametrize(
    ("wrong", "holds", "verdict"),
    [(0, "yes", False), (3, "no", True)],
)
def test_the_section_says_what_does_not_hold(
    wrong: int, holds: str, verdict: bool
) -> None:
    text = "\n".join(section({("lifesnaps", 60): windows(wrong), ("pmdata", 30): []}))
    assert f"| lifesnaps | 60 | 90 | 1440 | 10 | {100 * wrong / 16:.1f} [" in text
    assert f"| {holds} |" in text
    assert ("Above the nominal rate: lifesnaps 60 d." in text) is verdict
    assert "| pmdata | 30 | 0 | . |" in text


def test_every_window_is_asked(shared: Path) -> None:
    found = bench(shared / "bench" / "correlation")
    told = asked(found, told_nothing, "pmdata", 90)
    assert len(told) > 50
    assert all(wearer != reporter for wearer, reporter, *_ in told)
    assert {(wrong, pairs) for *_, wrong, pairs in told} == {(0, 16)}
    assert rate(asked(found, told_all, "pmdata", 90))[0] == 1.0
