"""The constants of `twin.irregular`, fitted on openly licensed real scores (tier A).

    python -m export_scripts.sparse_prior

Each constant set minimises the mean quantile loss of next scores given earlier ones, in
shares of the scale's width. People of one file weigh the same; a file weighs as much as
it has people, but no more than `MOST`, so that 1,388 players of games do not drown 21
patients. Prints the constants and writes `backend/twin/tables/irregular.toml`.
"""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from backend.twin.irregular import (
    Constants,
    day_quantiles,
    mean_quantiles,
    mixture,
)
from backend.twin.trajectory import HORIZON
from export_scripts.datasets import quantile_loss

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "symptoms"
TABLE = ROOT / "backend" / "twin" / "tables" / "irregular.toml"
SPARSE = (
    "jang_sparse_phq_9",
    "jang_sparse_gad_7",
    "jang_sparse_ces_d",
    "openplay_promis_biweekly",
    "kossakowski_scl90_weekly",
)
DENSE = (
    "westhoff_young",
    "bailon_covid",
    "flueckiger_students",
    "gundogdu_stability",
    "openplay_daily",
    "digibp_bipolar",
    "jang_mood_anxiety",
)
# A yes/no item, and a scale of which a quarter was never used, tell nothing of a start.
LEFT_OUT = ("panic",)
LONGEST_GAP = 180  # days to the next questionnaire: beyond, nothing is forecast
BEGUN = (1, 3, 6)  # entries of a diary just begun
AHEAD = (1, 4, 7, 10, 14)  # its days ahead, those of them that have an entry
HALF = 7  # days of a fortnight that need an entry for its mean to be known
PER_FILE = 60  # people of a dense file: more say nothing new of four constants
MOST = 30  # people that a file may weigh
FOLDS = 4
START = Constants(state_sd=0.12, state_days=60.0, noise_sd=0.11, uneven=0.8)
STEPS = 100  # evaluations of the loss; it is flat near its minimum

HEADER = """\
# Constants of twin.irregular, by the cadence of a scale; written by
# `python -m export_scripts.sparse_prior`. Spreads are radians of the arcsine square
# root (the scale is pi / 2 = 1.57 wide), state_days are days.
# No score of anybody is kept here. Sources and licences: SOURCES.md.
"""


@dataclass(frozen=True, slots=True)
class Person:
    """One person's scores on one scale: days from the first, shares of the width."""

    file: str
    patient: str
    symptom: str
    days: np.ndarray
    shares: np.ndarray
    width: float  # of the scale, points


@dataclass(frozen=True, slots=True)
class Origins:
    """Forecasts to make, all from equally many earlier entries.

    `shares`, `ages` are [row, entry], the rest is [row]. `at` is days ahead; NaN in all
    rows where the target is the mean of the coming fortnight.
    """

    person: list[Person]
    shares: np.ndarray
    ages: np.ndarray
    at: np.ndarray
    target: np.ndarray


class _Row(NamedTuple):
    """One forecast: of whom, from how many entries, how far ahead, and what came."""

    person: Person
    seen: int
    at: float
    target: float


def people(folder: Path, files: Sequence[str]) -> list[Person]:
    """Everyone's daily means in the files; raises FileNotFoundError."""
    table = pd.read_csv(folder / "_symptoms.csv")
    ends = table.set_index(["dataset", "symptom_type"])[["lo", "hi"]]
    found = []
    for file in files:
        rows = pd.read_csv(folder / f"{file}.csv")
        rows["day"] = pd.to_datetime(rows["date"].str[:10])
        keys = ["patient_id", "symptom_type", "day"]
        rows = rows.groupby(keys, as_index=False)["severity"].mean()
        for (patient, symptom), one in rows.groupby(keys[:2]):
            low, high = ends.loc[(file, symptom)]
            days = (one["day"] - one["day"].iloc[0]).dt.days.to_numpy(dtype=float)
            shares = (one["severity"].to_numpy() - low) / (high - low)
            if symptom not in LEFT_OUT:
                found.append(
                    Person(file, str(patient), str(symptom), days, shares, high - low)
                )
    return found


def sparse_origins(chosen: Sequence[Person]) -> list[Origins]:
    """The next questionnaire after each one, at its real elapsed time."""
    rows = []
    for one in chosen:
        gaps = np.diff(one.days)
        for seen in np.flatnonzero(gaps <= LONGEST_GAP) + 1:
            rows.append(_Row(one, int(seen), gaps[seen - 1], one.shares[seen]))
    return _grouped(rows)


def dense_origins(chosen: Sequence[Person]) -> list[Origins]:
    """After the first few entries of a diary: single days, and the fortnight's mean."""
    days, fortnights = [], []
    for one in chosen:
        for seen in BEGUN:
            if len(one.days) <= seen:
                continue
            ahead = one.days - one.days[seen - 1]
            hits = np.flatnonzero(np.isin(ahead, AHEAD))
            days += [_Row(one, seen, ahead[hit], one.shares[hit]) for hit in hits]
            coming = (ahead > 0) & (ahead <= HORIZON)
            if coming.sum() >= HALF:
                mean = float(one.shares[coming].mean())
                fortnights.append(_Row(one, seen, np.nan, mean))
    return _grouped(days) + _grouped(fortnights)


