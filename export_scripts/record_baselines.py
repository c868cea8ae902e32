"""Record what slow classical forecasters say of the coming fortnight's mean.

    pip install -r ../shared/bench/forecast/requirements-baselines.txt  # elsewhere
    python -m export_scripts.record_baselines

Needs statsforecast and LightGBM, which this project does not install: give them an
environment of their own. A quarter of an hour on one core. Writes figures only, to
recorded_baselines.toml; `make evaluate` shows them beside ours. `--answers FOLDER` has
quantiles made before (NAME.npz, array `quantiles`, the benchmark's order of windows).
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from export_scripts import bootstrap
from export_scripts.real_windows import BENCH, Bench, bench, on_scale, predicted
from export_scripts.shift import fortnights, judged, said
from export_scripts.shift_section import RECORDED

ON_ALL = ("ets", "theta", "lightgbm")  # the last is cross-fitted by patient
ON_SUBSET = ("ces", "arima")
LIBRARIES = ("statsforecast", "lightgbm", "numpy")


def figures(
    found: Bench, windows: Sequence[Any], quantiles: np.ndarray
) -> dict[str, float]:
    """The error of the fortnight's mean, and the areas for its shifts."""
    fine = quantiles.shape[-1] == len(found.predictors.FINE_LEVELS)
    levels = found.predictors.FINE_LEVELS if fine else found.predictors.LEVELS
    came = fortnights(windows, found.score.per_window(windows, quantiles))
    one = judged(said(quantiles, levels, came), came)
    return {
        "mae14": bootstrap.pooled(one.errors, "mae14").point,
        "auc_up": float(one.areas["up"][0]),
        "auc_down": float(one.areas["down"][0]),
        "auc_up_alike": one.pooled["up"],
    }


def written(
    windows: int, made_with: str, rows: Mapping[str, Mapping[str, Mapping[str, float]]]
) -> str:
    """The file's text: `rows` per choice of windows and forecaster."""
    lines = [
        "# Written by `python -m export_scripts.record_baselines`.",
        f"windows = {windows}",
        f'made_with = "{made_with}"',
    ]
    for choice, forecasters in rows.items():
        for name, row in forecasters.items():
            lines += ["", f"[{choice}.{name}]"]
            lines += [f"{key} = {value:.4f}" for key, value in row.items()]
    return "\n".join(lines) + "\n"


def slow(folder: Path, name: str) -> Callable[[Sequence[Any]], np.ndarray]:
    """One of the benchmark's slow forecasters: windows -> quantiles in score units."""
    sys.path.insert(0, str(folder))  # they import their neighbours
    if name == "lightgbm":
        trees = importlib.import_module("global_lightgbm")
        return lambda windows: on_scale(trees.cross_predict(windows), windows)
    predictor = getattr(importlib.import_module("statistical"), name)
    return lambda windows: predicted(predictor, windows, name)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run them all and write the file."""
    parser = argparse.ArgumentParser(description="record slow baselines")
    parser.add_argument("--bench", type=Path, default=BENCH)
    parser.add_argument("--answers", type=Path, help="folder of answers already made")
    parser.add_argument("--output", type=Path, default=RECORDED)
    options = parser.parse_args(arguments)
    found = bench(options.bench)
    every = found.windows.load(found.data)
    few = [every[i] for i in found.windows.subset(every)]

    def row(name: str, windows: Sequence[Any]) -> dict[str, float]:
        print(name, flush=True)
        if options.answers:
            made = np.load(options.answers / f"{name}.npz")["quantiles"]
            return figures(found, windows, on_scale(made, windows))
        return figures(found, windows, slow(options.bench, name)(windows))

    rows = {
        "all": {name: row(name, every) for name in ON_ALL},
        "subset": {name: row(name, few) for name in ON_SUBSET},
    }
    made_with = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    options.output.write_text(written(len(every), made_with, rows), encoding="utf-8")


if __name__ == "__main__":
    main()
