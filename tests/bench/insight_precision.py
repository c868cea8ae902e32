"""What insights are worth on simulated patients whose links are known.

    python -m tests.bench.insight_precision [patients, by default 1000]

Precision of each grade in the wide family, then false insights of patients who have no
link at all. Figures, and what they mean, are in docs/methods/correlation.md.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from backend.twin.correlation.engine import find_links
from backend.twin.correlation.insights import Insight, insights
from backend.twin.measures import measures
from backend.twin.simulation.wearables.batch import (
    Truth,
    draw_shape,
    simulate_wearables,
)
from backend.twin.simulation.wearables.family import WIDE, Family
from backend.twin.simulation.wearables.windows import SYMPTOMS, window_of

SEED = 20_261_123
BATCH = 8
NAMES = tuple(measures())  # twelve biometrics at most, so each gets words
Shape = tuple[int, int, int]
ONE_A_DAY: Shape = (30, 4, 4)


def measured(
    family: Family, people: int, shape: Shape | None = None
) -> Iterator[tuple[Insight, bool]]:
    """Every direct insight, and whether the truth has its link, either way round."""
    rng = np.random.default_rng(SEED)
    for _ in range(0, people, BATCH):
        drawn = shape or draw_shape(rng, family)
        batch = simulate_wearables(rng, family, people=BATCH, shape=drawn)
        for patient in range(BATCH):
            window = window_of(batch, patient)
            named = tuple(
                replace(one, name=name)
                for one, name in zip(window.biometrics, NAMES, strict=False)
            )
            links = find_links(replace(window, biometrics=named))
            for insight in insights(links, dict.fromkeys(SYMPTOMS, "high")):
                if insight.link.direct:
                    yield insight, _is_true(insight, batch.truth, patient)


def _is_true(insight: Insight, truth: Truth, patient: int) -> bool:
    at = (
        patient,
        NAMES.index(insight.link.biometric),
        SYMPTOMS.index(insight.link.symptom),
    )
    return bool(np.isfinite(truth.weight[at]) or np.isfinite(truth.reverse_weight[at]))


def main() -> None:
    """Print both tables."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    said, true = Counter[str](), Counter[str]()
    for insight, is_true in measured(WIDE, people):
        said[insight.grade] += 1
        true[insight.grade] += is_true
    for grade in ("high", "medium", "low"):
        share = true[grade] / max(said[grade], 1)
        print(f"{grade:8s}{said[grade]:6d} insights, {share:.3f} of them links")
    unlinked = replace(WIDE, link_prior=(0.0, 0.0), reverse=0.0)
    daily = replace(unlinked, reports_a_day=(1, 1))
    for name, family, shape in (
        ("30 days, 1 report", daily, ONE_A_DAY),
        ("any shape", unlinked, None),
    ):
        false = sum(1 for _ in measured(family, people, shape))
        print(f"no links, {name}: {false / people:.4f} false insights a patient")


if __name__ == "__main__":
    main()
