"""Whatever is delivered, every pair gets an answer that makes sense."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.twin.correlation.engine import find_links
from backend.twin.correlation.lag_profile import profile
from backend.twin.correlation.link import Link
from backend.twin.correlation.streams import (
    BiometricStream,
    CorrelationWindow,
    SymptomStream,
)
from tests.twin.correlation.made import HISTORY, HOUR, START

KINDS = ("noise", "constant", "two values", "spikes", "gaps", "trend")


def values(kind: str, count: int, rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal(count)
    return {
        "noise": noise,
        "constant": np.full(count, 7.0),
        "two values": (noise > 1.5) * 1.0,
        "spikes": noise + 1e6 * (noise > 2),
        "gaps": np.where(noise > 0.5, np.nan, noise),
        "trend": np.linspace(0, 1e-3, count),
    }[kind]


def moments(count: int, hours: int, rng: np.random.Generator) -> np.ndarray:
    seconds = rng.integers(-3600 * 24, 3600 * (hours + 24), count)
    return START + seconds.astype("timedelta64[s]")


def sensible(link: Link) -> None:
    assert link.examined is not bool(link.reasons and link.ci is None)
    if link.ci is None or link.lag_interval is None:
        assert not link.published
        return
    assert link.coefficient is not None
    assert link.lag_hours is not None
    assert link.ci[0] <= link.coefficient <= link.ci[1]
    assert np.isfinite(link.ci).all()
    assert link.lag_interval[0] <= link.lag_hours <= link.lag_interval[1]
    assert link.n_eff is not None
    assert 0 < link.n_eff <= link.n + 1e-6
    for share in (link.p_link, link.p_value, link.q_value, link.p_marginal):
        assert share is not None
        assert 0 <= share <= 1


@given(
    seed=st.integers(0, 10_000),
    days=st.integers(1, 40),
    body=st.lists(
        st.tuples(st.sampled_from(KINDS), st.integers(0, 900), st.booleans()),
        max_size=3,
    ),
    told=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 120)), max_size=2),
)
@settings(max_examples=60)
def test_any_window_gets_an_answer_for_every_pair(
    seed: int,
    days: int,
    body: list[tuple[str, int, bool]],
    told: list[tuple[str, int]],
) -> None:
    rng = np.random.default_rng(seed)
    hours = HISTORY + 24 * days
    made = CorrelationWindow(
        tuple(
            BiometricStream(
                f"body {i}", moments(n, hours, rng), values(kind, n, rng), nightly
            )
            for i, (kind, n, nightly) in enumerate(body)
        ),
        tuple(
            SymptomStream(f"told {i}", moments(n, hours, rng), values(kind, n, rng))
            for i, (kind, n) in enumerate(told)
        ),
        START,
        START + HISTORY * HOUR,
        START + hours * HOUR,
    )
    found = find_links(made)
    assert len(found) == len(body) * len(told)
    for link in found:
        sensible(link)
    assert np.isfinite(profile(made).values).all()
