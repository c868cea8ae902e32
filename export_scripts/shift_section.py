"""The page's section on the mean of the coming fortnight."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from export_scripts import bootstrap, roc
from export_scripts.bootstrap import Interval, interval
from export_scripts.markdown import share, table
from export_scripts.real_windows import OURS, PLAIN, Answered, people
from export_scripts.shift import (
    Fortnights,
    Judged,
    fortnights,
    judged,
    said,
    served_said,
)

RECORDED = Path(__file__).with_name("recorded_baselines.toml")
BINS = 5


def shift_section(asked: Answered, recorded: Path = RECORDED) -> list[str]:
    """Errors of the mean, areas for its shifts, calibration, and the control chart."""
    came = fortnights(asked.windows, asked.scores[OURS])
    ours = served_said(asked.made, came)
    levels = asked.found.predictors.FINE_LEVELS
    figures = {OURS: judged(ours, came)}
    for name in PLAIN:
        figures[name] = judged(said(asked.quantiles[name], levels, came), came)
        print(f"mean of the fortnight: {name}")
    probability = ours.rankings["up"][0]
    return [
        "## The mean of the coming fortnight",
        "",
        *_preface(asked),
        *_against(figures),
        *_recorded(asked, figures[OURS], recorded),
        *_calibration(probability, came),
        *_chart(asked, probability, came),
    ]


def _preface(asked: Answered) -> list[str]:
    late = sum(bool(np.isnan(w.series.values[-1])) for w in asked.windows)
    return [
        f"{people(asked.windows)} The mean of the observed days among the next 14; "
        "`mae14` is the absolute error of what was said of it, in sd of the history; "
        "AUC is for a mean more than 0.5 sd above (up) or below (down) the history's "
        "mean, all data sets alike (*all windows alike* beside it). Ours are the "
        "median of the fortnight's distribution and its probabilities; a baseline "
        "gets the better, figure by figure, of the mean of its medians, of its means, "
        "and for AUC also of its days' shares beyond the limit. Ours begins after the "
        f"last entry: in {late} windows the history ends with days without entries, "
        "so there it speaks of a fortnight that begins that much earlier.",
        "",
    ]


def _against(figures: Mapping[str, Judged]) -> list[str]:
    ours = figures[OURS]
    head = ["forecaster", "mae14", "ours lower by, %", "AUC up", "ours higher by"]
    head += ["AUC down", "ours higher by", "AUC up, all windows alike"]
    rows = []
    for name, one in figures.items():
        lower = "." if name == OURS else str(_lower(ours, one))
        cells = [name, f"{_mae(one).point:.3f}", lower]
        for side in ("up", "down"):
            ahead = "." if name == OURS else _points(_ahead(ours, one, side))
            cells += [f"{one.areas[side][0]:.3f}", ahead]
        rows.append([*cells, f"{one.pooled['up']:.3f}"])
    return table(head, rows)


def _recorded(asked: Answered, ours: Judged, path: Path) -> list[str]:
    """Baselines that are too slow to run here: their figures, if of these windows."""
    known = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if known.get("windows") != len(asked.windows):
        return []
    rows = {name: _cells(row) for name, row in known["all"].items()}
    few = asked.found.windows.subset(asked.windows)
    return [
        f"Recorded once on the same windows ({known['made_with']}):",
        "",
        *table(
            ["forecaster", "mae14", "AUC up", "AUC down", "AUC up, all windows alike"],
            [[name, *cells] for name, cells in {OURS: _own(ours), **rows}.items()],
        ),
        *_subset(asked, few, known.get("subset", {})),
    ]


def _subset(
    asked: Answered, few: Sequence[int], known: Mapping[str, Mapping[str, float]]
) -> list[str]:
    if not known:
        return []
    came = fortnights(
        [asked.windows[i] for i in few], asked.scores[OURS].iloc[list(few)]
    )
    ours = judged(served_said([asked.made[i] for i in few], came), came)
    rows = {OURS: _own(ours), **{name: _cells(row) for name, row in known.items()}}
    return [
        f"And on the subset ({len(few)} windows), for the slowest:",
        "",
        *table(
            ["forecaster", "mae14", "AUC up", "AUC down", "AUC up, all windows alike"],
            [[name, *cells] for name, cells in rows.items()],
        ),
    ]


def _calibration(probability: np.ndarray, came: Fortnights) -> list[str]:
    """Whether what was called probable came that often; all data sets alike."""
    event = came.event("up")
    weight = np.zeros(len(event))
    for at, weights in came.weights.values():
        weight[at] = weights[0] / len(came.weights)
    base = float(weight @ event)
    brier = float(weight @ (probability - event) ** 2)
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    rows = [
        [f"{number / BINS:.1f} to {(number + 1) / BINS:.1f}", str(int(inside.sum()))]
        + [
            share(float(np.average(what[inside], weights=weight[inside])))
            for what in (probability, event)
        ]
        for number in range(BINS)
        if (inside := place == number).any()
    ]
    return [
        "How often an upward shift followed the probability given, per cent, all data "
        "sets alike:",
        "",
        *table(["probability", "windows", "said", "came"], rows),
        f"Brier score {brier:.3f}; {base * (1 - base):.3f} if the base rate, "
        f"{share(base)} %, were said of every window.",
        "",
    ]


def _chart(asked: Answered, probability: np.ndarray, came: Fortnights) -> list[str]:
    """Our probability beside the control chart, at the chart's own specificity."""
    charts = [one.warning.chart if one.warning else None for one in asked.made]
    known = [i for i, chart in enumerate(charts) if chart is not None]
    if not known:
        return []
    weights = roc.weighings(came.keys.iloc[known])
    weight = np.zeros((1 + bootstrap.DRAWS, len(known)))
    for rows, part in weights.values():
        weight[:, rows] = part
    alarm = np.array([_state(charts[i]) == "above" for i in known])
    event, ours = came.event("up")[known], probability[known]
    hits = (weight * (event & alarm)).sum(1) / (weight * event).sum(1)
    calm = (weight * ~(event | alarm)).sum(1) / (weight * ~event).sum(1)
    equal = roc.sensitivity_at(ours, event, weight, specificity=calm)
    found = [interval(one[0], one[1:]) for one in (hits, calm, equal, equal - hits)]
    words = [f"{share(x.point)} [{share(x.low)}, {share(x.high)}]" for x in found]
    return [
        "Beside an EWMA control chart of the days before, which forecasts nothing "
        "(alarm: above its limit on the last day; an upward shift is the event): "
        f"{people([asked.windows[i] for i in known])} The chart's sensitivity is "
        f"{words[0]} % at a specificity of {words[1]} %; ours at that specificity is "
        f"{words[2]} %, a difference of {words[3]} points.",
        "",
    ]


def _state(chart: Any) -> str:
    return str(chart.state)


def _mae(one: Judged) -> Interval:
    return bootstrap.pooled(one.errors, "mae14")


def _lower(ours: Judged, theirs: Judged) -> Interval:
    return bootstrap.lower(ours.errors, theirs.errors, "mae14")


def _ahead(ours: Judged, theirs: Judged, side: str) -> Interval:
    difference = ours.areas[side] - theirs.areas[side]
    return interval(difference[0], difference[1:])


def _points(found: Interval) -> str:
    return f"{found.point:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def _own(ours: Judged) -> list[str]:
    row = {"mae14": _mae(ours).point, "auc_up_alike": ours.pooled["up"]}
    row |= {f"auc_{side}": float(area[0]) for side, area in ours.areas.items()}
    return _cells(row)


def _cells(row: Mapping[str, float]) -> list[str]:
    names = ("mae14", "auc_up", "auc_down", "auc_up_alike")
    return [f"{row[name]:.3f}" for name in names]
