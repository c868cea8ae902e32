"""How good answers about links are, where the truth is known."""

from __future__ import annotations

import numpy as np

from backend.twin.correlation.intervals import Z90, lag_ends, median_lag


def scores(answer: np.ndarray, truth: dict[str, np.ndarray]) -> dict[str, float]:
    """Of `links` [row, biometric, column] against `Rows.truth`.

    `auc`, `ece` (ten bins) and `log_score` of p(link) over all pairs that are scored;
    over linked ones `ci90`, the share of coefficients inside, and `size_error`; over
    those more likely than not, `lag90` and `lag_error` in hours.
    """
    scored = truth["scored"] > 0
    found, linked = answer[scored].astype(np.float64), truth["linked"][scored] > 0
    weight, lag = truth["weight"][scored], truth["lag"][scored]
    sized, seen = (
        linked & np.isfinite(weight),
        linked & (lag >= 0) & (found[:, 0] > 0.5),
    )
    gap = np.abs(found[:, 1] - weight)[sized]
    low, high = lag_ends(found[seen, 3:])
    inside = (lag[seen] >= low) & (lag[seen] <= high)
    p_link = found[:, 0].clip(1e-6, 1 - 1e-6)
    return {
        "pairs": float(len(linked)),
        "linked": _mean(linked),
        "auc": auc(p_link, linked),
        "ece": calibration_error(p_link, linked),
        "log_score": -_mean(np.log(np.where(linked, p_link, 1 - p_link))),
        "ci90": _mean(gap <= Z90 * found[sized, 2]),
        "size_error": _mean(gap),
        "lag90": _mean(inside),
        "lag_error": _mean(np.abs(median_lag(found[seen, 3:]) - lag[seen])),
    }


def auc(p_link: np.ndarray, linked: np.ndarray) -> float:
    """Chance that a linked pair is likelier than one without a link; ties count half.

    NaN where there is only one kind.
    """
    count = int(linked.sum())
    if count in (0, len(linked)):
        return float("nan")
    _, place, times = np.unique(p_link, return_inverse=True, return_counts=True)
    ranks = (times.cumsum() - (times - 1) / 2)[place]
    won = ranks[linked].sum() - count * (count + 1) / 2
    return float(won / (count * (len(linked) - count)))


def calibration_error(p_link: np.ndarray, linked: np.ndarray, bins: int = 10) -> float:
    """Mean distance of a bin's p(link) from its share of links, by size of the bin."""
    bin_of = np.clip((p_link * bins).astype(int), 0, bins - 1)
    gaps = np.bincount(bin_of, p_link - linked, minlength=bins)
    return float(np.abs(gaps).sum() / max(len(p_link), 1))


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
