"""The same figures for groups of windows, patients and grades."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from export_scripts import bootstrap
from export_scripts.markdown import share, table
from export_scripts.real_windows import OURS, REFERENCE, Answered, people

HEAD = ["group", "windows", "patients", "sets", "mae", "wql", "cov80", "cov95"]
LENGTHS = ((10, 13), (14, 27), (28, 55), (56, 128))  # observed days shown
FLOOR_SHARE = 0.5
ABOUT_PEOPLE = {"age", "sex", "gender", "birth_year"}


def group_section(asked: Answered) -> list[str]:
    """Groups by sample, history, grade and floor; each compared with the reference."""
    rows = [group_row(asked, name, chosen) for name, chosen in _groups(asked)]
    return [
        "## Groups",
        "",
        people(asked.windows) + " Averages as above, over the data sets that have such "
        "windows; so groups differ in their data sets too. The grade is the served "
        "one, asked for on the window's last day. The last column: per cent by which "
        f"wql is lower than {REFERENCE}'s in the same windows.",
        "",
        *table([*HEAD, "wql lower by, %"], rows),
        personal(asked.found.data),
        "",
    ]


def group_row(asked: Answered, name: str, chosen: np.ndarray) -> list[str]:
    """One group's figures; a group without windows has none."""
    if not chosen.any():
        return [name, "0", "0", "0", *["."] * 5]
    ours, theirs = (
        bootstrap.drawn(asked.scores[who][chosen]) for who in (OURS, REFERENCE)
    )
    mae, wql, *covered = (
        bootstrap.pooled(ours, metric).point
        for metric in ("mae", "wql", "cov80", "cov95")
    )
    sizes = [int(chosen.sum()), sum(ours.patients), len(ours.datasets)]
    return [
        name,
        *map(str, sizes),
        f"{mae:.3f}",
        f"{wql:.3f}",
        *map(share, covered),
        str(bootstrap.lower(ours, theirs, "wql")),
    ]


def personal(folder: Path) -> str:
    """What the files hold of age and sex: said, never assumed."""
    columns: set[str] = set()
    for path in folder.glob("[!_]*.csv"):
        with path.open(encoding="utf-8") as lines:
            columns |= {name.strip() for name in lines.readline().lower().split(",")}
    found = sorted(columns & ABOUT_PEOPLE)
    if found:
        return f"Not used here though some file holds it: {', '.join(found)}."
    return "Age and sex are unknown: no file holds them, so nothing is said by them."


def observed(windows: Sequence[Any]) -> np.ndarray:
    """Days with an entry in each window's history (window,)."""
    return np.array([np.isfinite(w.series.values).sum() for w in windows])


def at_floor(windows: Sequence[Any]) -> np.ndarray:
    """Share of each history's entries that are the scale's lowest answer (window,)."""
    low = np.array([np.sum(w.series.values <= w.lo + 1e-6) for w in windows])
    share_low: np.ndarray = low / observed(windows)
    return share_low


def _groups(asked: Answered) -> Iterator[tuple[str, np.ndarray]]:
    clinical = np.array([w.clinical for w in asked.windows])
    yield "clinical samples", clinical
    yield "community samples", ~clinical
    days = observed(asked.windows)
    for least, most in LENGTHS:
        yield f"{least} to {most} observed days", (days >= least) & (days <= most)
    grades = np.array([made.grade.value for made in asked.made])
    for word in ("high", "medium", "low"):
        yield f"grade {word}", grades == word
    floor = at_floor(asked.windows) >= FLOOR_SHARE
    yield "half or more at the lowest answer", floor
    yield "fewer than half at the lowest answer", ~floor
