"""What a card says of a model's inputs: every column, and how it was spread.

Nothing here is a clinical code: the columns are derived numbers, which LOINC and SNOMED
CT do not name, so they carry codes of our own and the card says so.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from backend.inference.agreement import COLUMNS
from backend.twin.features import CONTEXT, SD_FLOOR, TRANSFORMATION, Z_LIMIT
from export_scripts.datasets import Windows, simulated_windows

SAMPLED = 5000  # people
BINS = 10
CODES = {
    "mindtwin": (
        f"names of columns in backend/twin/features.py, transformation "
        f"{TRANSFORMATION}; derived numbers, which LOINC and SNOMED CT have no code for"
    )
}


class Column(NamedTuple):
    """Unit, range and what stands where nothing was said."""

    unit: str
    range: tuple[float, float]
    missing: str = "absent days do not count"


_Z = "z: from the window's mean, over its standard deviation"
_NEVER = "never: there is one in every window"
_SINGLE = "NaN where that day is absent"
_WEEKDAY = "NaN in the last row, which is no day"
_PLAIN = Column(_Z, (-Z_LIMIT, Z_LIMIT))
_SPREAD = Column("z, a distance", (0.0, Z_LIMIT))
_SHARE = Column("share of the scale's width", (0.0, 1.0), _NEVER)
_DAYS = Column("share of the answered days", (0.0, 1.0))
_LOG = Column("natural logarithm of a count", (0.0, math.log(CONTEXT)), _NEVER)
_PRODUCT = Column("mean product of two z, shrunk", (-Z_LIMIT, Z_LIMIT))
_FRESH = Column(
    "exp(-days since the last change / 14)", (0.0, 1.0), "0: no change is known"
)
# All others are plain z values.
_SPECIAL = {
    "value_z": Column(_Z, (-Z_LIMIT, Z_LIMIT), "0, and observed = 0"),
    "observed": Column("1 answered, 0 not", (0.0, 1.0), _NEVER),
    "treatment": Column("+1 more, -1 less", (-1.0, 1.0), "0: no change is known"),
    "low_z": Column(_Z, (-Z_LIMIT, 0.0), _NEVER),
    "high_z": Column(_Z, (0.0, Z_LIMIT), _NEVER),
    "step_z": Column("z, a distance", (0.0, Z_LIMIT), "0: no step is sure"),
    "mean_share": _SHARE,
    "log_sd_share": Column(
        "natural logarithm of a share of the scale's width",
        (math.log(SD_FLOOR), math.log(0.5)),
        _NEVER,
    ),
    **dict.fromkeys(("floor_share", "ceiling_share", "floor_share_14"), _DAYS),
    **dict.fromkeys(("log_levels", "log_observed", "log_span"), _LOG),
    **dict.fromkeys(
        ("adherence", "adherence_14"), Column("share of days", (0.0, 1.0), _NEVER)
    ),
    **dict.fromkeys(("ew14_sd", "sd14", "step"), _SPREAD),
    **dict.fromkeys(("acf1", "acf2", "acf7"), _PRODUCT),
    "skew": Column("mean cube of z", (-Z_LIMIT, Z_LIMIT)),
    **dict.fromkeys(("treatment_more", "treatment_less"), _FRESH),
    "day": Column("share of the horizon, 0 = its mean", (0.0, 1.0), _NEVER),
    "lag1_z": Column(_Z, (-Z_LIMIT, Z_LIMIT), _SINGLE),
    "lag2_z": Column(_Z, (-Z_LIMIT, Z_LIMIT), _SINGLE),
    "same_weekday_z": Column(_Z, (-Z_LIMIT, Z_LIMIT), f"{_SINGLE}; {_WEEKDAY}"),
    "weekday_mean_z": Column(_Z, (-Z_LIMIT, Z_LIMIT), _WEEKDAY),
}


def described(name: str) -> dict[str, Any]:
    """The card's part on one input array: its columns in order."""
    return {"dtype": "float32", "features": [_feature(c) for c in COLUMNS[name]]}


def sampled(seed: int) -> Windows:
    """Windows of people as a training with this seed sees them."""
    return simulated_windows(np.random.default_rng([seed, 1]), SAMPLED)


def data_digest(windows: Windows) -> dict[str, str]:
    """The card's digest of training data, which are drawn anew and kept nowhere."""
    digest = hashlib.sha256()
    for array in (*windows.arrays, windows.target):
        digest.update(np.ascontiguousarray(array, dtype=np.float32).tobytes())
    return {
        "value": digest.hexdigest(),
        "how": (
            f"of the float32 bytes of {SAMPLED} windows and their targets, drawn by "
            "the simulator from numpy's default_rng([seed, 1]); training draws its "
            "people the same way and keeps no file. Another processor may round the "
            "last bit differently."
        ),
    }


def histograms(windows: Windows, names: Sequence[str]) -> dict[str, Any]:
    """The card's histograms of each column, over windows, days and rows alike."""
    return {
        "people": len(windows.target),
        "data": "simulated people, drawn as in training",
        "arrays": {
            name: {
                column: histogram(values, _SPECIAL.get(column, _PLAIN).range)
                for column, values in zip(
                    COLUMNS[name], _columns(getattr(windows.arrays, name)), strict=True
                )
            }
            for name in names
        },
    }


def histogram(values: np.ndarray, limits: tuple[float, float]) -> dict[str, Any]:
    """About ten bins of like share; a value that is frequent has one of its own.

    An edge lies halfway between two neighbouring values, so a number that moves by a
    last bit stays in its bin.
    """
    low, high = limits
    present = np.clip(values[~np.isnan(values)].astype(np.float64), low, high)
    edges = [low, *(cut for cut in _cuts(present) if low < cut < high), high]
    shares = np.histogram(present, edges)[0] / len(values)
    return {
        "edges": edges,
        "shares": [round(float(share), 6) for share in shares],
        "missing": round(1 - len(present) / len(values), 6),
    }


def _cuts(present: np.ndarray) -> list[float]:
    """Between all values where they are few, below each decile otherwise.

    A value that is two deciles or more is cut off above as well.
    """
    found = np.unique(np.round(present, 6))
    middles = (found[1:] + found[:-1]) / 2
    if len(middles) >= BINS:
        deciles = np.quantile(present, np.arange(1, BINS) / BINS, method="lower")
        at, times = np.unique(
            np.searchsorted(found, np.round(deciles, 6)), return_counts=True
        )
        chosen = {*(at - 1), *at[times > 1]}
        middles = middles[sorted(i for i in chosen if 0 <= i < len(middles))]
    return sorted({float(f"{cut:.6g}") for cut in middles})


def _feature(column: str) -> dict[str, Any]:
    found = _SPECIAL.get(column, _PLAIN)
    return {
        "name": column,
        "unit": found.unit,
        "code": f"mindtwin:{column}",
        "range": list(found.range),
        "missing": found.missing,
    }


def _columns(array: np.ndarray) -> np.ndarray:
    """[window, ..., column] as [column, everything else]."""
    return array.reshape(-1, array.shape[-1]).T
