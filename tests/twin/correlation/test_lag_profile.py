"""The statistics that a network takes: shapes, meanings, and zeros for nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.twin.correlation.lag_profile import (
    CHANNELS,
    PAIR_CONTEXT,
    SYMPTOM_CONTEXT,
    Profiles,
    profile,
)
from backend.twin.correlation.streams import BiometricStream
from tests.twin.correlation.made import (
    World,
    clock,
    noise_stream,
    window,
    with_biometrics,
    with_symptoms,
)

WORLD = World()
MADE = window(WORLD)
PULSE, WORRY = MADE.biometrics[0], MADE.symptoms[0]
DEAD = BiometricStream("dead", clock(200), np.ones(200))
FEW = replace(WORRY, name="few", times=WORRY.times[:9], values=WORRY.values[:9])


@pytest.fixture(scope="module")
def made() -> Profiles:
    both = with_biometrics(MADE, DEAD, PULSE, noise_stream("noise", 3, PULSE))
    return profile(with_symptoms(both, WORRY, FEW))


def channel(made: Profiles, name: str, biometric: int) -> np.ndarray:
    return np.asarray(made.values[0, biometric, CHANNELS.index(name)])


def test_shapes_and_types(made: Profiles) -> None:
    assert made.values.shape == (2, 3, len(CHANNELS), len(made.lags))
    assert made.pairs.shape == (2, 3, len(PAIR_CONTEXT))
    assert made.symptoms.shape == (2, len(SYMPTOM_CONTEXT))
    assert {a.dtype for a in (made.values, made.pairs, made.symptoms)} == {
        np.dtype(np.float32)
    }
    assert np.isfinite(made.values).all()


def test_what_cannot_be_examined_is_zero(made: Profiles) -> None:
    assert not made.values[1].any()
    assert not made.pairs[1].any()
    assert not made.symptoms[1].any()
    assert not made.values[:, 0].any()
    assert made.pairs[0, :, PAIR_CONTEXT.index("known")].tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    "name", ["z", "z_given_others", "whitened_r", "raw_r", "lag_posterior"]
)
def test_the_link_peaks_at_its_lag(made: Profiles, name: str) -> None:
    at = made.lags[np.abs(channel(made, name, 1)).argmax()]
    assert abs(at - WORLD.lag) <= 1


def test_channels_mean_what_they_say(made: Profiles) -> None:
    zero = int((made.lags < 0).sum())
    assert channel(made, "autocorrelation", 1)[zero] == pytest.approx(1.0)
    assert np.abs(channel(made, "whitened_r", 1)).max() <= 1
    assert channel(made, "coverage", 1)[zero:].mean() == pytest.approx(0.9, abs=0.05)
    assert channel(made, "coverage", 1)[0] <= 1
    assert channel(made, "lag_posterior", 1).sum() == pytest.approx(1.0, abs=0.01)
    assert (channel(made, "precision", 1) > 0).all()
    others, alone = channel(made, "z_given_others", 2), channel(made, "z", 2)
    assert np.abs(others).max() < np.abs(channel(made, "z", 1)).max()
    assert not np.array_equal(others, alone)


def test_context_is_that_of_the_record(made: Profiles) -> None:
    said = dict(zip(SYMPTOM_CONTEXT, made.symptoms[0].tolist(), strict=True))
    assert said["log_n"] == pytest.approx(np.log(len(WORRY.times)))
    assert said["log_days"] == pytest.approx(np.log(WORLD.days))
    assert 0 < said["freedom_share"] < 1


def test_without_biometrics_there_is_nothing() -> None:
    empty = profile(with_biometrics(MADE))
    assert empty.values.shape == (1, 0, len(CHANNELS), len(empty.lags))
    assert not empty.symptoms.any()
