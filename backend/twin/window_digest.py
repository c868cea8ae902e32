"""What a forecast rests on, as one number: equal windows, equal digests."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import numpy as np

from backend.twin.calibration import earlier_windows
from backend.twin.features import CONTEXT, HISTORY_FEATURES, ForecastWindow


def window_digest(window: ForecastWindow) -> str:
    """sha256 over the scale's ends and the entries inside the window, hexadecimal.

    For diaries the days on which treatment changed go in as well. Nothing else does:
    neither other instruments nor entries before the window can change the forecast, so
    they must not change its name. The order of the entries does not count.
    """
    scale = window.series.scale
    first_day = window.last_day - timedelta(days=CONTEXT - 1)
    lines = sorted(
        f"{entry.day}|{entry.at}|{entry.value!r}|{entry.source}"
        for entry in window.series.entries
        if first_day <= entry.day <= window.last_day
    )
    changes = _all_changes(window) if window.medications else []
    told = "|".join(changes) if any(changes) else ""
    ends = f"{scale.system}|{scale.code}|{scale.low!r}|{scale.high!r}"
    known = "\n".join([ends, told, *lines])
    return hashlib.sha256(known.encode()).hexdigest()


def _all_changes(window: ForecastWindow) -> list[str]:
    """Those of a diary's window, and of its earlier ones, which may see others.

    No other forecast knows of treatment.
    """
    if window.series.scale.cadence != "daily":
        return []
    return [_changes(one) for one in (window, *earlier_windows(window))]


def _changes(window: ForecastWindow) -> str:
    """The days of a window on which treatment changed, and which way."""
    treated = window.history[:, HISTORY_FEATURES.index("treatment")]
    return ",".join(f"{day}:{treated[day]:g}" for day in np.flatnonzero(treated))