def few(chosen: Sequence[Person]) -> list[Person]:
    """At most `PER_FILE` people of each file who have more than a start of a diary.

    Those whose hash is smallest: the same whenever it is asked.
    """
    kept: set[str] = set()
    for file in dict.fromkeys(one.file for one in chosen):
        here = [one for one in chosen if one.file == file and len(one.days) > BEGUN[1]]
        kept |= set(sorted({one.patient for one in here}, key=_hash)[:PER_FILE])
    return [one for one in chosen if one.patient in kept]


def fold(patient: str) -> int:
    """The benchmark's fold of a patient: fit on the others, predict this one."""
    return _hash(patient) % FOLDS


def predicted(block: Origins, constants: Constants) -> np.ndarray:
    """Quantiles of each row's target: [row, level], shares of the width."""
    whole = bool(np.isnan(block.at).all())
    fortnight = np.broadcast_to(np.arange(1.0, HORIZON + 1), (len(block.at), HORIZON))
    at = fortnight if whole else block.at[:, None]
    found = mixture(block.shares, block.ages, at, constants=constants)
    return mean_quantiles(found) if whole else day_quantiles(found)[:, 0]


def weights(blocks: Sequence[Origins]) -> list[np.ndarray]:
    """What each row weighs: people alike, a file as its people up to `MOST`.

    Single days and fortnights' means count apart, so the means are not drowned.
    """
    names = [[(_kind(b), one.file, one.patient) for one in b.person] for b in blocks]
    rows = Counter(name for block in names for name in block)
    heads = Counter((kind, file) for kind, file, _ in rows)
    each = {n: min(heads[n[:2]], MOST) / heads[n[:2]] / rows[n] for n in rows}
    total = sum(each[name] for block in names for name in block)
    return [np.array([each[name] for name in block]) / total for block in names]


def fitted(blocks: Sequence[Origins], *, steps: int = STEPS) -> Constants:
    """The constants with the smallest weighted quantile loss (Nelder-Mead on logs)."""
    shares = weights(blocks)

    def loss(logs: np.ndarray) -> float:
        constants = Constants(*np.exp(logs).tolist())
        parts = (
            w
            @ quantile_loss(predicted(block, constants)[:, None], block.target[:, None])
            for w, block in zip(shares, blocks, strict=True)
        )
        return float(sum(part[0] for part in parts))

    start = np.log(astuple(START))
    found = minimize(
        loss, start, method="Nelder-Mead", options={"maxfev": steps, "xatol": 0.01}
    )
    return Constants(*(round(float(x), 3) for x in np.exp(found.x)))


def without(blocks: Sequence[Origins], left_out: int) -> list[Origins]:
    """The blocks without one fold's people."""
    return list(_kept(blocks, left_out, inside=False))


def only(blocks: Sequence[Origins], fold_kept: int) -> list[Origins]:
    """The blocks of one fold's people."""
    return list(_kept(blocks, fold_kept, inside=True))


def _kept(blocks: Sequence[Origins], at: int, *, inside: bool) -> Iterator[Origins]:
    for block in blocks:
        rows = [
            i for i, p in enumerate(block.person) if (fold(p.patient) == at) is inside
        ]
        if rows:
            yield Origins(
                [block.person[i] for i in rows],
                block.shares[rows],
                block.ages[rows],
                block.at[rows],
                block.target[rows],
            )


def _grouped(rows: Sequence[_Row]) -> list[Origins]:
    """Rows by how many entries were seen."""
    blocks = []
    for seen in sorted({row.seen for row in rows}):
        part = [row for row in rows if row.seen == seen]
        past = np.stack([row.person.days[:seen] for row in part])
        blocks.append(
            Origins(
                person=[row.person for row in part],
                shares=np.stack([row.person.shares[:seen] for row in part]),
                ages=past[:, -1:] - past,
                at=np.array([row.at for row in part]),
                target=np.array([row.target for row in part]),
            )
        )
    return blocks


def _kind(block: Origins) -> str:
    return "fortnight" if np.isnan(block.at).all() else "day"


def _hash(patient: str) -> int:
    return int(hashlib.sha256(patient.encode()).hexdigest(), 16)


def blocks_of(folder: Path) -> dict[str, list[Origins]]:
    """What each cadence's constants are fitted on."""
    return {
        "questionnaire": sparse_origins(people(folder, SPARSE)),
        "daily": dense_origins(few(people(folder, DENSE))),
    }


def written(constants: dict[str, Constants]) -> str:
    """The table as text."""
    lines = [HEADER]
    for name, chosen in constants.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {value}" for key, value in asdict(chosen).items()]
        lines.append("")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit both sets of constants, print them and write the table."""
    parser = argparse.ArgumentParser(description="constants of the irregular path")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--output", type=Path, default=TABLE)
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args(arguments)
    if not options.data.is_dir():
        print("no diaries in ../shared/data/symptoms: nothing was fitted")
        return
    blocks = blocks_of(options.data)
    found = {name: fitted(b, steps=options.steps) for name, b in blocks.items()}
    text = written(found)
    print(text)
    options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
