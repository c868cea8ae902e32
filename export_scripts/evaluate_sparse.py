"""Score the irregular-time path on real questionnaires and on diaries just begun.

    python -m export_scripts.evaluate_sparse

Prints the section of docs/benchmarks.md that `sparse_section` returns. The constants
are fitted anew without the people they are scored on, in the benchmark's four folds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.twin.climatology import ew_quantiles
from backend.twin.scales import Scale, scales
from backend.twin.trajectory import INTERVALS, LEVELS, MEDIAN
from export_scripts.datasets import quantile_loss
from export_scripts.shrinkage import shrunk_quantiles
from export_scripts.sparse_prior import (
    DATA,
    FOLDS,
    SPARSE,
    STEPS,
    Origins,
    blocks_of,
    fitted,
    only,
    predicted,
    without,
)

OURS, NOW = "irregular", "shrinkage"
FORECASTERS = (OURS, NOW, "climatology", "own mean", "last score")
SOON = 60  # days: further away than this is shown apart
MANY = 10  # people that a file needs to be pooled
SAID = 2.5 / 27  # share of the width: half the PHQ-9's important change
DRAWS = 2000  # bootstrap samples of people
COARSE = ((0.025, 0.0625), (0.1, 0.2375), (0.5, 0.4), (0.9, 0.2375), (0.975, 0.0625))
COLUMNS = ("mae", "wql", "crps", "is80", "cov80", "cov95")
BANDED = {"jang_sparse_phq_9": "phq9", "jang_sparse_gad_7": "gad7"}


@dataclass(frozen=True, slots=True)
class Cases:
    """What was forecast and what came; the first axis is the case."""

    file: np.ndarray
    patient: np.ndarray
    entries: np.ndarray  # earlier scores
    at: np.ndarray  # days ahead; NaN: the mean of the coming fortnight
    width: np.ndarray  # of the scale, points
    before: np.ndarray  # the score before the last one; NaN where there is none
    last: np.ndarray  # shares of the width, as all that follows
    target: np.ndarray
    quantiles: Mapping[str, np.ndarray]  # by forecaster: [case, level]

    def take(self, rows: np.ndarray) -> Cases:
        """The cases at `rows`."""
        one = {n: getattr(self, n)[rows] for n in self.__slots__ if n != "quantiles"}
        return Cases(**one, quantiles={n: q[rows] for n, q in self.quantiles.items()})


def sparse_section(folder: Path = DATA, *, steps: int = STEPS) -> list[str]:
    """The section as lines of Markdown; says so where the data are absent."""
    head = ["## Questionnaires and first days of a diary", ""]
    if not folder.is_dir():
        return [*head, "No diaries in ../shared/data/symptoms: nothing was scored.", ""]
    blocks = blocks_of(folder)
    asked = cases(blocks["questionnaire"], steps=steps)
    begun = cases(blocks["daily"], steps=steps)
    means = np.isnan(begun.at)
    soon, late = (asked.take(near) for near in (asked.at <= SOON, asked.at > SOON))
    many = ", ".join(pooled_files(soon))
    return [
        *head,
        *INTRODUCTION.splitlines(),
        "",
        *_scores(f"Next score within {SOON} days, pooled over {many}", soon),
        *_scores(f"Next score after {SOON + 1} to 180 days", late),
        *_scores(
            "Only one earlier score, within 60 days", soon.take(soon.entries == 1)
        ),
        *_files(soon, late),
        *_change(asked.take(asked.entries > 1)),
        *_scores(
            "Diaries of 1, 3 or 6 entries, days up to 14 ahead", begun.take(~means)
        ),
        *_scores("The same, mean of the 14 days ahead", begun.take(means)),
    ]


INTRODUCTION = """\
Rolling origin: every score that follows another one, at its real elapsed time. Errors
are per cent of the scale's width, lower is better; `cov80` and `cov95` are shares, goal
0.80 and 0.95. Pooled figures weigh every person of a file alike and every file alike,
and leave out files with fewer than ten people. `irregular` is fitted without the people
it is scored on; `shrinkage` is the earlier formula without time. Where a difference is
given, it is the quantile loss (`crps`) below shrinkage's, per cent, with a 95 %
bootstrap interval over people."""


def cases(blocks: Sequence[Origins], *, steps: int) -> Cases:
    """Every forecaster's answer to every origin, ours cross-fitted by person."""
    parts = []
    for fold in range(FOLDS):
        if held_out := only(blocks, fold):
            constants = fitted(without(blocks, fold), steps=steps)
            parts += [_cases(b, predicted(b, constants)) for b in held_out]
    fields = [name for name in Cases.__slots__ if name != "quantiles"]
    joined = {n: np.concatenate([getattr(p, n) for p in parts]) for n in fields}
    answers = {n: np.concatenate([p.quantiles[n] for p in parts]) for n in FORECASTERS}
    return Cases(**joined, quantiles=answers)


