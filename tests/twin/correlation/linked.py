"""Links made by hand for the tests of what is said of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backend.twin.correlation.link import Link

WINDOW = (
    np.datetime64("2026-01-05T00:00:00", "s"),
    np.datetime64("2026-03-06T00:00:00", "s"),
)

STRONG = Link(
    biometric="hrv-rmssd",
    symptom="anxiety-0-10",
    window=WINDOW,
    n=200,
    coverage=0.9,
    lag_unit="hours",
    coefficient=-0.5,
    ci=(-0.6, -0.4),
    lag_hours=20.0,
    lag_interval=(15.0, 26.0),
    p_link=0.999,
    p_value=1e-9,
    q_value=1e-8,
    p_marginal=1e-9,
    n_eff=80.4,
    reports_needed=90,
    direct=True,
    published=True,
)
ASSOCIATED = replace(STRONG, direct=False, p_link=0.1, p_value=0.4, q_value=0.6)
SILENT = replace(
    STRONG,
    coefficient=0.05,
    ci=(-0.2, 0.3),
    p_link=0.1,
    p_value=0.5,
    q_value=0.8,
    p_marginal=0.5,
    direct=None,
    published=False,
    reasons=("no link stands out; to find one of 0.3 takes about 300 reports",),
)


def turned(link: Link) -> Link:
    """The link of the same symptom on a scale that runs the other way."""
    low, high = link.ci or (0.0, 0.0)
    return replace(link, coefficient=-(link.coefficient or 0.0), ci=(-high, -low))


def reversed_in_time(link: Link) -> Link:
    """The link of the same series told backwards."""
    low, high = link.lag_interval or (0.0, 0.0)
    return replace(link, lag_hours=-(link.lag_hours or 0.0), lag_interval=(-high, -low))
