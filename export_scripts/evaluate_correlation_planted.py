"""Links planted into real wearables: does what is found in simulated signals hold?

Beside them stand the same windows with simulated signals in their place, so that the
reports are as many and the links as strong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from export_scripts.evaluate_correlation_bench import Bench, Cell, Predictor, title
from export_scripts.markdown import share, table
from export_scripts.planted_links import (
    LEAST,
    SYMPTOMS,
    Planted,
    Window,
    is_hourly,
    plant,
    simulated_like,
    windows,
)

SEED = 20_261_126
CELLS = ((30, 4), (90, 1), (90, 4))
DRAWS = {30: 2, 90: 10}  # sets of symptoms per window of so many days
ALLOWED = 0.10  # by which the share found may lie below the simulator's
BOOTSTRAP = 2000
KINDS = ("hourly", "daily")
DAYS = " whole days"  # of the rows whose daily values have lags of whole days
HEAD = [
    *["cell", "signals", "people", "links", "found, %", "simulated, %"],
    *["below by, points", "holds", "unlinked published, %", "simulated, %"],
    "all simulated, hourly, %",
]

Row = tuple[str, str, float, int]


def asked(
    found: Bench, ask: Predictor, cell: Cell, *, draws: int | None = None
) -> dict[str, list[Row]]:
    """Per pair: person, biometric, weight, published as a direct link or not.

    `real` are the people's own signals; `simulated` have the simulator's in their
    place, and the same links, reports and gaps. Either also with `DAYS`.
    """
    rows: dict[str, list[Row]] = {}
    for number, window in enumerate(windows(found, cell[0])):
        for draw in range(draws or DRAWS[cell[0]]):
            seed = [SEED, *cell, number, draw]
            like = simulated_like(
                np.random.default_rng([*seed, 1]), window, found.simulator
            )
            for kind, one in (("real", window), ("simulated", like)):
                for lags in ("", DAYS):
                    made = plant(
                        np.random.default_rng(seed),
                        one,
                        cell[1],
                        found.simulator.Patient,
                        whole_days=bool(lags),
                    )
                    rows.setdefault(kind + lags, []).extend(_rows(made, one, ask))
    return rows


def _rows(made: Planted, window: Window, ask: Predictor) -> list[Row]:
    told = {(f[0], f[1]) for f in ask(made.patient) if f[8] and f[7] is not False}
    return [
        (
            window.person,
            name,
            round(float(made.weight[b, s]), 4),
            int((name, symptom) in told),
        )
        for b, name in enumerate(window.biometrics)
        for s, symptom in enumerate(SYMPTOMS)
    ]


class Share(NamedTuple):
    """Of the pairs of one kind: share published, by how many people, and its draws."""

    point: float
    pairs: int
    people: int
    draws: np.ndarray


def found_of(rows: Sequence[Row], kind: str, *, linked: bool = True) -> Share:
    """The share published of the linked (or other) pairs of a kind, people drawn anew.

    Two sets of rows of the same people get the same draws. NaN where there is no pair.
    """
    own = [r for r in rows if is_hourly(r[1]) == (kind == "hourly")]
    people = sorted({r[0] for r in own})
    own = [r for r in own if (r[2] != 0) == linked]
    if not own:
        return Share(float("nan"), 0, 0, np.full(BOOTSTRAP, np.nan))
    at = [people.index(r[0]) for r in own]
    hits = np.bincount(at, [r[3] for r in own], len(people))
    pairs = np.bincount(at, minlength=len(people))
    rng = np.random.default_rng(SEED)
    even = np.full(len(people), 1 / len(people))
    drawn = rng.multinomial(len(people), even, size=BOOTSTRAP)
    draws = (drawn @ hits) / np.maximum(drawn @ pairs, 1)
    return Share(float(hits.sum() / pairs.sum()), len(own), len(people), draws)


def below(real: Share, made: Share) -> tuple[float, float, float]:
    """By how much the real share lies below the simulated, 95 % over people."""
    low, high = np.nanquantile(made.draws - real.draws, [0.025, 0.975])
    return made.point - real.point, float(low), float(high)


def section(
    planted: Mapping[Cell, Mapping[str, Sequence[Row]]], usual: Mapping[Cell, float]
) -> list[str]:
    """Per cell and kind of signal: found where it is real, and where simulated.

    `usual` [cell]: the share found in the simulator's own patients.
    """
    rows = [
        [
            *_row(cell, kind + lags, told["real" + lags], told["simulated" + lags]),
            share(usual[cell]),
        ]
        for cell, told in planted.items()
        for kind, lags in (("hourly", ""), ("daily", ""), ("daily", DAYS))
    ]
    return [
        "## Links planted into real wearables",
        "",
        *INTRODUCTION.splitlines(),
        "",
        *table(HEAD, rows),
    ]


INTRODUCTION = f"""\
Wearables of LifeSnaps and PMData with at least {share(LEAST)} % of the hours and days
of each signal, symptoms made from them: half of the pairs linked with weights of .25 to
.6 at 0 to 72 hours. Beside them the same windows with the benchmark's simulated signals
(coupled world) at the same moments, and the same links, noise and reports. Per cent of
links published as direct, 95 % intervals over people; goal: real signals at most
{share(ALLOWED)} points below. A daily value acts from the hour of its lag on, within
the day, which the engine, whose lags of daily values are whole days, cannot follow; in
the rows "whole days" it acts after whole days. The last column has the links found in
fresh patients of the coupled world, whose signals are all hourly."""


def _row(
    cell: Cell, kind: str, real: Sequence[Row], simulated: Sequence[Row]
) -> list[str]:
    of = kind.partition(" ")[0]
    ours, theirs = found_of(real, of), found_of(simulated, of)
    if not ours.pairs:
        return [title(cell), kind, "0", "0", *["."] * 6]
    gap, low, high = (100 * x for x in below(ours, theirs))
    wrong = [found_of(rows, of, linked=False).point for rows in (real, simulated)]
    return [
        *[title(cell), kind, str(ours.people), str(ours.pairs)],
        *[share(ours.point), share(theirs.point)],
        f"{gap:+.1f} [{low:+.1f}, {high:+.1f}]",
        "yes" if round(gap, 6) <= 100 * ALLOWED else "no",
        *(share(one) for one in wrong),
    ]