def _cases(block: Origins, ours: np.ndarray) -> Cases:
    shares = block.shares
    several = shares.shape[1] > 1
    ew = [ew_quantiles(v, a) for v, a in zip(shares, block.ages, strict=True)]
    points = {"own mean": shares.mean(1), "last score": shares[:, -1]}
    return Cases(
        file=np.array([one.file for one in block.person]),
        patient=np.array([one.patient for one in block.person]),
        entries=np.full(len(shares), shares.shape[1]),
        at=block.at,
        width=np.array([one.width for one in block.person]),
        before=shares[:, -2] if several else np.full(len(shares), np.nan),
        last=shares[:, -1],
        target=block.target,
        quantiles={
            OURS: ours,
            NOW: np.stack([shrunk_quantiles(row) for row in shares]),
            "climatology": np.stack(ew),
            **{n: np.repeat(v[:, None], len(LEVELS), 1) for n, v in points.items()},
        },
    )


def losses(quantiles: np.ndarray, target: np.ndarray) -> np.ndarray:
    """One row per case, one column per name of `COLUMNS`; errors in shares."""
    low, high = (quantiles[:, end] for end in INTERVALS[0.80])
    outside = np.maximum(low - target, 0) + np.maximum(target - high, 0)
    fine = quantile_loss(quantiles[:, None], target[:, None])[:, 0]
    columns = [
        np.abs(target - quantiles[:, MEDIAN]),
        _coarse(quantiles, target),
        fine,
        high - low + 10 * outside,  # 2 / (1 - 0.80)
        *(_inside(quantiles, target, level) for level in (0.80, 0.95)),
    ]
    return np.stack(columns, axis=1)


