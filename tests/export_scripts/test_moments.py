"""Moments of people: what they are of, and how simulated ones compare."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.twin.features import CONTEXT, window_arrays
from backend.twin.trajectory import HORIZON
from export_scripts import moments as script
from export_scripts.datasets import Windows, simulated_windows
from export_scripts.moments import BINS, averages, lines, moments, weights
from export_scripts.tier_a import DIARIES, People


def windows_of(*histories: list[float], ahead: float = 0.75) -> Windows:
    """Windows on 0..1 that end today, and one value on all days ahead."""
    values = np.full((len(histories), CONTEXT), np.nan)
    for row, history in zip(values, histories, strict=True):
        row[-len(history) :] = history
    count = len(histories)
    arrays = window_arrays(values, low=np.zeros(count), high=np.ones(count))
    days = np.full((count, HORIZON + 1), ahead)
    target = (days - arrays.mean[:, None]) / arrays.sd[:, None]
    return Windows(arrays, target.astype(np.float32), 1 / arrays.sd)


def test_moments_are_of_what_they_say() -> None:
    found = moments(windows_of([0.0, 0.0, 0.5, 0.5] * 5))
    assert found["answers on the floor"][0] == pytest.approx(0.5)
    assert found["answers on the ceiling"][0] == 0
    assert found["sd, share of the scale"][0] == pytest.approx(0.25)
    assert found["same answer as the day before"][0] == pytest.approx(10 / 19)
    assert found["fourth moment"][0] == pytest.approx(1.0)
    assert found["days ahead, mean distance from the mean"][0] == pytest.approx(2.0)
    assert found["days ahead, sd among them"][0] == pytest.approx(0.0, abs=1e-6)
    assert found["fortnight ahead, mean square"][0] == pytest.approx(4.0)
    assert found["observed days"][0] == 20


def test_averages_are_per_number_of_days_and_weighted() -> None:
    found = {
        "x": np.array([1.0, 3.0, 5.0]),
        "observed days": np.array([8.0, 9.0, 20.0]),
    }
    with np.errstate(invalid="ignore"):
        (row,) = averages(found, np.array([3.0, 1.0, 1.0]))
    assert row[:2] == pytest.approx([2.2, 2.2])
    assert np.isnan(row[2])


def test_data_sets_weigh_alike_whatever_their_people_and_windows() -> None:
    windows = windows_of(*[[0.1, 0.2] * 4] * 4)
    people = People(windows, np.array([0, 0, 1, 2]), ("a/x", "b/y", "b/z"))
    assert weights(people).tolist() == [0.5, 0.5, 0.5, 0.5]


def test_the_table_names_every_moment() -> None:
    found = moments(simulated_windows(np.random.default_rng(1), 400))
    average = averages(found, np.ones(400))
    assert len(lines(average, average)) == len(average) + 3
    assert len(average[0]) == len(BINS)


def test_without_diaries_it_says_so(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(script, "DIARIES", tmp_path / "none")
    script.main()
    assert "nothing to compare with" in capsys.readouterr().out


def test_simulated_people_are_near_real_ones(
    shared: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within what matters to a forecast: how far the days ahead lie from the mean."""
    assert DIARIES.is_relative_to(shared)
    monkeypatch.setattr(script, "PEOPLE", 3000)
    script.main()
    line = next(
        one
        for one in capsys.readouterr().out.splitlines()
        if one.startswith("| days ahead, mean distance")
    )
    real, made = map(float, line.split("|")[2].split("/"))
    assert made == pytest.approx(real, abs=0.08)
