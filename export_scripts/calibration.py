"""Fit the ensemble's calibration on real diaries; writes the twin's table.

    python -m export_scripts.calibration

Only data sets that may be fitted on are read (tier A of ../shared/data/symptoms), and
only the served models are asked. One set of constants leaves out each fold of patients,
so that a benchmark can score every patient by constants that have not seen them; the
set "all" serves. Nothing is random. Takes a few minutes on one core.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from backend.twin import features
from backend.twin.calibration import (
    EVERYONE,
    ORIGINS,
    ROUNDING,
    Constants,
    adapts,
    answer_step,
    backtest,
    calibrated,
    earlier_windows,
    own_factor,
)
from backend.twin.ensemble import blend
from backend.twin.features import ForecastWindow
from backend.twin.forecast import WEIGHTS
from backend.twin.trajectory import HORIZON, INTERVALS, LEVELS
from export_scripts.datasets import quantile_loss
from export_scripts.real_windows import BENCH, Bench, bench, served

FOLDS = 4
DAYS_APART = 2  # between origins: closer than the benchmark's, for more outcomes
MOST_ORIGINS = 60  # of one series
BATCH = 64
MOST_OF_IT = 10  # days reported of a fortnight whose mean stands for it
# Reports on an end count as inside, and on discrete answers many are: narrowing to the
# very share would cost more loss than it is worth. The least narrowing that comes this
# near is taken.
GOALS = {0.80: 0.805, 0.95: 0.953}
FACTORS = np.round(np.arange(0.70, 1.301, 0.005), 3)
PLAIN = Constants(
    middle=1.0,
    ends=1.0,
    fortnight_middle=1.0,
    fortnight_ends=1.0,
    gain=1.0,  # chosen on the same data, see docs/methods/calibration.md
    outcomes=60.0,
)


@dataclass(frozen=True, slots=True)
class Lot:
    """Windows with their models' answers, and what came, all in z units of the window.

    The blend's answers [window, row, level], earlier ones [window, ORIGINS, HORIZON,
    level]. `came` and `came_since` are NaN where nothing did.
    """

    answers: np.ndarray
    earlier: np.ndarray
    came: np.ndarray  # (window, HORIZON)
    came_since: np.ndarray  # (window, ORIGINS, HORIZON)
    ends: np.ndarray  # (2, window) of the scale
    step: np.ndarray  # (window,) between two answers; 0 = none known
    fold: np.ndarray
    weight: np.ndarray  # data sets weigh alike, and so do the patients of each


def fitted(lot: Lot) -> Constants:
    """Spread factors of the covering asked for."""
    found = _factor(lot, PLAIN, "middle", 0.80)
    found = _factor(lot, found, "ends", 0.95)
    found = _factor(lot, found, "fortnight_middle", 0.80)
    return _factor(lot, found, "fortnight_ends", 0.95)


def coverage(lot: Lot, found: Constants, level: float, *, fortnight: bool) -> float:
    """Share of what came inside the interval of `level`; data sets weigh the same."""
    quantiles = forecast(lot, found)
    came = lot.came
    if fortnight:
        quantiles, came = quantiles[:, HORIZON:], _average(came)
    low, high = (quantiles[:, : came.shape[1], end] for end in INTERVALS[level])
    inside = (came >= low - ROUNDING) & (came <= high + ROUNDING)
    return _mean(lot, inside, np.isfinite(came))


def forecast(lot: Lot, found: Constants) -> np.ndarray:
    """The calibrated blend, each series widened by its own earlier forecasts."""
    low, high = lot.ends[:, :, None, None]
    step = lot.step[:, None, None]
    before = calibrated(
        lot.earlier,
        low=low[..., None],
        high=high[..., None],
        step=step[..., None],
        fitted=found,
    )
    start, end = INTERVALS[0.80]
    since = lot.came_since
    low_end, high_end = before[..., start] - ROUNDING, before[..., end] + ROUNDING
    inside = ((since >= low_end) & (since <= high_end)).sum((1, 2))
    own = own_factor(inside, np.isfinite(since).sum((1, 2)), found)
    own = np.where(adapts(lot.step), own, 1.0)
    return calibrated(
        lot.answers,
        low=low,
        high=high,
        step=step,
        fitted=found,
        widening=own[:, None, None],
    )


def read(found: Bench) -> list[Any]:
    """Benchmark windows of the data sets that may be fitted on, and of more origins."""
    with (found.data / "_datasets.csv").open(encoding="utf-8") as table:
        closed = {row["name"] for row in csv.DictReader(table) if row["tier"] != "A"}
    found.windows.SKIPPED_SETS = set(found.windows.SKIPPED_SETS) | closed
    found.windows.STEP, found.windows.MAX_ORIGINS = DAYS_APART, MOST_ORIGINS
    return list(found.windows.load(found.data))


def lot_of(found: Bench, windows: Sequence[Any]) -> Lot:
    """Asks the served models, as of each window's end and as of earlier days."""
    own = [served().window(w.series) for w in windows]
    before = [earlier_windows(window) for window in own]
    since = np.full((len(own), ORIGINS, HORIZON), np.nan)
    for row, window, earlier in zip(since, own, before, strict=True):
        nothing = np.empty((len(earlier), HORIZON, len(LEVELS)))
        row[: len(earlier)] = backtest(window, earlier, nothing).reported
    mean, sd = (np.array([getattr(w, name) for w in own]) for name in ("mean", "sd"))
    ends = np.array([[w.low for w in own], [w.high for w in own]])
    came = np.stack([_came(*pair) for pair in zip(windows, own, strict=True)])
    return Lot(
        answers=_asked(own),
        earlier=_asked_earlier(own, before),
        came=(came - mean[:, None]) / sd[:, None],
        came_since=(since - mean[:, None, None]) / sd[:, None, None],
        ends=(ends - mean) / sd,
        step=np.array([answer_step(w) for w in own]) / sd,
        fold=np.array([found.windows.fold(w.patient, FOLDS) for w in windows]),
        weight=_weights([(w.dataset, w.patient) for w in windows]),
    )


