"""Every pair of a window, judged: links, associations, silence and its reasons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.twin.correlation.engine import Rule, find_links
from backend.twin.correlation.link import Link
from backend.twin.correlation.streams import BiometricStream, CorrelationWindow
from tests.twin.correlation.made import (
    HISTORY,
    HOUR,
    START,
    World,
    clock,
    course,
    noise_stream,
    window,
    with_biometrics,
    with_symptoms,
)

WORLD = World()
MADE = window(WORLD)
PULSE, WORRY = MADE.biometrics[0], MADE.symptoms[0]


def only(made: CorrelationWindow, rule: Rule | None = None) -> Link:
    (link,) = find_links(made, rule=rule)
    return link


@pytest.mark.parametrize("r", [0.7, -0.7])
@pytest.mark.parametrize("lag", [0, 7, 20, 60])
def test_a_link_is_found_with_its_lag_and_sign(r: float, lag: int) -> None:
    link = only(window(World(r=r, lag=lag, seed=lag)))
    assert link.published
    assert link.direct
    assert link.examined
    assert link.lag_hours == pytest.approx(lag, abs=1)
    assert np.sign(link.coefficient) == np.sign(r)
    assert link.reasons == ()
    assert link.q_value is not None
    assert link.q_value < 1e-4
    assert link.n_eff is not None
    assert link.n_eff < link.n
    assert link.lag_unit == "hours"


def test_a_symptom_that_comes_first_is_reported_as_such() -> None:
    rng = np.random.default_rng(3)
    hours = HISTORY + 24 * 40
    worry = course(rng, hours, 20.0)
    pulse = 0.8 * np.roll(worry, 9) + 0.6 * course(rng, hours, 6.0)
    at = (HISTORY + 24 * np.arange(39)[:, None] + np.array([9, 13, 17, 21])).ravel()
    made = replace(
        MADE,
        biometrics=(BiometricStream("pulse", clock(hours), pulse),),
        symptoms=(replace(WORRY, times=clock(hours)[at], values=worry[at]),),
    )
    link = only(made)
    assert link.published
    assert link.lag_hours == pytest.approx(-9, abs=2)
    assert link.follows is False


def nights(days: int, *, nightly: bool, back: int) -> CorrelationWindow:
    """A value a day, which moves the symptom `back` days later."""
    rng = np.random.default_rng(5)
    slept = rng.standard_normal(days + 3)
    at = HISTORY + 24 * np.arange(days) + 20
    worry = 0.8 * slept[3 - back : days + 3 - back] + 0.4 * rng.standard_normal(days)
    stream = BiometricStream(
        "sleep", START + 24 * HOUR * np.arange(days + 3), slept, nightly=nightly
    )
    until = START + (HISTORY + 24 * days) * HOUR
    symptom = replace(WORRY, times=START + at * HOUR, values=worry)
    return replace(MADE, biometrics=(stream,), symptoms=(symptom,), until=until)


@pytest.mark.parametrize("back", [0, 2])
@pytest.mark.parametrize(("nightly", "unit"), [(True, "nights"), (False, "days")])
def test_daily_values_have_lags_in_days(nightly: bool, unit: str, back: int) -> None:
    link = only(nights(60, nightly=nightly, back=back))
    assert link.published
    assert link.lag_unit == unit
    assert link.lag_hours == 24 * back
    assert link.lag_interval is not None
    assert link.lag_interval[0] <= 24 * back - 12
    assert link.lag_interval[1] >= 24 * back + 12
    if nightly:
        assert link.follows


def test_what_another_biometric_explains_is_an_association() -> None:
    rng = np.random.default_rng(6)
    hours = HISTORY + 24 * WORLD.days
    signal = course(rng, hours, 8.0)
    at = (HISTORY + 24 * np.arange(39)[:, None] + np.array([9, 13, 17, 21])).ravel()
    worry = 0.8 * signal[at - 20] + 0.6 * course(rng, hours, 30.0)[at]
    beside = 0.75 * signal + 0.66 * course(rng, hours, 8.0)
    made = replace(
        MADE,
        biometrics=(
            BiometricStream("beside", clock(hours), beside),
            BiometricStream("carrier", clock(hours), signal),
        ),
        symptoms=(replace(WORRY, times=clock(hours)[at], values=worry),),
    )
    association, link = find_links(made)
    assert link.direct
    assert association.direct is False
    assert association.published
    assert association.reasons == ()
    assert association.coefficient is not None
    assert association.coefficient > 0.2
    assert association.lag_hours == pytest.approx(20, abs=2)


def test_silence_says_what_would_be_needed() -> None:
    few = only(window(World(r=0.0, days=20, per_day=1, seed=2)))
    assert not few.published
    assert few.direct is None
    assert few.reports_needed is not None
    assert few.reports_needed > few.n
    assert f"about {few.reports_needed} reports" in few.reasons[0]
    many = only(window(World(r=0.0, days=150, seed=2)))
    assert not many.published
    assert "would probably be found" in many.reasons[0]


def test_every_pair_is_told_also_what_was_not_examined() -> None:
    dead = BiometricStream("dead", clock(200), np.ones(200))
    few = replace(WORRY, name="few", times=WORRY.times[:9], values=WORRY.values[:9])
    made = with_symptoms(with_biometrics(MADE, dead, PULSE), few, WORRY)
    told = {(one.biometric, one.symptom): one for one in find_links(made)}
    assert len(told) == 4
    assert [one.examined for one in told.values()] == [False, False, False, True]
    assert len(told["dead", "few"].reasons) == 2
    assert told["dead", "worry"].reasons == (
        "the biometric does not change, but by the clock",
    )
    assert told["pulse", "few"].n == 9
    assert told["pulse", "few"].follows is None
    assert find_links(with_biometrics(MADE)) == ()


def test_q_values_are_benjamini_hochbergs() -> None:
    streams = [noise_stream(f"noise {k}", k, PULSE) for k in range(5)]
    found = find_links(with_biometrics(MADE, PULSE, *streams))
    p = np.array([one.p_value for one in found], float)
    order = np.argsort(p)
    steps = p[order] * 6 / np.arange(1, 7)
    wanted = np.minimum.accumulate(steps[::-1])[::-1]
    np.testing.assert_allclose([found[i].q_value for i in order], wanted)


def test_a_share_of_false_links_too_high_is_not_published() -> None:
    made = window(World(r=0.3, days=60, seed=4))
    doubtful = only(made)
    assert doubtful.published
    strict = only(made, Rule(false_share=1e-9))
    assert not strict.published
    assert strict.direct is None
    assert strict.reasons[0].startswith("too uncertain to be listed: with it over ")
    assert strict.reasons[0].endswith(" % of this window's links may be false")
    assert strict.p_link == doubtful.p_link


def test_records_without_links_stay_silent() -> None:
    """Nominal: 3 % of pairs; a hundred and twenty of them, so eight at most."""
    published = 0
    for seed in range(60):
        world = World(r=0.0, days=30 + seed, per_day=1 + seed % 4, seed=seed)
        made = window(world)
        other = noise_stream("noise", seed, made.biometrics[0])
        found = find_links(with_biometrics(made, made.biometrics[0], other))
        published += sum(one.published for one in found)
    assert published <= 8


def test_intervals_hold_the_truth_nine_times_in_ten() -> None:
    inside, lags = [], []
    for seed in range(80):
        world = World(r=0.5, lag=5 + seed % 60, days=60, per_day=2, seed=1000 + seed)
        link = only(window(world))
        assert link.ci is not None
        assert link.lag_interval is not None
        inside.append(link.ci[0] <= world.r <= link.ci[1])
        lags.append(link.lag_interval[0] <= world.lag <= link.lag_interval[1])
    assert np.mean(inside) >= 0.84
    assert np.mean(lags) >= 0.84
