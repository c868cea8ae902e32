"""Links planted into real wearables are found about as often as in simulated ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.jobs.scoring import correlate
from export_scripts.evaluate_correlation_bench import Bench, bench
from export_scripts.evaluate_correlation_planted import (
    ALLOWED,
    DAYS,
    KINDS,
    Row,
    asked,
    below,
    found_of,
    section,
)
from tests.export_scripts.told import told_hourly

CELL = (30, 4)


@pytest.fixture(scope="module")
def found(shared: Path) -> Bench:
    if not (shared / "data" / "biometrics").is_dir():
        pytest.skip("the wearables in ../shared/data/biometrics are absent")
    return bench(shared / "bench" / "correlation")


def rows(hits: int, of: int = 10, *, kind: str = "steps_hourly") -> list[Row]:
    """Six people with so many of their links found, and one pair without a link."""
    linked = [
        (f"p{p}", kind, 0.4, int(pair < hits)) for p in range(6) for pair in range(of)
    ]
    return [*linked, ("p0", kind, 0.0, 1)]


def test_shares_by_hand() -> None:
    share = found_of(rows(4), "hourly")
    assert (share.point, share.pairs, share.people) == (0.4, 60, 6)
    assert share.draws == pytest.approx(0.4)
    assert found_of(rows(4), "hourly", linked=False).point == 1.0
    nothing = found_of(rows(4), "daily")
    assert nothing.pairs == 0
    assert np.isnan(nothing.point)


@pytest.mark.parametrize(("real", "holds"), [(8, "yes"), (7, "yes"), (6, "no")])
def test_the_section_says_whether_the_goal_holds(real: int, holds: str) -> None:
    made = {"real": rows(real), "simulated": rows(8)}
    days = {name + DAYS: rows(3, kind="sleep_minutes") for name in made}
    told = {CELL: {**made, **days}}
    lines = section(told, {CELL: 0.68})
    (line,) = [one for one in lines if one.startswith("| 30x4 | hourly")]
    gap = 80 - 10 * real
    assert f"{gap:+.1f} [{gap:+.1f}, {gap:+.1f}] | {holds} |" in line
    assert line.endswith("| 68.0 |")
    assert "| 30x4 | daily | 0 | 0 | . |" in "\n".join(lines)
    assert "| 30x4 | daily whole days | 6 | 60 | 30.0 | 30.0 |" in "\n".join(lines)


def test_a_predictor_sees_the_same_links_in_both(found: Bench) -> None:
    told = asked(found, told_hourly, CELL, draws=1)
    links = [[row[:3] for row in told[kind]] for kind in ("real", "simulated")]
    assert links[0] == links[1]
    for own in told.values():
        assert [found_of(own, kind).point for kind in KINDS] == [1.0, 0.0]
    assert found_of(told["real"], "hourly").people > 20


@pytest.mark.slow
def test_what_is_served_finds_them_in_real_signals(found: Bench) -> None:
    told = asked(found, correlate, CELL, draws=1)
    for kind in KINDS:
        real, made = (found_of(told[name], kind) for name in ("real", "simulated"))
        gap, _, _ = below(real, made)
        assert gap <= ALLOWED, kind
        assert real.point > 0.2, kind
        assert found_of(told["real"], kind, linked=False).point < 0.06, kind
