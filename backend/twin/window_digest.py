"""What a forecast rests on, as one number: equal windows, equal digests."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from backend.twin.features import CONTEXT, ForecastWindow


def window_digest(window: ForecastWindow) -> str:
    """sha256 over the scale's ends and the entries inside the window, hexadecimal.

    Nothing else goes in: neither other instruments nor entries before the window can
    change the forecast, so they must not change its name. The order of the entries does
    not count.
    """
    scale = window.series.scale
    first_day = window.last_day - timedelta(days=CONTEXT - 1)
    lines = sorted(
        f"{entry.day}|{entry.at}|{entry.value!r}|{entry.source}"
        for entry in window.series.entries
        if first_day <= entry.day <= window.last_day
    )
    ends = f"{scale.system}|{scale.code}|{scale.low!r}|{scale.high!r}"
    return hashlib.sha256("\n".join([ends, *lines]).encode()).hexdigest()
