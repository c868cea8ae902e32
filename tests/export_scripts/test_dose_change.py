"""Windows after a change of dose."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from export_scripts.dose_change import (
    after_change,
    changes,
    dose_section,
    dose_windows,
)
from export_scripts.real_windows import Bench
from tests.export_scripts.made_diaries import CHANGED, DOSED


def test_the_first_day_of_a_new_dose_is_found(made_bench: Bench) -> None:
    assert changes(made_bench).tolist() == [CHANGED.item()]


def test_windows_follow_the_benchmarks_rules_every_week(made_bench: Bench) -> None:
    windows = dose_windows(made_bench)
    theirs = [w for w in made_bench.windows.load(made_bench.data) if w.dataset == DOSED]
    assert len(windows) > len(theirs)
    first = [w.series.dates[-1] for w in windows]
    assert set(np.diff(first).astype(int)) == {7}


@pytest.mark.parametrize("rule", ["MIN_OBSERVED", "MIN_TARGETS", "MIN_SD_SHARE"])
def test_each_rule_leaves_windows_out(made_bench: Bench, rule: str) -> None:
    strict = SimpleNamespace(**{**vars(made_bench.windows), rule: 99})
    assert dose_windows(made_bench._replace(windows=strict)) == []


def test_near_is_the_first_day_to_the_28th(made_bench: Bench) -> None:
    windows = dose_windows(made_bench)[:4]
    begins = [w.series.dates[-1] + 1 for w in windows]
    days = np.array([begins[0], begins[1] - 28], dtype="datetime64[D]")
    assert after_change(windows, days[:1]).tolist() == [True] * 4
    assert after_change(windows, days[1:]).tolist() == [True, False, False, False]
    assert after_change(windows, days[:1] + 1).tolist() == [False, True, True, True]


def test_one_person_is_said_to_be_one(made_bench: Bench) -> None:
    text = "\n".join(dose_section(made_bench))
    assert "n = 1 person" in text
    assert "| within 28 days of a change | " in text
    assert "[" not in text