def _coarse(quantiles: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The benchmark's weighted quantile loss: five levels with weights of their own."""
    answer = np.zeros(len(target))
    for level, weight in COARSE:
        gap = target - quantiles[:, LEVELS.index(level)]
        answer += 2 * weight * np.maximum(level * gap, (level - 1) * gap)
    return answer


def _inside(quantiles: np.ndarray, target: np.ndarray, level: float) -> np.ndarray:
    low, high = (quantiles[:, end] for end in INTERVALS[level])
    return ((target >= low - 1e-9) & (target <= high + 1e-9)).astype(float)


def by_person(chosen: Cases, values: np.ndarray) -> dict[str, np.ndarray]:
    """Means over each person's cases, by file: [person, column]."""
    answer = {}
    for file in dict.fromkeys(chosen.file.tolist()):
        here = chosen.file == file
        names = chosen.patient[here]
        rows = [values[here][names == name].mean(0) for name in np.unique(names)]
        answer[file] = np.stack(rows)
    return answer


def pooled_files(chosen: Cases) -> list[str]:
    """The files with people enough to be pooled."""
    per_file = by_person(chosen, chosen.target[:, None])
    return [file for file, rows in per_file.items() if len(rows) >= MANY]


def gain(chosen: Cases, files: Sequence[str]) -> str:
    """Our quantile loss below shrinkage's, per cent, with its bootstrap interval."""
    both = [losses(chosen.quantiles[n], chosen.target)[:, 2] for n in (NOW, OURS)]
    people = by_person(chosen, np.stack(both, axis=1))
    rng = np.random.default_rng(7)
    parts = [people[file] for file in files]
    drawn = [p[rng.integers(len(p), size=(DRAWS, len(p)))].mean(1) for p in parts]
    now, ours = np.mean(drawn, axis=0).T
    was, became = np.mean([p.mean(0) for p in parts], axis=0)
    low, high = np.percentile(100 * (1 - ours / now), (2.5, 97.5))
    return f"{100 * (1 - became / was):+.1f} [{low:+.1f}, {high:+.1f}]"


def _scores(title: str, chosen: Cases) -> list[str]:
    files = pooled_files(chosen)
    if not files:
        return [f"{title}: no file has {MANY} people.", ""]
    rows = []
    for name in FORECASTERS:
        people = by_person(chosen, losses(chosen.quantiles[name], chosen.target))
        rows.append([name, *_figures(np.mean([people[f].mean(0) for f in files], 0))])
    count = int(np.isin(chosen.file, files).sum())
    said = f"{title}: {count} scores of {len(files)} files."
    below = f"Difference to shrinkage: {gain(chosen, files)}."
    return [f"{said} {below}", "", *_table(("forecaster", *COLUMNS), rows), ""]


def _files(soon: Cases, late: Cases) -> list[str]:
    """One row per file; a person alone has no interval."""
    rows = []
    for name, part in ((f"1-{SOON}", soon), (f"{SOON + 1}-180", late)):
        for file in SPARSE:
            one = part.take(part.file == file)
            if len(one.file) == 0:
                continue
            people = by_person(one, losses(one.quantiles[OURS], one.target))[file]
            mean = people.mean(0)
            points = [f"{x:.2f}" for x in mean[[0, 2]] * one.width[0]]
            below = gain(one, [file]) if len(people) > 1 else "one person"
            head = [file, name, str(len(people)), str(len(one.file))]
            rows.append([*head, *_figures(mean), *points, below])
    titles = ("file", "days", "people", "scores", *COLUMNS, "mae points", "crps points")
    return ["Per file:", "", *_table((*titles, "difference"), rows), ""]


def _change(chosen: Cases) -> list[str]:
    """May the forecast be compared with the last score?"""
    rows = []
    for file in SPARSE:
        one = chosen.take(chosen.file == file)
        moved = one.quantiles[OURS][:, MEDIAN] - one.last
        came = one.target - one.last
        said = np.abs(moved) >= SAID
        rose = one.last - one.before >= SAID
        rows.append(
            [
                file,
                str(len(moved)),
                f"{np.corrcoef(moved, came)[0, 1]:.2f}",
                f"{moved @ came / (moved @ moved):.2f}",
                _right(moved[said] * came[said] > 0),
                _mean(came[said] * np.sign(moved[said])),
                _mean(moved[rose]),
                _mean(came[rose]),
                _crossings(one, file),
            ]
        )
    titles = ("file", "scores", "correlation", "slope", "moves right", "real move",
              "forecast after a rise", "real after a rise", "bands right")  # fmt: skip
    return [*CHANGE.splitlines(), "", *_table(titles, rows), ""]


CHANGE = """\
Does the forecast tell a change? Two or more earlier scores, up to 180 days. Correlation
and slope are of the real change from the last score on the forecast one (slope 1: as
much as was said). A move is said from 9.3 % of the width on (2.5 points of the PHQ-9);
it was right when the next score lay on that side of the last; its real size is in per
cent of the width, as are the means after the last score had risen by that much. A band
is said by the rule of `BAND_CROSSED`, and right when the next score lay in a band on
that side."""


def _crossings(chosen: Cases, file: str) -> str:
    """How often the rule of BAND_CROSSED would have been right."""
    if file not in BANDED:
        return "no bands"
    scale = scales()[BANDED[file]]
    median = chosen.quantiles[OURS][:, MEDIAN]
    ranks = [_ranks(scale, x) for x in (chosen.last, median, chosen.target)]
    said = (ranks[1] != ranks[0]) & (np.abs(median - chosen.last) >= SAID)
    way = np.sign(ranks[1] - ranks[0])[said]
    return _right(way * (ranks[2] - ranks[0])[said] > 0)


def _ranks(scale: Scale, shares: np.ndarray) -> np.ndarray:
    points = scale.low + scale.width * shares
    bands = [scale.band(round(float(p), 6)) for p in points]
    return np.array([band.rank if band else -1 for band in bands])


def _right(hits: np.ndarray) -> str:
    return f"{int(hits.sum())} of {len(hits)}"


def _mean(values: np.ndarray) -> str:
    return f"{100 * values.mean():+.1f}" if len(values) else "."


def _figures(mean: np.ndarray) -> list[str]:
    return [f"{100 * x:.2f}" for x in mean[:4]] + [f"{x:.3f}" for x in mean[4:]]


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(row) + " |" for row in (titles, *rows)]
    return [lines[0], "|" + "---|" * len(titles), *lines[1:]]


def main(say: Callable[[str], None] = print) -> None:
    """Print the section."""
    say("\n".join(sparse_section()))


if __name__ == "__main__":
    main()