def part(lot: Lot, rows: np.ndarray) -> Lot:
    """The windows at `rows`."""
    return Lot(
        answers=lot.answers[rows],
        earlier=lot.earlier[rows],
        came=lot.came[rows],
        came_since=lot.came_since[rows],
        ends=lot.ends[:, rows],
        step=lot.step[rows],
        fold=lot.fold[rows],
        weight=lot.weight[rows],
    )


def table(sets: dict[str, Constants], versions: dict[str, int]) -> str:
    """calibration.toml as text; it was fitted for these `versions` of the models."""
    lines = [
        "# Written by `python -m export_scripts.calibration`; sources in SOURCES.md.",
        "",
        "[versions]",
        *(f"{model} = {version}" for model, version in versions.items()),
    ]
    for name, found in sets.items():
        lines += ["", f'[constants."{name}"]']
        lines += [f"{key} = {value}" for key, value in asdict(found).items()]
    return "\n".join(lines) + "\n"


def _factor(lot: Lot, found: Constants, name: str, level: float) -> Constants:
    """`found` with the largest factor that does not cover more than the goal."""
    fortnight = name.startswith("fortnight")
    goal = level if fortnight else GOALS[level]  # a mean seldom ties with an end
    low, high = 0, len(FACTORS) - 1
    while low < high:
        middle = (low + high + 1) // 2
        tried = replace(found, **{name: float(FACTORS[middle])})
        if coverage(lot, tried, level, fortnight=fortnight) <= goal:
            low = middle
        else:
            high = middle - 1
    return replace(found, **{name: float(FACTORS[low])})


def _loss(lot: Lot, found: Constants) -> float:
    seen = np.isfinite(lot.came)
    quantiles = forecast(lot, found)[:, :HORIZON]
    return _mean(lot, quantile_loss(quantiles, np.where(seen, lot.came, 0.0)), seen)


