"""The served blend beside others: the first default, each model alone, no model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from export_scripts import bootstrap
from export_scripts.markdown import share, table
from export_scripts.real_windows import OURS, Answered, people, predicted, served

TRANSFORMER, TREES = "symptom_transformer", "symptom_xgboost"
CHOICES: Mapping[str, Mapping[str, float]] = {
    f"0.7 {TRANSFORMER}, 0.3 {TREES}": {TRANSFORMER: 0.7, TREES: 0.3},
    f"{TRANSFORMER} alone": {TRANSFORMER: 1.0},
    f"{TREES} alone": {TREES: 1.0},
    "no model (climatology)": {},
}
HEAD = [
    *["weights", "wql", "mae", "cov80", "cov95"],
    *["served wql lower by, %", "served mae lower by, %"],
]


def blend_section(asked: Answered) -> list[str]:
    """Figures of each choice of weights, and by how much the served ones are lower."""
    ours = bootstrap.drawn(asked.scores[OURS])
    rows = [_row("served", ours, ours)]
    for name, weights in CHOICES.items():
        other = bootstrap.drawn(asked.frame(_blended(asked, name, weights)))
        rows.append(_row(name, other, ours))
    return [
        "## Weights of the blend",
        "",
        f"{people(asked.windows)} Everything but the weights is as served.",
        "",
        *table(
            HEAD,
            rows,
        ),
    ]


def _blended(asked: Answered, name: str, weights: Mapping[str, float]) -> np.ndarray:
    path = served()
    members = path.shipped()
    return predicted(
        lambda batch: path.forecast_with(members, batch, weights=weights),
        asked.windows,
        name,
    )


def _row(name: str, other: bootstrap.Drawn, ours: bootstrap.Drawn) -> list[str]:
    wql, mae, *covered = (
        bootstrap.pooled(other, metric).point
        for metric in ("wql", "mae", "cov80", "cov95")
    )
    lower = [str(bootstrap.lower(ours, other, metric)) for metric in ("wql", "mae")]
    return [
        *[name, f"{wql:.4f}", f"{mae:.4f}", *map(share, covered)],
        *(["."] * 2 if other is ours else lower),
    ]
