"""Changes of a window that must change the answer in a known way, or not at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.twin.correlation.engine import find_links
from backend.twin.correlation.link import Link
from backend.twin.correlation.streams import CorrelationWindow
from tests.twin.correlation.made import (
    HOUR,
    World,
    noise_stream,
    window,
    with_biometrics,
    with_symptoms,
)

MADE = window()
PULSE, WORRY = MADE.biometrics[0], MADE.symptoms[0]


def only(made: CorrelationWindow) -> Link:
    (link,) = find_links(made)
    return link


PLAIN = only(MADE)


def same(one: Link, other: Link) -> None:
    for name in ("coefficient", "ci", "lag_hours", "lag_interval", "p_link", "n_eff"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-4), name
    assert (one.published, one.direct, one.n) == (
        other.published,
        other.direct,
        other.n,
    )


def moved(made: CorrelationWindow, by: np.timedelta64) -> CorrelationWindow:
    return replace(
        made,
        biometrics=tuple(replace(b, times=b.times + by) for b in made.biometrics),
        symptoms=tuple(replace(s, times=s.times + by) for s in made.symptoms),
        history_from=made.history_from + by,
        reports_from=made.reports_from + by,
        until=made.until + by,
    )


@pytest.mark.parametrize("days", [1, -3, 7, 1000])
def test_other_days_are_like_these(days: int) -> None:
    same(only(moved(MADE, days * 24 * HOUR)), PLAIN)


@pytest.mark.parametrize("hours", [1, -5, 9])
def test_another_time_zone_finds_the_same_link(hours: int) -> None:
    link = only(moved(MADE, hours * HOUR))
    assert link.published
    assert link.lag_hours == PLAIN.lag_hours
    assert link.coefficient == pytest.approx(PLAIN.coefficient, abs=0.05)


def test_time_reversed_the_symptom_comes_first() -> None:
    last, first = MADE.until - HOUR, MADE.history_from
    turned = replace(
        MADE,
        biometrics=(replace(PULSE, times=first + (last - PULSE.times)),),
        symptoms=(replace(WORRY, times=first + (last - WORRY.times)),),
        reports_from=first,
    )
    link = only(turned)
    assert PLAIN.follows is True
    assert link.follows is False
    assert link.lag_hours == -(PLAIN.lag_hours or 0)
    assert link.coefficient == pytest.approx(PLAIN.coefficient, abs=0.02)


def test_a_scale_turned_round_turns_the_sign_and_nothing_else() -> None:
    link = only(with_symptoms(MADE, replace(WORRY, values=10 - WORRY.values)))
    assert link.coefficient == pytest.approx(-(PLAIN.coefficient or 0), abs=1e-6)
    assert link.ci == pytest.approx(tuple(-x for x in (PLAIN.ci or ())[::-1]))
    assert link.p_link == pytest.approx(PLAIN.p_link)
    assert link.lag_interval == PLAIN.lag_interval


@pytest.mark.parametrize(("times", "plus"), [(1.8, 32.0), (1e-9, 0.0), (1e7, -3.0)])
def test_units_do_not_matter(times: float, plus: float) -> None:
    pulse = replace(PULSE, values=times * PULSE.values + plus)
    worry = replace(WORRY, values=times * WORRY.values + plus)
    same(only(with_symptoms(with_biometrics(MADE, pulse), worry)), PLAIN)


def test_the_order_of_values_and_streams_does_not_matter() -> None:
    turn = slice(None, None, -1)
    pulse = replace(PULSE, times=PULSE.times[turn], values=PULSE.values[turn])
    same(only(with_biometrics(MADE, pulse)), PLAIN)
    noise = noise_stream("noise", 1, PULSE)
    one = find_links(with_biometrics(MADE, PULSE, noise))
    two = find_links(with_biometrics(MADE, noise, PULSE))
    same(one[0], two[1])
    same(one[1], two[0])


def test_a_channel_of_noise_takes_nothing_and_gets_nothing() -> None:
    noise = noise_stream("noise", 2, PULSE)
    link, other = find_links(with_biometrics(MADE, PULSE, noise))
    assert link.direct
    assert link.lag_hours == PLAIN.lag_hours
    assert link.coefficient == pytest.approx(PLAIN.coefficient, abs=0.05)
    assert not other.published


@pytest.mark.parametrize("minutes", [0, 20, 60])
def test_reports_said_twice_make_nothing_surer(minutes: int) -> None:
    later = WORRY.times + np.timedelta64(60 * minutes, "s")
    twice = replace(
        WORRY,
        times=np.concatenate([WORRY.times, later]),
        values=np.concatenate([WORRY.values, WORRY.values]),
    )
    same(only(with_symptoms(MADE, twice)), PLAIN)


def test_biometrics_sampled_twice_an_hour_make_nothing_surer() -> None:
    later = PULSE.times + np.timedelta64(1800, "s")
    twice = replace(
        PULSE,
        times=np.concatenate([PULSE.times, later]),
        values=np.concatenate([PULSE.values, PULSE.values]),
    )
    same(only(with_biometrics(MADE, twice)), PLAIN)


def test_another_patients_symptom_has_no_link() -> None:
    published = 0
    for seed in range(2, 14):
        other = window(World(seed=seed)).symptoms[0]
        published += only(with_symptoms(MADE, other)).published
    assert published <= 2
