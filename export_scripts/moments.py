"""How near simulated people come to people in openly licensed diaries: their moments.

    python -m export_scripts.moments

Prints a table, real beside simulated, by the number of days observed; the constants of
`backend/twin/simulation` were set by hand with it. Data sets weigh the same, and so do
the people of each. Reads tier A of ../shared/data/symptoms only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.twin.features import CONTEXT_FEATURES, HISTORY_FEATURES
from backend.twin.trajectory import HORIZON
from export_scripts.datasets import Windows, simulated_windows
from export_scripts.markdown import table
from export_scripts.tier_a import DIARIES, People, tier_a_people

PEOPLE = 20_000  # simulated
SEED = 7_700_003
BINS = ((7, 127), (7, 26), (26, 127))  # observed days: all, few, many
VALUE, OBSERVED = (HISTORY_FEATURES.index(name) for name in ("value_z", "observed"))
NAMED = {
    "answers on the floor": "floor_share",
    "answers on the ceiling": "ceiling_share",
    "autocorrelation, 1 day": "acf1",
    "autocorrelation, 2 days": "acf2",
    "autocorrelation, 7 days": "acf7",
    "days answered": "adherence",
}


def moments(windows: Windows) -> dict[str, np.ndarray]:
    """What describes each window [window]; z units where nothing else is said."""
    z = windows.arrays.history[:, :, VALUE].astype(float)
    seen = windows.arrays.history[:, :, OBSERVED] > 0
    count = seen.sum(1)
    target = windows.target[:, :HORIZON].astype(float)
    both = seen[:, 1:] & seen[:, :-1]
    same = both & (np.abs(np.diff(z, axis=1)) < 1e-4)
    context = windows.arrays.context
    return {
        **{name: context[:, CONTEXT_FEATURES.index(c)] for name, c in NAMED.items()},
        "sd, share of the scale": 1 / windows.width,
        "same answer as the day before": same.sum(1) / np.maximum(both.sum(1), 1),
        "fourth moment": (z**4).sum(1) / count,
        "days ahead, mean distance from the mean": np.nanmean(np.abs(target), axis=1),
        "days ahead, sd among them": np.nanstd(target, axis=1),
        "fortnight ahead, mean square": np.nanmean(target, axis=1) ** 2,
        "observed days": count.astype(float),
    }


def weights(people: People) -> np.ndarray:
    """Weights [window]: data sets alike, and in them people."""
    windows = np.bincount(people.person)
    sets = [name.split("/")[0] for name in people.names]
    each = 1 / np.array([sets.count(name) for name in sets]) / windows
    weight: np.ndarray = each[people.person]
    return weight


def averages(found: dict[str, np.ndarray], weight: np.ndarray) -> list[list[float]]:
    """Weighted means: one row per moment but the last, one column per bin."""
    days = found["observed days"]
    inside = [weight * ((days >= low) & (days < high)) for low, high in BINS]
    return [
        [float((values * w).sum() / w.sum()) for w in inside]
        for name, values in found.items()
        if name != "observed days"
    ]


def lines(
    real: Sequence[Sequence[float]], made: Sequence[Sequence[float]]
) -> list[str]:
    """A Markdown table: in each cell real, then simulated."""
    head = [f"{low} to {high - 1} days" for low, high in BINS]
    names = [*NAMED, *_REST]
    rows = [
        [name, *(f"{r:.2f} / {m:.2f}" for r, m in zip(*pair, strict=True))]
        for name, *pair in zip(names, real, made, strict=True)
    ]
    return table(["real / simulated", *head], rows)


_REST = (
    "sd, share of the scale",
    "same answer as the day before",
    "fourth moment",
    "days ahead, mean distance from the mean",
    "days ahead, sd among them",
    "fortnight ahead, mean square",
)


def main() -> None:
    """Print the table."""
    if not DIARIES.exists():
        print("no diaries in ../shared: nothing to compare with")
        return
    people = tier_a_people()
    real = moments(people.windows)
    made = moments(simulated_windows(np.random.default_rng(SEED), PEOPLE))
    rows = lines(averages(real, weights(people)), averages(made, np.ones(PEOPLE)))
    print("\n".join(rows))


if __name__ == "__main__":
    main()
