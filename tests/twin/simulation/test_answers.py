"""How simulated people answer: on their scale's levels, with habits and gaps."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.simulation.answers import LEVEL_COUNTS, absences, answers
from backend.twin.simulation.course import simulate_course

PEOPLE, SYMPTOMS, DAYS = 1500, 3, 80


@pytest.fixture(scope="module")
def complete() -> np.ndarray:
    rng = np.random.default_rng(7)
    course = simulate_course(rng, count=PEOPLE * SYMPTOMS, days=DAYS)
    return answers(rng, course, symptoms=SYMPTOMS)


@pytest.fixture(scope="module")
def absent(complete: np.ndarray) -> np.ndarray:
    return absences(np.random.default_rng(8), complete, symptoms=SYMPTOMS)


def test_the_same_generator_gives_the_same_answers(complete: np.ndarray) -> None:
    course = np.random.default_rng(1).standard_normal((6, 20))
    one, two, other = (
        answers(np.random.default_rng(seed), course, symptoms=2) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_all_symptoms_of_a_person_are_answered_on_the_same_levels(
    complete: np.ndarray,
) -> None:
    gaps = np.unique(LEVEL_COUNTS - 1)
    for person in complete.reshape(PEOPLE, -1)[:200]:
        places = person[:, None] * gaps
        fits = (np.abs(places - np.round(places)) < 1e-9).all(0)
        fifth = person[:, None] * np.maximum(gaps // 5, 2)
        coarse = (np.abs(fifth - np.round(fifth)) < 1e-9).all(0)
        assert (fits | coarse).any()


def test_answers_stay_on_the_scale_and_many_are_its_ends(complete: np.ndarray) -> None:
    assert complete.min() == 0.0
    assert complete.max() == 1.0
    floor = (complete == 0).mean(1)
    assert np.median(floor) < 0.1
    assert np.quantile(floor, 0.95) > 0.3
    assert (complete == 1).mean() < (complete == 0).mean()


def test_some_people_tick_the_day_befores_answer_again(complete: np.ndarray) -> None:
    """More repeats a day on than two days on, where answers are fine enough to tell."""
    fine = complete[[len(np.unique(row)) > 30 for row in complete]]
    next_day = (fine[:, 1:] == fine[:, :-1]).mean(1)
    second = (fine[:, 2:] == fine[:, :-2]).mean(1)
    assert np.quantile(next_day - second, 0.95) > 0.1
    assert abs(np.median(next_day - second)) < 0.02


def test_a_diary_begins_with_an_answer(absent: np.ndarray) -> None:
    assert absent.shape == (PEOPLE, DAYS)
    assert not absent[:, 0].any()


def test_some_people_miss_no_day_and_few_miss_most(absent: np.ndarray) -> None:
    share = absent.mean(1)
    assert 0.1 < (share == 0).mean() < 0.4
    assert 0.05 < np.median(share) < 0.3
    assert np.quantile(share, 0.95) < 0.7


def test_days_are_missed_in_runs_and_more_as_time_goes_by(absent: np.ndarray) -> None:
    some = absent[absent.any(1)].astype(float)
    after_one = (some[:, 1:-1] * some[:, 2:]).sum() / some[:, 1:-1].sum()
    assert after_one > 1.2 * some[:, 1:].mean()
    assert some[:, -20:].mean() > 1.05 * some[:, 1:21].mean()
