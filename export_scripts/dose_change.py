"""The four weeks after a change of dose, in the one real diary that has its doses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from export_scripts.markdown import table
from export_scripts.real_diaries import diaries, window
from export_scripts.real_windows import Bench, answered
from export_scripts.subgroups import HEAD, group_row

DATASET = "kossakowski_mdd"
DAYS = 28  # after a change
STEP = 7  # days between origins


def dose_section(found: Bench) -> list[str]:
    """Forecasts that begin within `DAYS` of a change of dose, and all others."""
    windows = dose_windows(found)
    asked = answered(found, windows)
    near = after_change(windows, changes(found))
    rows = [
        group_row(asked, f"within {DAYS} days of a change", near),
        group_row(asked, "other days", ~near),
    ]
    return [
        "## After a change of dose",
        "",
        f"n = 1 person, whose dose of venlafaxine was lowered blindly ({DATASET}; "
        f"{len(windows)} windows, one a week and symptom): an example, no evidence, so "
        "no interval says anything about other people.",
        "",
        *table(
            [*HEAD, "wql lower by, %"], [[*row[:8], row[8].split()[0]] for row in rows]
        ),
    ]


def dose_windows(found: Bench) -> list[Any]:
    """Windows under the benchmark's rules, but at every `STEP`-th day."""
    rules = found.windows
    cut = [
        window(found, diary, at, start=max(0, at - rules.MAX_HISTORY))
        for diary in diaries(found, DATASET)
        for at in range(rules.MIN_HISTORY, len(diary.values) - rules.HORIZON + 1, STEP)
    ]
    return [one for one in cut if _kept(rules, one)]


def changes(found: Bench) -> np.ndarray:
    """The first day of every new dose."""
    doses = pd.read_csv(found.data / f"{DATASET}.medication.csv")
    changed = doses["concentrat"].diff().fillna(0) != 0
    days: np.ndarray = doses.loc[changed, "date"].to_numpy(dtype="datetime64[D]")
    return days


def after_change(windows: list[Any], days: np.ndarray) -> np.ndarray:
    """Whether each forecast's first day lies 0 to `DAYS` - 1 days after a change."""
    first = np.array([w.series.dates[-1] + 1 for w in windows], dtype="datetime64[D]")
    late = (first[:, None] - days[None]).astype(int)
    near: np.ndarray = ((late >= 0) & (late < DAYS)).any(1)
    return near


def _kept(rules: Any, one: Any) -> bool:
    seen = one.series.values[np.isfinite(one.series.values)]
    return bool(
        len(seen) >= rules.MIN_OBSERVED
        and np.isfinite(one.target).sum() >= rules.MIN_TARGETS
        and seen.std() >= rules.MIN_SD_SHARE * (one.hi - one.lo)
    )
