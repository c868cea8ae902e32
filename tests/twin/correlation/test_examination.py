"""What is fitted, what is shared, and what is said where nothing can be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.twin.correlation.examination import Fit, examine
from backend.twin.correlation.streams import SymptomStream
from tests.twin.correlation.made import (
    World,
    noise_stream,
    window,
    with_biometrics,
    with_symptoms,
)

MADE = window()
WORRY = MADE.symptoms[0]


def fitted(made: SymptomStream) -> Fit | str:
    return examine(with_symptoms(MADE, made)).fits[0]


def test_a_link_stands_out_and_nothing_does_not() -> None:
    fit, none = fitted(WORRY), examine(window(World(r=0.0, seed=9))).fits[0]
    assert isinstance(fit, Fit)
    assert isinstance(none, Fit)
    assert fit.effects[0].p_link > 0.99
    assert none.effects[0].p_link < 0.5


def test_symptoms_told_at_other_times_are_fitted_apart_and_alike() -> None:
    late = replace(WORRY, name="late", times=WORRY.times[3:], values=WORRY.values[3:])
    both = examine(with_symptoms(MADE, WORRY, late, replace(WORRY, name="again")))
    alone = examine(with_symptoms(MADE, late)).fits[0]
    assert [isinstance(fit, Fit) for fit in both.fits] == [True] * 3
    assert isinstance(alone, Fit)
    assert isinstance(both.fits[1], Fit)
    np.testing.assert_array_equal(both.fits[1].values, alone.values)


def few(count: int) -> SymptomStream:
    return replace(WORRY, times=WORRY.times[:count], values=WORRY.values[:count])


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (few(0), "too few reports: 0"),
        (few(13), "too few reports: 13, at least 14"),
        (replace(WORRY, values=np.full(len(WORRY.times), 3.0)), "hardly changes: 0"),
        (
            replace(WORRY, values=(np.arange(len(WORRY.times)) < 3) * 1.0),
            "hardly changes: 3",
        ),
    ],
)
def test_a_symptom_that_says_nothing_says_why(made: SymptomStream, reason: str) -> None:
    assert reason in str(fitted(made))


def test_without_a_usable_biometric_nothing_is_fitted() -> None:
    found = examine(with_biometrics(MADE))
    assert found.fits == ("",)
    assert found.usable == ()


def test_rounded_answers_vary_more_than_what_they_stand_for() -> None:
    rounded, exact = (
        fitted(WORRY),
        fitted(
            replace(
                WORRY, values=WORRY.values + np.linspace(0, 1e-3, len(WORRY.values))
            )
        ),
    )
    assert isinstance(rounded, Fit)
    assert isinstance(exact, Fit)
    assert rounded.scale**2 == pytest.approx(exact.scale**2 - 1 / 12, rel=0.01)


def test_two_answers_only_are_not_explained_away_by_rounding() -> None:
    fit = fitted(replace(WORRY, values=(WORRY.values > 5) * 1.0))
    assert isinstance(fit, Fit)
    assert fit.scale > 0.3


def test_noise_beside_the_link_leaves_it() -> None:
    (pulse,) = MADE.biometrics
    found = examine(with_biometrics(MADE, noise_stream("noise", 4, pulse), pulse))
    (fit,) = found.fits
    assert isinstance(fit, Fit)
    assert found.usable == (0, 1)
    assert fit.effects[0].p_link < 0.5
    assert fit.effects[1].p_link > 0.99
