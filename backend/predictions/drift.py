"""Whether what the models are asked looks like what they were trained on.

Each value that a model sees is counted in the bins of its card's histograms; a day's
counts of everybody are one row, without a patient. The population stability index of a
feature compares 30 days of them with the card,

    PSI = sum over bins of (seen - expected) * ln(seen / expected),

with absent values (NaN) as a bin of their own. It is Jeffreys' divergence of the two
(Jeffreys 1946, doi:10.1098/rspa.1946.0056), used under this name in credit scoring
(Siddiqi 2006, Credit Risk Scorecards; from there the rule of thumb that below 0.1 is
stable and above 0.25 is another population). A share below FLOOR counts as FLOOR, or
one empty bin would make it infinite. Without any drift its mean is about (bins - 1) / n
(Yurdakul & Naranjo 2020, doi:10.21314/JRMV.2020.227), so from few windows it says
nothing and is unknown, which is not zero. Counted are windows, not people, because no
row names a patient: MIN_WINDOWS may be of very few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.db import transaction

from backend.predictions.models import InputCount
from backend.registry.services import channels, production
from backend.twin import features
from backend.twin.features import ForecastWindow
from backend.twin.trajectory import LEVELS, ModelUse

RECENT_DAYS = 30
MIN_WINDOWS = 200
FLOOR = 1e-4
COLUMNS = {
    "history": features.HISTORY_FEATURES,
    "context": features.CONTEXT_FEATURES,
    "features": features.DAY_FEATURES,
    "anchor": tuple(f"q{level:g}" for level in LEVELS),
}

Counts = dict[str, dict[str, list[int]]]  # by array, then by feature; last the missing
Histograms = Mapping[str, Mapping[str, Mapping[str, Any]]]  # of a card; JSON, so `Any`


@dataclass(frozen=True, slots=True)
class Drift:
    """One feature of one model version; `psi` is None where too little was seen."""

    model: str
    version: int
    array: str
    feature: str
    windows: int
    psi: float | None


def count_inputs(
    windows: Sequence[ForecastWindow], uses: Mapping[str, ModelUse], *, day: date
) -> None:
    """Count what the models in `uses` were asked in their cards' histograms.

    A model whose card has none is left out, and one that left production meanwhile.
    Raises DatabaseError: do it beside the answer.
    """
    released = production() if windows and uses else {}
    for model, release in released.items():
        histograms = _histograms(release.card)
        use = uses.get(model)
        if use is None or use.version != release.use.version or not histograms:
            continue
        counts = _counted(features.inputs(model, windows), histograms)
        _add(model, use.version, day, counts=counts, windows=len(windows))


def drift(*, today: date) -> list[Drift]:
    """Every feature of every version that a channel points at and that was asked."""
    cards = {
        (one.use.model, one.use.version): one.card
        for of_model in channels().values()
        for one in of_model.values()
    }
    first = today - timedelta(days=RECENT_DAYS - 1)
    days: dict[tuple[str, int], list[InputCount]] = defaultdict(list)
    for row in InputCount.objects.filter(day__range=(first, today)).order_by("day"):
        days[row.model, row.version].append(row)
    return [
        found
        for key in sorted(days.keys() & cards.keys())
        for found in _drift(*key, days[key], _histograms(cards[key]))
    ]


def psi(counts: Sequence[int], expected: Sequence[float]) -> float:
    """The index of counts per bin against expected shares; both of equal length."""
    seen = np.maximum(np.array(counts) / sum(counts), FLOOR)
    shares = np.maximum(np.array(expected), FLOOR)
    return float(((seen - shares) * np.log(seen / shares)).sum())


def _histograms(card: Mapping[str, Any]) -> Histograms:
    found: Histograms = card.get("histograms", {}).get("arrays", {})
    return found


def _drift(
    model: str, version: int, rows: list[InputCount], histograms: Histograms
) -> Iterator[Drift]:
    windows = sum(row.windows for row in rows)
    total: Counts = {}
    for row in rows:
        total = _sum(total, row.counts)
    for array, by_feature in total.items():
        for feature, counts in by_feature.items():
            one = histograms.get(array, {}).get(feature)
            if one is None:
                continue
            enough = windows >= MIN_WINDOWS
            shares = [*one["shares"], one["missing"]]
            found = psi(counts, shares) if enough else None
            yield Drift(model, version, array, feature, windows, found)


def _counted(arrays: Mapping[str, np.ndarray], histograms: Histograms) -> Counts:
    """Counts of every feature that the card has a histogram of."""
    return {
        array: {
            feature: _in_bins(column, np.array(histograms[array][feature]["edges"]))
            for feature, column in _columns(array, values)
            if feature in histograms[array]
        }
        for array, values in arrays.items()
        if array in histograms
    }


def _columns(array: str, values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Each feature with its values of all windows, and of all days of them."""
    return zip(COLUMNS[array], values.reshape(-1, values.shape[-1]).T, strict=True)


def _in_bins(values: np.ndarray, edges: np.ndarray) -> list[int]:
    """Bin i holds edges[i] <= x < edges[i + 1]; outside counts in the outermost."""
    known = values[~np.isnan(values)]
    bins = len(edges) - 1
    place = np.clip(np.searchsorted(edges, known, side="right") - 1, 0, bins - 1)
    inside: list[int] = np.bincount(place, minlength=bins).tolist()
    return [*inside, len(values) - len(known)]


def _add(model: str, version: int, day: date, *, counts: Counts, windows: int) -> None:
    """Add to the day's row; under its lock, because many processes do."""
    with transaction.atomic():
        row, _ = InputCount.objects.select_for_update().get_or_create(
            model=model, version=version, day=day
        )
        row.counts = _sum(row.counts, counts)
        row.windows += windows
        row.save(update_fields=["counts", "windows"])


def _sum(one: Counts, other: Counts) -> Counts:
    """Feature by feature; both were counted with the same card."""
    return {
        array: {
            feature: [
                a + b
                for a, b in zip(
                    one.get(array, {}).get(feature, [0] * len(counts)),
                    counts,
                    strict=True,
                )
            ]
            for feature, counts in by_feature.items()
        }
        for array, by_feature in other.items()
    }
