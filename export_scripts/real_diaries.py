"""Real diaries as a whole, to be cut at other places than the benchmark's windows."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from backend.twin.trajectory import HORIZON
from export_scripts.real_windows import Bench


class Diary(NamedTuple):
    """One symptom of one patient, averaged by day from the first entry on."""

    dataset: str
    patient: str
    symptom: str
    clinical: bool
    lo: float
    hi: float
    first: np.datetime64
    values: np.ndarray  # (day,), NaN where nothing was said
    others: Mapping[str, np.ndarray]  # the patient's other symptoms on the same days


def diaries(found: Bench, dataset: str, *, most: int | None = None) -> list[Diary]:
    """The diaries of a data set, of at most `most` patients, whom a hash picks."""
    rows = pd.read_csv(found.data / f"{dataset}.csv")
    rows["day"] = pd.to_datetime(rows["date"].str[:10])
    keys = ["patient_id", "symptom_type", "day"]
    rows = rows.groupby(keys, as_index=False)["severity"].mean()
    scales = pd.read_csv(found.data / "_symptoms.csv")
    scales = scales[scales["dataset"] == dataset].set_index("symptom_type")
    picked = sorted(set(rows["patient_id"]), key=lambda one: zlib.crc32(one.encode()))
    return [
        diary
        for patient in picked[:most]
        for diary in _of_patient(
            found, (dataset, patient), rows[rows["patient_id"] == patient], scales
        )
    ]


def window(found: Bench, diary: Diary, at: int, *, start: int = 0) -> Any:
    """A benchmark window whose forecast begins on day `at`; missing days are absent."""
    dates = diary.first + np.arange(start, at)
    others = {name: values[start:at] for name, values in diary.others.items()}
    series = found.windows.Series(
        dates=dates,
        values=diary.values[start:at],
        scale_min=diary.lo,
        scale_max=diary.hi,
        horizon=HORIZON,
        patient=diary.patient,
        symptom=diary.symptom,
        others={k: v for k, v in others.items() if not np.isnan(v).all()},
    )
    target = np.full(HORIZON, np.nan)
    after = diary.values[at : at + HORIZON]
    target[: len(after)] = after
    head = diary[:6]  # data set to the scale's upper end
    return found.windows.Window(*head, series=series, target=target)


def _of_patient(
    found: Bench, who: tuple[str, str], rows: Any, scales: Any
) -> Iterator[Diary]:
    """One patient's diaries; yes-or-no items are left out, as in the benchmark."""
    first_of_all, columns = found.windows.patient_days(rows)
    for symptom, group in rows.groupby("symptom_type"):
        if symptom in found.windows.SKIPPED_SYMPTOMS:
            continue
        first, values = found.windows.daily(group["day"], group["severity"])
        shift = int((first - first_of_all).astype(int))
        days = slice(shift, shift + len(values))
        scale = scales.loc[symptom]
        yield Diary(
            *who,
            symptom=symptom,
            clinical=bool(scale["clinical"]),
            lo=float(scale["lo"]),
            hi=float(scale["hi"]),
            first=first,
            values=values,
            others={k: v[days] for k, v in columns.items() if k != symptom},
        )
