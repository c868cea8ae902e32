"""What was said of the fortnight's mean, and what came."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.early_warning import probability_above
from backend.twin.trajectory import LEVELS
from export_scripts import bootstrap
from export_scripts.real_windows import OURS, Answered
from export_scripts.shift import (
    Fortnights,
    Said,
    days_below,
    fortnights,
    judged,
    said,
    served_said,
)


@pytest.fixture(scope="module")
def came(made_answers: Answered) -> Fortnights:
    return fortnights(made_answers.windows, made_answers.scores[OURS])


def test_the_truth_is_of_the_days_observed(
    made_answers: Answered, came: Fortnights
) -> None:
    one = made_answers.windows[3]
    seen = one.target[np.isfinite(one.target)]
    past = one.series.values[np.isfinite(one.series.values)]
    assert came.truth[3] == pytest.approx(seen.mean())
    assert came.event("up")[3] == (seen.mean() > past.mean() + past.std() / 2)
    assert came.event("down")[3] == (seen.mean() < past.mean() - past.std() / 2)
    assert not (came.event("up") & came.event("down")).any()


def test_ours_is_the_fortnights_own_distribution(
    made_answers: Answered, came: Fortnights
) -> None:
    ours = served_said(made_answers.made, came)
    one = made_answers.made[3]
    assert ours.points[0][3] == one.fortnight[5]
    expected = probability_above(one.fortnight, LEVELS, came.threshold("up")[3])
    assert ours.rankings["up"][0][3] == expected
    both = ours.rankings["up"][0] + ours.rankings["down"][0]
    assert both.max() <= 1.0 + 1e-9


def test_who_knows_the_truth_is_without_error(came: Fortnights) -> None:
    truth = (came.truth - came.mean) / came.sd
    known = Said(
        [came.truth + 1, came.truth], {"up": [-truth, truth], "down": [-truth]}
    )
    best = judged(known, came)
    assert bootstrap.pooled(best.errors, "mae14").point == 0
    assert best.areas["up"][0] == pytest.approx(1)
    assert best.areas["down"][0] == pytest.approx(1)
    assert best.pooled == pytest.approx({"up": 1, "down": 1})


def test_a_baseline_gets_each_of_its_readings(
    made_answers: Answered, came: Fortnights
) -> None:
    quantiles = made_answers.quantiles["ewclim14"]
    found = said(quantiles, np.array(LEVELS), came)
    np.testing.assert_allclose(found.points[0], quantiles[:, 0, 5])
    assert [len(one) for one in found.rankings.values()] == [3, 3]
    assert (found.rankings["up"][2] <= 0).all()
    assert (found.rankings["down"][2] >= 0).all()


@pytest.mark.parametrize(
    ("row", "threshold", "expected"),
    [
        (np.arange(11.0), 5.0, 0.5),
        (np.arange(11.0), 5.5, 0.55),
        (np.arange(11.0), -1.0, 0.025),
        (np.arange(11.0), 99.0, 0.975),
        (np.zeros(11), 0.0, 0.975),
    ],
)
def test_the_share_of_days_below_runs_straight(
    row: np.ndarray, threshold: float, expected: float
) -> None:
    quantiles = np.tile(row, (1, 14, 1))
    found = days_below(quantiles, np.array(LEVELS), np.array([threshold]))
    assert found == pytest.approx(expected)
