"""Two spikes that meet are no link; a link between skewed series stays one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.twin.correlation.engine import find_links
from backend.twin.correlation.extremes import calmed, extreme_pairs
from backend.twin.correlation.link import Link
from backend.twin.correlation.streams import (
    BiometricStream,
    CorrelationWindow,
    SymptomStream,
)
from tests.twin.correlation.made import HOUR, START, course

DAYS, BEFORE = 60, 72
HOURS = BEFORE + 24 * DAYS
AT = (BEFORE + 24 * np.arange(DAYS)[:, None] + [9, 13, 17, 21]).ravel()


def window(signal: np.ndarray, felt: np.ndarray) -> CorrelationWindow:
    """A signal of every hour, and reports at `AT`."""
    return CorrelationWindow(
        (BiometricStream("pulse", START + HOUR * np.arange(HOURS), signal),),
        (SymptomStream("worry", START + HOUR * AT, felt, "high"),),
        START,
        START + BEFORE * HOUR,
        START + HOURS * HOUR,
    )


def series(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return course(rng, HOURS, 8.0), course(rng, HOURS, 36.0)


def met(seed: int) -> Link:
    """Nothing linked; one bad hour of the signal, a day before one very bad report."""
    signal, own = series(seed)
    felt = np.round(5 + 1.8 * own[AT])
    signal[AT[120] - 26 : AT[120] - 22] += 20
    felt[120] = 60
    (link,) = find_links(window(signal, felt))
    return link


def test_spikes_that_meet_are_no_link() -> None:
    told = [met(seed) for seed in range(10)]
    assert sum(one.published for one in told) <= 1
    reasons = [reason for one in told for reason in one.reasons]
    assert reasons.count("what stands out are a few extreme values alone") >= 8


def test_a_link_of_skewed_series_stays_one() -> None:
    signal, own = series(1)
    felt = 0.7 * signal[AT - 12] + 0.7 * own[AT]
    (link,) = find_links(window(np.exp(1.2 * signal), np.round(5 * np.exp(felt))))
    assert link.published and link.direct and link.lag_hours == pytest.approx(12, abs=2)


def test_only_what_has_extremes_is_replaced() -> None:
    signal, own = series(2)
    felt = np.round(5 + 1.8 * own[AT])
    assert not extreme_pairs(window(signal, felt))
    signal[40], signal[41] = 1e9, np.nan
    assert not extreme_pairs(window(signal, felt))  # one side alone
    calm = calmed(window(signal, felt))
    (pulse,), (worry,) = calm.biometrics, calm.symptoms
    assert np.array_equal(worry.values, felt)
    assert np.isnan(pulse.values[41]) and np.nanmax(pulse.values) < 4
    known = np.isfinite(signal)
    assert (pulse.values[known].argsort() == signal[known].argsort()).all()
    felt[3] = 90
    assert extreme_pairs(window(signal, felt)) == {(0, 0)}


def test_nothing_measured_has_no_extremes() -> None:
    absent, felt = np.full(HOURS, np.nan), np.zeros(len(AT))
    felt[3] = 9
    assert not extreme_pairs(window(absent, felt))


def test_what_cannot_be_looked_at_again_is_told_as_ever() -> None:
    """Beside two that meet, a flat signal and a symptom with too few reports."""
    signal, _ = series(1)
    made = window(np.exp(1.2 * signal), np.round(5 * np.exp(signal[AT - 12])))
    flat = replace(made.biometrics[0], name="flat", values=np.eye(1, HOURS, 9)[0])
    few = replace(made.symptoms[0], name="few", times=made.symptoms[0].times[:9])
    few = replace(few, values=np.r_[np.zeros(8), 9.0])
    crowd = replace(
        made, biometrics=(*made.biometrics, flat), symptoms=(*made.symptoms, few)
    )
    assert (0, 1) in extreme_pairs(crowd) and (1, 0) in extreme_pairs(crowd)
    told = {(one.biometric, one.symptom): one for one in find_links(crowd)}
    assert told["pulse", "worry"].published
    assert not told["pulse", "few"].examined
