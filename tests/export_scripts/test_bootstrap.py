"""Intervals over patients: the benchmark's average, paired draws, no randomness."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from export_scripts import bootstrap
from export_scripts.bootstrap import Interval
from export_scripts.real_windows import OURS, REFERENCE, Answered


def frame(values: dict[tuple[str, str, str], list[float]]) -> pd.DataFrame:
    rows = [(*keys, value) for keys, many in values.items() for value in many]
    return pd.DataFrame(rows, columns=[*bootstrap.KEYS, "mae"])


def test_symptoms_patients_and_data_sets_weigh_alike() -> None:
    scores = frame(
        {
            ("a", "p", "x"): [1.0, 3.0],  # 2
            ("a", "p", "y"): [4.0],  # so p is 3
            ("a", "q", "x"): [5.0] * 9,  # so a is 4
            ("b", "r", "x"): [10.0],
        }
    )
    made = bootstrap.drawn(scores, ("mae",))
    assert made.datasets == ("a", "b")
    assert made.patients == (2, 1)
    assert bootstrap.pooled(made, "mae").point == pytest.approx(7.0)
    single = bootstrap.each(made, "mae")
    assert single["a"] == Interval(4.0, 3.0, 5.0)
    assert single["b"] == Interval(10.0, 10.0, 10.0)


def test_the_point_is_the_benchmarks_and_the_interval_nearly(
    made_answers: Answered,
) -> None:
    ours, theirs = (made_answers.scores[name] for name in (OURS, REFERENCE))
    point, low, high = made_answers.found.score.difference(ours, theirs, "wql")
    made = bootstrap.lower(bootstrap.drawn(ours), bootstrap.drawn(theirs), "wql")
    assert made.point == pytest.approx(point)
    spread = high - low
    assert made.low == pytest.approx(low, abs=0.2 * spread)
    assert made.high == pytest.approx(high, abs=0.2 * spread)


def test_a_difference_is_taken_within_each_draw() -> None:
    """Patients differ much, the two forecasters by the same tenth everywhere."""
    rng = np.random.default_rng(1)
    worse = {
        ("a", f"{n}", "x"): [float(v)] for n, v in enumerate(rng.gamma(1, size=30))
    }
    better = {keys: [0.9 * value for value in many] for keys, many in worse.items()}
    ours, theirs = (bootstrap.drawn(frame(one), ("mae",)) for one in (better, worse))
    assert bootstrap.lower(ours, theirs, "mae") == pytest.approx((10, 10, 10))
    assert bootstrap.each_lower(ours, theirs, "mae")["a"] == pytest.approx((10, 10, 10))
    alone = bootstrap.pooled(ours, "mae")
    assert alone.high - alone.low > 0.2


def test_draws_repeat_and_differ_between_data_sets() -> None:
    first, again = (bootstrap.counts("a", 20) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first.sum(1) == 20).all()
    assert (first != bootstrap.counts("b", 20)).any()
    assert str(Interval(1.234, -0.5, 2)) == "+1.23 [-0.50, +2.00]"
