"""Medicines begun, raised, tapered and stopped, and what they do to symptoms.

After a start or a raise a symptom may get a little worse for some days, then better
after a delay and over weeks; after a stop or a cut it comes back, sometimes with
discontinuation symptoms in the first week (onset over weeks: Taylor et al. 2006,
doi:10.1001/archpsyc.63.11.1217; discontinuation: Davies & Read 2019,
doi:10.1016/j.addbeh.2018.08.027). Sizes are drawn per person, in own units of spread.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

TREATED = 0.3  # share of people with any change of treatment
KNOWN = 0.7  # share of those whose changes are in the record


class Treatment(NamedTuple):
    """Effects, and the changes that a record shows."""

    effect: np.ndarray  # (person, day) own units; below 0 is a smaller symptom
    changes: np.ndarray  # (person, day) +1 begun or raised, -1 cut or stopped, else 0


def simulate_treatment(rng: np.random.Generator, *, count: int, days: int) -> Treatment:
    """Up to two changes a person: a start or raise, and later perhaps a cut or stop."""
    treated = rng.random(count) < TREATED
    begun = rng.integers(-30, days, count)
    stopped = begun + rng.integers(14, 120, count)
    stops = treated & (rng.random(count) < 0.5)
    only_stop = treated & (rng.random(count) < 0.25)  # on it since long before
    begun = np.where(only_stop, -10_000, begun)
    stopped = np.where(only_stop, rng.integers(0, days, count), stopped)
    stops |= only_stop
    size = rng.gamma(2.0, 0.45, (count, 1)) * (rng.random((count, 1)) < 0.75)
    time = np.arange(days)
    since, after = time - begun[:, None], time - stopped[:, None]
    after = np.where(stops[:, None], after, -1)
    effect = _onset(rng, since, size) + _offset(rng, after, size)
    changes = (since == 0) * 1.0 - (after == 0)
    known = treated & (rng.random(count) < KNOWN)
    return Treatment(
        effect=np.where(treated[:, None], effect, 0.0),
        changes=np.where(known[:, None], changes, 0.0),
    )


def _onset(rng: np.random.Generator, since: np.ndarray, size: np.ndarray) -> np.ndarray:
    """First a little worse, then better: [person, day] from days since the start."""
    count = len(since)
    delay = rng.uniform(4, 21, (count, 1))
    pace = rng.uniform(7, 30, (count, 1))
    better = size * (1 - np.exp(-(since - delay).clip(0) / pace))
    worse = rng.uniform(0, 0.6, (count, 1)) * np.exp(-since.clip(0) / 5.0)
    effect: np.ndarray = np.where(since >= 0, worse - better, 0.0)
    return effect


def _offset(
    rng: np.random.Generator, after: np.ndarray, size: np.ndarray
) -> np.ndarray:
    """Discontinuation for a week, and in part of the people a slow return."""
    count = len(after)
    back = size * rng.uniform(0, 1, (count, 1))
    pace = rng.uniform(10, 40, (count, 1))
    worse = rng.uniform(0, 0.8, (count, 1)) * np.exp(-after.clip(0) / 4.0)
    slow = back * (1 - np.exp(-after.clip(0) / pace))
    effect: np.ndarray = np.where(after >= 0, worse + slow, 0.0)
    return effect
