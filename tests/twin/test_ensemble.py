"""The models' answers as one: blended, calibrated, adapted to the person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backend.twin.answer_grid import on_steps
from backend.twin.calibration import UNFITTED, Constants, earlier_windows
from backend.twin.ensemble import BATCH, ROWS, Blend, Members, blend, ensemble
from backend.twin.errors import ModelUnavailable
from backend.twin.features import ForecastWindow
from backend.twin.trajectory import HORIZON, LEVELS
from tests.twin.asking import (
    ADAPTING,
    DIARY,
    SHAPE,
    SMOOTH,
    SPREAD,
    WEIGHTS,
    Models,
)
from tests.twin.made import USES, window

TRANSFORMER, TREES = WEIGHTS


def members(
    *, fitted: Constants = UNFITTED, only: str | None = None, **answers: object
) -> tuple[Members, Models]:
    models = Models({TRANSFORMER: 0.0, TREES: 1.0, **answers})
    uses = {name: USES[name] for name in WEIGHTS if only in (None, name)}
    return Members(models, uses, WEIGHTS, fitted), models


def one(made: ForecastWindow, asked: Members) -> Blend:
    (found,) = ensemble([made], asked)
    return found


def test_every_row_is_blended_by_the_weights_and_put_on_the_scale() -> None:
    made = window(SMOOTH)
    asked, models = members()
    found = one(made, asked)
    row = np.clip(made.mean + made.sd * (0.3 + SPREAD), 0, 10)
    np.testing.assert_allclose(found.quantiles, np.tile(row, (ROWS, 1)))
    weights = [(use.model, use.weight) for use in found.models]
    assert weights == [(TRANSFORMER, 0.7), (TREES, 0.3)]
    assert found.missing == ()
    assert len(models.asked) == 1  # both in one call, so they may run together


def test_days_are_put_on_the_persons_answers_and_their_mean_is_not() -> None:
    made = window(DIARY)
    assert made.step == 1.0
    found = one(made, members()[0]).quantiles
    smooth = np.clip(made.mean + made.sd * (0.3 + SPREAD), 0, 10)
    np.testing.assert_allclose(found[0], on_steps(smooth, low=0.0, step=1.0))
    np.testing.assert_allclose(found[HORIZON], smooth)


@pytest.mark.parametrize(
    "bad",
    [
        ModelUnavailable("dead"),
        None,
        np.zeros((1, ROWS, 5)),
        np.zeros((1, HORIZON, len(LEVELS))),
        np.zeros((2, *SHAPE)),
        np.full((1, *SHAPE), np.nan),
        np.full((1, *SHAPE), np.inf),
    ],
    ids=["error", "none", "levels", "no fortnight", "windows", "nan", "infinite"],
)
def test_a_bad_member_is_left_out_and_named(bad: object) -> None:
    asked, models = members(**{TRANSFORMER: bad})
    if bad is None:
        models.answers = {TREES: 1.0}  # a model of which nothing is said at all
    found = one(window(DIARY), asked)
    alone = one(window(DIARY), members(only=TREES)[0])
    np.testing.assert_array_equal(found.quantiles, alone.quantiles)
    assert [(use.model, use.weight) for use in found.models] == [(TREES, 1)]
    assert found.missing == (TRANSFORMER,)
    assert alone.missing == ()


def test_where_nobody_answers_there_are_no_quantiles() -> None:
    dead = ModelUnavailable("dead")
    found = one(window(DIARY), members(**{TRANSFORMER: dead, TREES: dead})[0])
    assert found.quantiles.shape == (0, len(LEVELS))
    assert (found.models, found.missing) == ((), (TRANSFORMER, TREES))


def test_a_bad_row_spoils_no_other_series() -> None:
    answer = np.zeros((2, *SHAPE))
    answer[0, HORIZON, 3] = np.nan
    asked, _ = members(**{TRANSFORMER: answer})
    first, second = ensemble([window(DIARY), window(DIARY)], asked)
    assert first.missing == (TRANSFORMER,)
    assert second.missing == ()


def test_a_crossing_answer_is_put_in_order() -> None:
    turned = np.tile(SPREAD[::-1], (1, ROWS, 1))
    found = one(window(SMOOTH), members(only=TREES, **{TREES: turned})[0])
    straight = one(window(SMOOTH), members(only=TREES, **{TREES: 0.0})[0])
    np.testing.assert_array_equal(found.quantiles, straight.quantiles)


def test_many_windows_are_asked_in_batches_that_every_model_takes() -> None:
    asked, models = members()
    found = ensemble([window(DIARY)] * (BATCH + 1), asked)
    assert models.sizes == [BATCH, 1]
    assert len(found) == BATCH + 1


def test_nothing_asked_nothing_answered() -> None:
    asked, models = members()
    assert ensemble([], asked) == ()
    assert models.asked == []


def test_earlier_windows_are_asked_in_the_same_request() -> None:
    long, short = window(DIARY), window(DIARY[:8])
    assert (len(earlier_windows(long)), len(earlier_windows(short))) == (4, 0)
    asked, models = members(fitted=ADAPTING)
    found = ensemble([short, long, short], asked)
    assert models.sizes == [1 + 5 + 1]
    anchors = models.asked[0][TREES]["anchor"]
    expected = [short, long, *earlier_windows(long), short]
    np.testing.assert_array_equal(anchors, np.stack([w.anchor for w in expected]))
    np.testing.assert_array_equal(found[0].quantiles, found[2].quantiles)


def test_without_adapting_no_earlier_window_is_asked() -> None:
    asked, models = members()
    one(window(DIARY), asked)
    assert models.sizes == [1]


def width(found: Blend, row: int = 0) -> float:
    return float(found.quantiles[row, 9] - found.quantiles[row, 1])


@pytest.mark.parametrize(("off", "wider"), [(0.0, False), (2.5, True)])
def test_a_persons_own_record_widens_or_narrows(off: float, *, wider: bool) -> None:
    """Earlier forecasts that held all days narrow, those that missed them widen."""
    made = window(SMOOTH)
    wide = np.full((5, *SHAPE), off) + 2.0 * SPREAD
    wide[0] = 0.5 * SPREAD  # today's
    plain = one(made, members(only=TREES, **{TREES: wide[:1]})[0])
    asked, _ = members(only=TREES, fitted=ADAPTING, **{TREES: wide})
    found = one(made, asked)
    assert (width(found) > width(plain)) is wider
    assert width(found) != width(plain)
    assert width(found, HORIZON) == width(plain, HORIZON)  # of days only


def test_all_days_held_narrow_by_the_formula() -> None:
    """7 + 3 times 14 days were reported, all inside: exp(-0.2 x 49 / (49 + 60))."""
    made = window(SMOOTH)
    wide = np.tile(6.0 * SPREAD, (5, ROWS, 1))
    wide[0] = 0.5 * SPREAD
    asked, _ = members(only=TREES, fitted=ADAPTING, **{TREES: wide})
    plain, _ = members(only=TREES, **{TREES: wide[:1]})
    factor = np.exp(-0.2 * 49 / 109)
    assert width(one(made, asked)) == pytest.approx(factor * width(one(made, plain)))


def test_a_model_that_failed_on_an_earlier_day_is_left_out_and_named() -> None:
    """Which request a failure fell into must not decide what a series gets."""
    made = window(SMOOTH)
    answer = np.tile(0.5 * SPREAD, (5, ROWS, 1))
    answer[1:] = np.nan
    asked, _ = members(only=TREES, fitted=ADAPTING, **{TREES: answer})
    found = one(made, asked)
    assert found.missing == (TREES,)
    assert found.models == ()


def test_the_blend_is_calibrated() -> None:
    narrow = replace(UNFITTED, middle=0.5, fortnight_middle=0.25)
    made = window(SMOOTH)
    plain = one(made, members(only=TREES, **{TREES: 0.0})[0])
    found = one(made, members(only=TREES, fitted=narrow, **{TREES: 0.0})[0])
    assert width(found) == pytest.approx(0.5 * width(plain))
    assert width(found, HORIZON) == pytest.approx(0.25 * width(plain))


@settings(deadline=None)
@given(
    arrays(np.float64, SHAPE, elements=st.floats(-5, 5)),
    arrays(np.float64, SHAPE, elements=st.floats(-5, 5)),
    st.floats(0.01, 1),
)
def test_the_blend_lies_between_its_members_and_never_crosses(
    first: np.ndarray, second: np.ndarray, weight: float
) -> None:
    found = blend({"a": first, "b": second}, {"a": weight, "b": 0.5, "c": 9.0})
    both = np.sort([first, second], axis=-1)
    assert (found >= both.min(0) - 1e-9).all()
    assert (found <= both.max(0) + 1e-9).all()
    assert (np.diff(found, axis=-1) >= -1e-9).all()


@settings(deadline=None)
@given(arrays(np.float64, SHAPE, elements=st.floats(-5, 5)), st.floats(0.01, 1))
def test_a_blend_of_one_is_that_one(only: np.ndarray, weight: float) -> None:
    assert np.allclose(blend({"a": only}, {"a": weight}), np.sort(only, axis=-1))
