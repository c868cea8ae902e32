"""The benchmark predictor: the served path, its dates and its scale's ends."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backend.jobs import scoring
from backend.jobs.scoring import (
    Members,
    aligned,
    answers,
    answers_with,
    forecast,
    forecast_with,
    members_of,
    shipped,
)
from backend.twin.climatology import ew_quantiles
from backend.twin.features import forecast_window
from backend.twin.forecast import WEIGHTS, forecast_all
from backend.twin.record import Entry, Series
from backend.twin.scales import local_scale
from backend.twin.trajectory import MEDIAN

NOBODY = Members(ask_all=lambda _: {}, uses={})


def series_of(
    values: list[float],
    *,
    low: float | None = 0.0,
    high: float | None = 10.0,
    patient: str = "one",
) -> Any:
    first = np.datetime64("2026-01-01")
    return SimpleNamespace(
        dates=first + np.arange(len(values)),
        values=np.array(values, dtype=float),
        scale_min=low,
        scale_max=high,
        patient=patient,
    )


def diary(days: int = 40, seed: int = 1) -> list[float]:
    values = np.random.default_rng(seed).integers(0, 11, days).astype(float)
    values[3:6] = np.nan
    return values.tolist()


def test_both_shipped_models_answer() -> None:
    assert shipped().uses.keys() == WEIGHTS.keys()
    plain = forecast_with(NOBODY, [series_of(diary())])
    assert not np.allclose(forecast([series_of(diary())]), plain)


def test_the_answer_is_the_services_own() -> None:
    """The same entries through the functions that the API calls, by hand."""
    values = diary()
    entries = tuple(
        Entry(date(2026, 1, 1 + day) if day < 31 else date(2026, 2, day - 30), v, "")
        for day, v in enumerate(values)
        if not np.isnan(v)
    )
    scale = local_scale("any", system="urn:x", low=0.0, high=10.0)
    last = entries[-1].day
    (expected,) = forecast_all(
        [forecast_window(Series(scale, entries), last)],
        ask_all=shipped().ask_all,
        weights=WEIGHTS,
        uses=shipped().uses,
        as_of=last,
        fold=scoring.fold("one"),
    )
    assert expected.method == "ensemble"
    np.testing.assert_array_equal(
        forecast([series_of(values)])[0], np.array(expected.quantiles)
    )


def test_many_series_come_back_in_order_sorted_and_inside_their_scales() -> None:
    batch = [series_of(diary(20 + n, seed=n), patient=f"p{n}") for n in range(70)]
    answer = forecast(batch)
    assert answer.shape == (70, 14, 11)
    assert np.isfinite(answer).all()
    assert (np.diff(answer, axis=2) >= 0).all()
    assert answer.min() >= 0
    assert answer.max() <= 10
    for n in (0, 33, 69):
        alone = forecast(batch[n : n + 1])
        assert np.abs(answer - alone).max((1, 2)).argmin() == n


def test_what_was_fitted_on_a_persons_quarter_is_not_used_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is asked for with the constants of their own fold, which leave it out."""
    asked: list[tuple[str, int]] = []

    def spy(windows: Any, *, fold: str, **other: Any) -> Any:
        asked.append((fold, len(windows)))
        return forecast_all(windows, fold=fold, **other)

    monkeypatch.setattr(scoring, "forecast_all", spy)
    people = [f"p{n}" for n in range(12)]
    batch = [series_of(diary(), patient=name) for name in [*people, *people]]
    answers_with(NOBODY, batch)
    folds = [scoring.fold(name) for name in people]
    assert set(folds) == {"0", "1", "2", "3"}
    assert dict(asked) == {fold: 2 * folds.count(fold) for fold in folds}


def test_empty_last_days_move_the_forecast_along() -> None:
    """Three days after the last entry, the served day 4 is asked for first."""
    whole = diary()
    served = forecast([series_of(whole)])[0]
    later = forecast([series_of([*whole, np.nan, np.nan, np.nan])])[0]
    np.testing.assert_array_equal(later[:11], served[3:])
    np.testing.assert_array_equal(later[11:], served[[13, 13, 13]])


def test_an_unknown_end_of_the_scale_is_the_furthest_value_seen() -> None:
    answer = forecast([series_of([2.0, 6.0, 4.0] * 8, low=None, high=None)])
    assert answer.min() >= 2.0
    assert answer.max() <= 6.0
    half = forecast([series_of([2.0, 6.0, 4.0] * 8, low=None, high=99.0)])
    assert half.min() >= 2.0
    assert half.max() > 6.0


def test_a_constant_series_without_a_scale_is_forecast() -> None:
    answer = forecast([series_of([5.0] * 20, low=None, high=None)])
    assert np.isfinite(answer).all()
    assert answer.min() >= 5.0


def test_answers_are_the_forecasts_behind_the_rows() -> None:
    batch = [series_of(diary(20 + n, seed=n)) for n in range(3)]
    made = answers(batch)
    assert [len(one.fortnight) for one in made] == [11] * 3
    np.testing.assert_array_equal(aligned(made, batch), forecast(batch))


def test_each_series_is_graded_as_of_its_own_last_date() -> None:
    """One that ends months before another is not old for it."""
    short, long = series_of(diary(40)), series_of(diary(160))
    assert [one.historical for one in answers([short, long, short])] == [False] * 3
    assert answers([long, short])[1] == answers([short])[0]


def test_other_weights_give_another_blend() -> None:
    batch = [series_of(diary())]
    alone = {model: {model: 1.0} for model in WEIGHTS}
    rows = [forecast_with(shipped(), batch, weights=one) for one in alone.values()]
    blended = forecast(batch)
    assert not np.allclose(rows[0], rows[1])
    middle = blended[..., MEDIAN]  # which calibration does not move
    assert (middle >= np.min(rows, axis=0)[..., MEDIAN] - 1e-9).all()
    assert (middle <= np.max(rows, axis=0)[..., MEDIAN] + 1e-9).all()


def test_without_models_it_is_the_climatology() -> None:
    values = diary()
    expected = ew_quantiles(np.array(values), np.arange(len(values), 0, -1))
    answer = forecast_with(NOBODY, [series_of(values)])
    np.testing.assert_allclose(answer[0], np.tile(expected, (14, 1)))


def test_no_series_no_rows() -> None:
    assert forecast([]).shape[0] == 0


def test_untrusted_models_do_not_answer(tmp_path: Path) -> None:
    members = members_of(scoring.REPOSITORY, trusted=[tmp_path])
    assert members.uses == {}
    with pytest.raises(KeyError):
        members.uses["symptom_transformer"]


def test_the_predictor_needs_no_django() -> None:
    program = (
        "import sys; from backend.jobs.scoring import forecast;"
        "print(forecast([]).shape, any(m == 'django' for m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).resolve().parents[2],
        env={k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "(0, 14, 11) False"
