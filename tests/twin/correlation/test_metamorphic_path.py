"""The whole path from a window to words, by the network and by the engine alone.

Each change of the window must change what is told in a known way, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from backend.jobs.scoring import shipped_network
from backend.twin.correlation.examination import examine
from backend.twin.correlation.insight_grade import BOUNDS
from backend.twin.correlation.insights import Insight
from backend.twin.correlation.link import Link
from backend.twin.correlation.network import judged
from backend.twin.correlation.report import CorrelationReport, correlation_report
from backend.twin.correlation.streams import CorrelationWindow, SymptomStream
from tests.twin.correlation.made import (
    HOUR,
    World,
    noise_stream,
    window,
    with_biometrics,
    with_symptoms,
)

Tell = Callable[[CorrelationWindow], CorrelationReport]
GRADES = tuple(bound.grade for bound in BOUNDS)  # the best first
WORLDS = (
    World(days=60, r=0.7, lag=20, seed=1),
    World(days=60, r=-0.6, lag=7, seed=2),
    World(days=90, r=0.5, lag=48, seed=3),
    World(days=45, r=-0.7, lag=30, per_day=2, seed=4),
)


def by_network(made: CorrelationWindow) -> CorrelationReport:
    """As it is served."""
    found = examine(made)
    return correlation_report(made, judged(found, shipped_network().answer(found)))


def by_engine(made: CorrelationWindow) -> CorrelationReport:
    """As it is served where no network answers."""
    return correlation_report(made, judged(examine(made), None))


@pytest.fixture(params=[by_network, by_engine], ids=["network", "engine"])
def tell(request: pytest.FixtureRequest) -> Tell:
    told: Tell = request.param
    return told


@pytest.fixture(params=WORLDS, ids=lambda world: f"r={world.r} lag={world.lag}")
def made(request: pytest.FixtureRequest) -> CorrelationWindow:
    """A window whose signal and symptom have words."""
    return named(window(request.param))


def named(raw: CorrelationWindow) -> CorrelationWindow:
    pulse = replace(raw.biometrics[0], name="heart-rate")
    worry = replace(raw.symptoms[0], name="anxiety-0-10")
    return with_symptoms(with_biometrics(raw, pulse), worry)


def insight(report: CorrelationReport) -> Insight:
    (one,) = report.insights
    return one


def moved(made: CorrelationWindow, by: np.timedelta64) -> CorrelationWindow:
    return replace(
        made,
        biometrics=tuple(replace(b, times=b.times + by) for b in made.biometrics),
        symptoms=tuple(replace(s, times=s.times + by) for s in made.symptoms),
        history_from=made.history_from + by,
        reports_from=made.reports_from + by,
        until=made.until + by,
    )


def same_words(one: CorrelationReport, other: CorrelationReport) -> None:
    assert [(i.text, i.grade, i.direction, i.advice) for i in one.insights] == [
        (i.text, i.grade, i.direction, i.advice) for i in other.insights
    ]
    assert one.silences == other.silences
    assert one.message == other.message


def same_figures(one: Link, other: Link) -> None:
    for name in ("coefficient", "ci", "lag_hours", "lag_interval", "p_link", "n_eff"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-3), name


def surer(one: Insight, other: Insight) -> bool:
    """Whether the first grade is better than the second."""
    return GRADES.index(one.grade) < GRADES.index(other.grade)


def test_the_network_answers_here(made: CorrelationWindow) -> None:
    assert insight(by_network(made)).link.method == "network"
    assert insight(by_engine(made)).link.method == "engine"


@pytest.mark.parametrize("days", [-3, 7, 1000])
def test_other_days_get_the_same_words(
    tell: Tell, made: CorrelationWindow, days: int
) -> None:
    plain, later = tell(made), tell(moved(made, 24 * days * HOUR))
    same_words(later, plain)
    same_figures(insight(later).link, insight(plain).link)
    assert later.window == tuple(end + 24 * days * HOUR for end in plain.window)


@pytest.mark.parametrize("hours", [1, -5, 9])
def test_another_time_zone_finds_the_same_link(
    tell: Tell, made: CorrelationWindow, hours: int
) -> None:
    plain, there = insight(tell(made)), insight(tell(moved(made, hours * HOUR)))
    assert there.link.lag_hours == pytest.approx(plain.link.lag_hours, abs=1)
    assert there.link.coefficient == pytest.approx(plain.link.coefficient, abs=0.05)
    assert (there.direction, there.order) == (plain.direction, plain.order)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: f"r={world.r}")
def test_time_reversed_what_followed_precedes(tell: Tell, world: World) -> None:
    # A symptom is looked for up to 24 hours ahead, and less readily.
    near = replace(world, lag=min(world.lag, 20), days=90)
    made = named(window(near))
    first, last = made.history_from, made.until - HOUR
    (pulse,), (worry,) = made.biometrics, made.symptoms
    turned = replace(
        made,
        biometrics=(replace(pulse, times=first + (last - pulse.times)),),
        symptoms=(replace(worry, times=first + (last - worry.times)),),
        reports_from=first,
    )
    plain, back = insight(tell(made)), insight(tell(turned))
    assert back.link.lag_hours == pytest.approx(-(plain.link.lag_hours or 0), abs=1)
    assert (plain.link.follows, back.link.follows) == (True, False)
    assert (plain.order, back.order) == ("precedes", "follows")
    assert back.link.coefficient == pytest.approx(plain.link.coefficient, abs=0.1)


def test_a_scale_turned_round_with_its_polarity_gives_the_same_words(
    tell: Tell, made: CorrelationWindow
) -> None:
    (worry,) = made.symptoms
    other = replace(worry, values=10 - worry.values, worse_when="low")
    plain, turned = tell(made), tell(with_symptoms(made, other))
    same_words(turned, plain)
    assert insight(turned).link.coefficient == pytest.approx(
        -(insight(plain).link.coefficient or 0.0), abs=1e-3
    )


def test_a_scale_turned_round_alone_turns_the_direction(
    tell: Tell, made: CorrelationWindow
) -> None:
    (worry,) = made.symptoms
    turned = with_symptoms(made, replace(worry, values=10 - worry.values))
    assert {insight(tell(one)).direction for one in (made, turned)} == {
        "worsens",
        "improves",
    }


@pytest.mark.parametrize(("times", "plus"), [(1.8, 32.0), (1e-9, 0.0), (1e7, -3.0)])
def test_units_change_no_word(
    tell: Tell, made: CorrelationWindow, times: float, plus: float
) -> None:
    (pulse,), (worry,) = made.biometrics, made.symptoms
    other = with_symptoms(
        with_biometrics(made, replace(pulse, values=times * pulse.values + plus)),
        replace(worry, values=times * worry.values + plus),
    )
    same_words(tell(other), tell(made))
    same_figures(insight(tell(other)).link, insight(tell(made)).link)


def test_a_channel_of_noise_gets_no_words_and_takes_none(
    tell: Tell, made: CorrelationWindow
) -> None:
    (pulse,) = made.biometrics
    noise = noise_stream("sleep-duration", 11, pulse)
    plain, beside = (
        insight(tell(made)),
        insight(tell(with_biometrics(made, pulse, noise))),
    )
    assert beside.link.biometric == "heart-rate"
    assert beside.link.direct
    assert beside.link.lag_hours == pytest.approx(plain.link.lag_hours, abs=1)
    assert beside.link.coefficient == pytest.approx(plain.link.coefficient, abs=0.05)
    assert beside.direction == plain.direction


def test_a_reversed_order_of_channels_changes_nothing(
    tell: Tell, made: CorrelationWindow
) -> None:
    (pulse,) = made.biometrics
    noise = noise_stream("sleep-duration", 12, pulse)
    one, two = (
        tell(with_biometrics(made, *streams))
        for streams in ((pulse, noise), (noise, pulse))
    )
    assert insight(one).text == insight(two).text
    same_figures(insight(one).link, insight(two).link)


def twice(worry: SymptomStream, minutes: int) -> SymptomStream:
    """Every report said again so much later."""
    later = worry.times + np.timedelta64(60 * minutes, "s")
    return replace(
        worry,
        times=np.concatenate([worry.times, later]),
        values=np.concatenate([worry.values, worry.values]),
    )


@pytest.mark.parametrize("minutes", [0, 20, 60])
def test_reports_said_twice_raise_no_grade(
    tell: Tell, made: CorrelationWindow, minutes: int
) -> None:
    (worry,) = made.symptoms
    plain, doubled = (
        insight(tell(with_symptoms(made, one)))
        for one in (worry, twice(worry, minutes))
    )
    assert not surer(doubled, plain)
    assert doubled.link.n == plain.link.n
    same_figures(doubled.link, plain.link)


def test_reports_filled_in_between_raise_no_grade(
    tell: Tell, made: CorrelationWindow
) -> None:
    (worry,) = made.symptoms
    gaps = np.diff(worry.times) // 2
    filled = replace(
        worry,
        times=np.concatenate([worry.times, worry.times[:-1] + gaps]),
        values=np.concatenate(
            [worry.values, (worry.values[:-1] + worry.values[1:]) / 2]
        ),
    )
    plain, report = insight(tell(made)), tell(with_symptoms(made, filled))
    assert not any(surer(one, plain) for one in report.insights)


def test_signals_sampled_twice_an_hour_raise_no_grade(
    tell: Tell, made: CorrelationWindow
) -> None:
    (pulse,) = made.biometrics
    doubled = replace(
        pulse,
        times=np.concatenate([pulse.times, pulse.times + HOUR // 2]),
        values=np.concatenate([pulse.values, pulse.values]),
    )
    plain, other = insight(tell(made)), insight(tell(with_biometrics(made, doubled)))
    assert other.grade == plain.grade
    same_figures(other.link, plain.link)


def test_another_patients_symptom_gets_no_words(tell: Tell) -> None:
    ours = named(window(World(days=60)))
    said = published = 0
    for seed in range(20, 44):
        other = named(window(World(days=60, seed=seed))).symptoms[0]
        report = tell(with_symptoms(ours, other))
        said += len(report.insights)
        published += report.links[0].published
    assert said == 0
    assert published <= 3
