"""Made-up diaries in the benchmark's form, to be read by its own modules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from export_scripts.real_windows import Bench, bench

STUDY, DOSED, YOUNG = "calm_study", "kossakowski_mdd", "westhoff_young"
CHANGED = np.datetime64("2020-02-15")  # the dose, once
SCALES = {  # (data set, symptom): scale's ends, clinical
    (STUDY, "low"): (0, 10, 0),
    (STUDY, "worry"): (0, 10, 0),
    (STUDY, "panic"): (0, 1, 0),
    (DOSED, "low"): (-3, 3, 1),
    (YOUNG, "low"): (0, 100, 0),
}
SIZES = {STUDY: (12, 60), DOSED: (1, 90), YOUNG: (2, 21)}  # patients, days


def bench_of(shared: Path, folder: Path) -> Bench:
    """The benchmark over made-up diaries written to `folder`."""
    write(folder)
    return bench(shared / "bench" / "forecast")._replace(data=folder)


def write(folder: Path) -> None:
    """All files that the sections read."""
    rng = np.random.default_rng(3)
    lines = ["dataset,symptom_type,lo,hi,clinical"]
    lines += [f"{d},{s},{a},{b},{c}" for (d, s), (a, b, c) in SCALES.items()]
    (folder / "_symptoms.csv").write_text("\n".join(lines))
    for name, (patients, days) in SIZES.items():
        rows = _rows(rng, name, patients=patients, days=days)
        head = "patient_id,date,symptom_type,severity"
        (folder / f"{name}.csv").write_text("\n".join([head, *rows]))
    dates = np.datetime64("2020-01-01") + np.arange(90)
    doses = [f"{day},1,{150 if day < CHANGED else 75}" for day in dates]
    text = "\n".join(["date,phase,concentrat", *doses])
    (folder / f"{DOSED}.medication.csv").write_text(text)


def _rows(
    rng: np.random.Generator, name: str, *, patients: int, days: int
) -> Iterator[str]:
    for patient in range(patients):
        for (dataset, symptom), (low, high, _) in SCALES.items():
            if dataset != name:
                continue
            level = rng.uniform(0.2, 0.6) + np.cumsum(rng.normal(0, 0.02, days))
            share = np.clip(level + rng.normal(0, 0.2, days), 0, 1)
            answered = rng.random(days) < 0.85
            answered[0] = True
            for day in np.flatnonzero(answered):
                value = round(low + (high - low) * share[day])
                date = np.datetime64("2020-01-01") + day
                yield f"{name}-{patient:02},{date}T20:00:00,{symptom},{value}"
