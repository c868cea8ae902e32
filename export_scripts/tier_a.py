"""Windows of real, openly licensed diaries, as models see simulated ones.

The folder lies outside this repository, in ../shared/data/symptoms. Its table of data
sets marks those that may be shared again with tier A; no other file is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from backend.twin.features import CONTEXT, MIN_ENTRIES, window_arrays
from backend.twin.trajectory import HORIZON
from export_scripts.datasets import Windows

DIARIES = Path(__file__).resolve().parents[2] / "shared" / "data" / "symptoms"
MIN_TARGETS = 5  # rated days of the fourteen below which a window says too little
PEOPLE_EACH = 100  # of a data set, so that no large one drowns the others


class People(NamedTuple):
    """Windows and whose they are: `person` (window,) numbers people from 0.

    `names` are the real ones' data sets and published pseudonyms, by number.
    """

    windows: Windows
    person: np.ndarray
    names: Sequence[str] = ()


def tier_a_people(folder: Path = DIARIES) -> People:
    """The last window of every series of up to `PEOPLE_EACH` people a data set.

    Scores become shares of the scale's width, so the windows look like simulated ones;
    target days without a rating are NaN. Weekly and sparser files have no such window.
    """
    sets = pd.read_csv(folder / "_datasets.csv")
    scales = pd.read_csv(folder / "_symptoms.csv").set_index(
        ["dataset", "symptom_type"]
    )
    values, targets, person = [], [], []
    for name in sets.loc[sets["tier"] == "A", "name"]:
        rows = pd.read_csv(folder / f"{name}.csv")
        for (patient, symptom), series in _first_people(rows):
            low, high = scales.loc[(name, symptom), ["lo", "hi"]]
            cut = _last_window((_daily(series) - low) / (high - low))
            if cut is not None:
                values.append(cut[0])
                targets.append(cut[1])
                person.append(f"{name}/{patient}")
    names, number = np.unique(person, return_inverse=True)
    windows = _windows(np.array(values), np.array(targets))
    return People(windows, number, tuple(names))


def _first_people(rows: pd.DataFrame) -> pd.api.typing.DataFrameGroupBy:
    chosen = sorted(rows["patient_id"].unique())[:PEOPLE_EACH]
    return rows[rows["patient_id"].isin(chosen)].groupby(["patient_id", "symptom_type"])


def _daily(series: pd.DataFrame) -> np.ndarray:
    """Daily means from the first day to the last, NaN = no rating, score units."""
    days = pd.to_datetime(series["date"].str[:10])
    by_day = series["severity"].groupby(days).mean()
    every = pd.date_range(by_day.index.min(), by_day.index.max())
    daily: np.ndarray = by_day.reindex(every).to_numpy(dtype=float)
    return daily


def _last_window(daily: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """CONTEXT days that end with a rating, and the fourteen after; None: too few."""
    rated = np.flatnonzero(~np.isnan(daily[:-HORIZON]))
    if len(rated) < MIN_ENTRIES:
        return None
    end = rated[-1] + 1
    padded = np.concatenate([np.full(CONTEXT, np.nan), daily[:end]])[-CONTEXT:]
    target = daily[end : end + HORIZON]
    enough = (~np.isnan(padded)).sum() >= MIN_ENTRIES
    return (padded, target) if enough and _rated(target) >= MIN_TARGETS else None


def _rated(days: np.ndarray) -> int:
    return int((~np.isnan(days)).sum())


def _windows(values: np.ndarray, targets: np.ndarray) -> Windows:
    """Shares of the scale's width [window, day] as the models see them."""
    ends = np.zeros(len(values)), np.ones(len(values))
    arrays = window_arrays(values, low=ends[0], high=ends[1])
    target = (targets - arrays.mean[:, None]) / arrays.sd[:, None]
    return Windows(arrays, target.astype(np.float32), 1 / arrays.sd)
