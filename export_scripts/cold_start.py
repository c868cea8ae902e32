"""Forecasts after the first entries of real diaries: windows of our own cutting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from backend.twin.trajectory import MEDIAN
from export_scripts import bootstrap
from export_scripts.bootstrap import Drawn
from export_scripts.markdown import share, table
from export_scripts.real_diaries import Diary, diaries, window
from export_scripts.real_windows import OURS, REFERENCE, Bench, asked, people, plain

YOUNG = "westhoff_young"  # 21 days a person: too short for the benchmark's windows
MOST_PATIENTS = 100  # per data set
ENTRIES = (1, 2, 3, 4, 5, 6, 7, 10, 13)  # forecasts are made right after these
LEAST_TARGETS = 3
SCORES = ("mae", "wql", "cov80", "cov95")


def cold_start_section(found: Bench, datasets: Sequence[str]) -> list[str]:
    """Figures after the first, second ... entry, in per cent of the scale's width."""
    names = sorted({*datasets, YOUNG})
    cut = [
        (entries, one)
        for name in names
        for diary in diaries(found, name, most=MOST_PATIENTS)
        for entries, one in first_windows(found, diary)
    ]
    entries, windows = np.array([k for k, _ in cut]), [one for _, one in cut]
    answers = {OURS: asked(windows, "first entries")[1]}
    answers |= plain(found, windows, [REFERENCE]) | {"last value": last_value(windows)}
    frames = {name: in_widths(found, windows, q) for name, q in answers.items()}
    rows = [_row(name, chosen, frames) for name, chosen in _stages(entries)]
    return [
        "## The first entries",
        "",
        f"{people(windows)} Forecasts right after the k-th entry of a diary, scored on "
        f"the next 14 days where at least {LEAST_TARGETS} have an entry; at most "
        f"{MOST_PATIENTS} patients of a data set, with {YOUNG}, which the benchmark "
        "leaves out. Errors are in per cent of the scale's width, for the standard "
        "deviation of a few entries means nothing. Every answer was checked to be "
        "finite, ascending and inside the scale. The four constants of the formula "
        "that answers 1 to 6 entries were fitted on the tier A people among these; "
        "scored on other people it stands in the section on questionnaires.",
        "",
        *table(_head(), rows),
    ]


def first_windows(found: Bench, diary: Diary) -> Iterator[tuple[int, Any]]:
    """The windows of a diary that end with its k-th entry, k in `ENTRIES`."""
    seen = np.flatnonzero(np.isfinite(diary.values))
    for entries in ENTRIES:
        if entries > len(seen) or seen[entries - 1] >= found.windows.MAX_HISTORY:
            return
        one = window(found, diary, int(seen[entries - 1]) + 1)
        if np.isfinite(one.target).sum() >= LEAST_TARGETS:
            yield entries, one


def last_value(windows: Sequence[Any]) -> np.ndarray:
    """The last entry as every quantile of every day: a point, no distribution."""
    shape = (len(windows), len(windows[0].target), 11)
    last = [w.series.values[np.isfinite(w.series.values)][-1] for w in windows]
    return np.broadcast_to(np.array(last)[:, None, None], shape)


def in_widths(found: Bench, windows: Sequence[Any], quantiles: np.ndarray) -> Any:
    """Scores per window in shares of the scale's width: a frame for the bootstrap."""
    truth = np.stack([w.target for w in windows])
    seen = np.isfinite(truth)
    y = np.where(seen, truth, 0.0)
    width = np.array([w.hi - w.lo for w in windows])
    five = quantiles[..., found.score.FIVE_OF_ELEVEN]
    inside = {
        f"cov{level}": (y >= quantiles[..., low] - 1e-9)
        & (y <= quantiles[..., high] + 1e-9)
        for level, low, high in ((80, 1, 9), (95, 0, 10))
    }
    days = {
        "mae": np.abs(y - quantiles[..., MEDIAN]) / width[:, None],
        "wql": found.score.quantile_loss(five, found.predictors.LEVELS, y)
        / width[:, None],
        **inside,
    }
    keys = ("dataset", "patient", "symptom")
    return pd.DataFrame(
        {key: [getattr(w, key) for w in windows] for key in keys}
        | {
            name: np.where(seen, day, 0).sum(1) / seen.sum(1)
            for name, day in days.items()
        }
    )


def _stages(entries: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    for count in range(1, 7):
        yield str(count), entries == count
    yield "7 to 13", entries >= 7


def _head() -> list[str]:
    names = [OURS, REFERENCE, "last value"]
    return [
        *["entries", "windows", "patients"],
        *(f"mae {name}" for name in names),
        *(f"wql {name}" for name in names[:2]),
        "wql lower by, %",
        *(f"{cover} {name}" for cover in ("cov80", "cov95") for name in names[:2]),
    ]


def _row(name: str, chosen: np.ndarray, frames: Mapping[str, Any]) -> list[str]:
    made = {
        who: bootstrap.drawn(frame[chosen], SCORES) for who, frame in frames.items()
    }
    ours, theirs = made[OURS], made[REFERENCE]

    def of(found: Drawn, metric: str) -> str:
        return share(bootstrap.pooled(found, metric).point)

    return [
        *[name, str(int(chosen.sum())), str(sum(ours.patients))],
        *(of(each, "mae") for each in made.values()),
        *(of(each, "wql") for each in (ours, theirs)),
        str(bootstrap.lower(ours, theirs, "wql")),
        *(of(each, cover) for cover in SCORES[2:] for each in (ours, theirs)),
    ]
