"""Series with memory: autoregressions on the hour, many at once."""

from __future__ import annotations

import numpy as np


def remember(
    rng: np.random.Generator,
    tau: np.ndarray,
    hours: int,
    loading: np.ndarray | None = None,
) -> np.ndarray:
    """Stationary series of variance 1, [patient, series, hour].

    `tau` [patient, series] is the correlation time in hours (Ornstein and Uhlenbeck's
    process seen each hour). With `loading` [patient, series, factor] the innovations
    of a patient's series share factors: series i and j correlate by the sum of the
    products of their loadings, as far as their memories agree.
    """
    series = _innovations(rng, tau.shape, hours, loading)
    kept = np.exp(-1 / tau).astype(np.float32)
    series[1:] *= np.sqrt(1 - kept**2)
    carried = np.empty_like(kept)
    for hour in range(1, hours):
        np.multiply(series[hour - 1], kept, out=carried)
        series[hour] += carried
    flat: np.ndarray = np.ascontiguousarray(series.reshape(hours, -1).T)
    flat.shape = (*tau.shape, hours)
    return flat


def _innovations(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    hours: int,
    loading: np.ndarray | None,
) -> np.ndarray:
    """[hour, patient, series] of variance 1: time comes first, for the recursion."""
    fresh: np.ndarray = rng.standard_normal((hours, *shape), dtype=np.float32)
    if loading is None:
        return fresh
    own = 1 - (loading**2).sum(-1)
    fresh *= np.sqrt(own).astype(np.float32)
    for factor in np.moveaxis(loading.astype(np.float32), -1, 0):
        shared = rng.standard_normal((hours, shape[0], 1), dtype=np.float32)
        fresh += shared * factor
    return fresh


def loadings(
    rng: np.random.Generator,
    coupled: np.ndarray,
    series: int,
    largest: float,
) -> np.ndarray:
    """[patient, series, 2] on two shared factors; 0 where not `coupled` [patient].

    The two of a series have at most `largest` squared together.
    """
    size = largest * rng.random((len(coupled), series)) ** 0.25
    angle = rng.uniform(0, 2 * np.pi, (len(coupled), series))
    drawn: np.ndarray = np.stack([size * np.cos(angle), size * np.sin(angle)], axis=-1)
    drawn *= coupled[:, None, None]
    return drawn


def standardised(series: np.ndarray) -> np.ndarray:
    """Mean 0 and standard deviation 1 along the last axis."""
    centred = series - series.mean(-1, keepdims=True)
    scaled: np.ndarray = centred / np.sqrt(
        np.einsum("...t,...t->...", centred, centred)[..., None] / series.shape[-1]
    ).clip(1e-6)
    return scaled