def _mean(lot: Lot, values: np.ndarray, seen: np.ndarray) -> float:
    """Days -> windows -> patients -> data sets."""
    each = np.where(seen, values, 0.0).sum(1) / np.maximum(seen.sum(1), 1)
    weight = lot.weight * seen.any(1)
    return float((each * weight).sum() / weight.sum())


def _average(came: np.ndarray) -> np.ndarray:
    """The mean of the days that came [window, 1]; NaN where too few of them did."""
    seen = np.isfinite(came).sum(1, keepdims=True)
    total = np.nansum(came, axis=1, keepdims=True)
    return np.where(seen >= MOST_OF_IT, total / np.maximum(seen, 1), np.nan)


def _came(bench_window: Any, window: ForecastWindow) -> np.ndarray:
    """What came on each day after the window's last entry, score units (HORIZON,)."""
    last = bench_window.series.dates[-1].astype("datetime64[D]").item()
    late = np.full((last - window.last_day).days, np.nan)
    came: np.ndarray = np.concatenate([late, bench_window.target])[:HORIZON]
    return came


def _asked(windows: Sequence[ForecastWindow]) -> np.ndarray:
    """The blend's quantiles [window, row, level], z units."""
    ask, parts = served().shipped().ask_all, []
    for start in range(0, len(windows), BATCH):
        some = windows[start : start + BATCH]
        answers = ask({m: features.inputs(m, some) for m in features.INPUTS})
        parts.append(blend(answers, WEIGHTS))
    return np.concatenate(parts)


def _asked_earlier(
    own: Sequence[ForecastWindow], before: Sequence[Sequence[ForecastWindow]]
) -> np.ndarray:
    """The earlier answers, in the z units of the window that they belong to."""
    at = [(i, k) for i, earlier in enumerate(before) for k in range(len(earlier))]
    flat = [before[i][k] for i, k in at]
    mean, sd = (np.array([getattr(w, n) for w in flat]) for n in ("mean", "sd"))
    own_mean, own_sd = (
        np.array([getattr(own[i], n) for i, _ in at]) for n in ("mean", "sd")
    )
    answer = _asked(flat)
    scores = mean[:, None, None] + sd[:, None, None] * answer[:, :HORIZON]
    filled = np.zeros((len(own), ORIGINS, HORIZON, len(LEVELS)))
    filled[tuple(np.array(at).T)] = (scores - own_mean[:, None, None]) / own_sd[
        :, None, None
    ]
    return filled


def _weights(who: Sequence[tuple[str, str]]) -> np.ndarray:
    windows = Counter(who)
    patients = Counter(dataset for dataset, _ in windows)
    return np.array([1 / windows[one] / patients[one[0]] for one in who])


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit every set of constants and write the table."""
    parser = argparse.ArgumentParser(description="calibration of the ensemble")
    home = Path(__file__).resolve().parents[1] / "backend" / "twin" / "tables"
    parser.add_argument("--bench", type=Path, default=BENCH)
    parser.add_argument("--output", type=Path, default=home / "calibration.toml")
    options = parser.parse_args(arguments)
    if not (options.bench / "windows.py").exists():
        print("no diaries in ../shared: nothing was fitted")
        return
    found = bench(options.bench)
    lot = lot_of(found, read(found))
    sets = {str(f): fitted(part(lot, lot.fold != f)) for f in range(FOLDS)}
    sets[EVERYONE] = fitted(lot)
    for name, constants in sets.items():
        rest = lot if name == EVERYONE else part(lot, lot.fold == int(name))
        kinds = {lv: coverage(rest, constants, lv, fortnight=False) for lv in GOALS}
        words = "same people" if name == EVERYONE else "people left out"
        print(name, asdict(constants), words, kinds, _loss(rest, constants), flush=True)
    uses = served().shipped().uses
    versions = {model: use.version for model, use in uses.items()}
    options.output.write_text(table(sets, versions), encoding="utf-8")
    print(f"wrote {options.output.name}")


if __name__ == "__main__":
    main()
