"""Real diaries as windows: tier A alone, the last fourteen days as the future."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backend.twin.features import CONTEXT
from backend.twin.trajectory import HORIZON
from export_scripts import tier_a
from export_scripts.tier_a import tier_a_people


def diary(patient: str, values: list[float]) -> pd.DataFrame:
    """One rating a day from a Monday on, NaN = none."""
    frame = pd.DataFrame(
        {
            "patient_id": patient,
            "date": pd.date_range("2024-01-01", periods=len(values)).strftime(
                "%Y-%m-%dT20:00"
            ),
            "symptom_type": "low_mood",
            "severity": values,
        }
    )
    return frame.dropna()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two data sets, of which the second, of tier B, has no file to open."""
    sets = {"name": ["open", "closed"], "tier": ["A", "B"]}
    pd.DataFrame(sets).to_csv(tmp_path / "_datasets.csv", index=False)
    scale = {"dataset": ["open"], "symptom_type": ["low_mood"], "lo": [1], "hi": [7]}
    pd.DataFrame(scale).to_csv(tmp_path / "_symptoms.csv", index=False)
    return tmp_path


def write(folder: Path, *diaries: pd.DataFrame) -> None:
    pd.concat(diaries).to_csv(folder / "open.csv", index=False)


def test_the_future_is_the_fortnight_after_the_windows_last_rating(
    folder: Path,
) -> None:
    values = [1.0, 7.0] * 15  # thirty days
    values[15] = np.nan  # the last day before the fourteen: the window ends a day early
    values[17] = np.nan
    write(folder, diary("p", values))
    windows, person, _ = tier_a_people(folder)
    assert person.tolist() == [0]
    assert windows.arrays.history[0, :, 1].sum() == 15
    assert windows.arrays.history[0, -1, 1] == 1
    back = windows.arrays.mean[0] + windows.arrays.sd[0] * windows.target[0]
    expected = (np.array(values[15:29]) - 1) / 6
    np.testing.assert_allclose(back, expected, atol=1e-6)
    assert windows.width[0] == pytest.approx(1 / windows.arrays.sd[0])


def test_several_ratings_of_a_day_are_averaged(folder: Path) -> None:
    write(folder, diary("p", [1.0] * 30), diary("p", [7.0] * 30))
    windows, _, _ = tier_a_people(folder)
    assert windows.arrays.mean[0] == pytest.approx(0.5)


def test_no_more_than_the_context_is_shown(folder: Path) -> None:
    write(folder, diary("p", [7.0] * 60 + [1.0, 3.0] * (CONTEXT // 2) + [1.0] * 14))
    windows, _, _ = tier_a_people(folder)
    assert windows.arrays.mean[0] == pytest.approx(1 / 6)


@pytest.mark.parametrize(
    "values",
    [
        [1.0] * 3,  # shorter than a fortnight
        [1.0, 2.0] * 3 + [1.0] * 14,  # six days to look back on
        [1.0, 2.0] * 10 + [np.nan] * 10 + [1.0] * 4,  # four days to compare with
        [1.0, *[np.nan] * 6] * 40,  # a weekly diary: two days to compare with
        [1.0, 2.0] * 8 + [np.nan] * 130 + [1.0] * 20,  # six, the rest too long ago
    ],
)
def test_too_little_is_left_out(folder: Path, values: list[float]) -> None:
    write(folder, diary("p", [1.0, 2.0] * 20), diary("q", values))
    assert len(tier_a_people(folder).person) == 1


def test_no_data_set_gives_more_than_its_share(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tier_a, "PEOPLE_EACH", 2)
    write(folder, *(diary(name, [1.0, 2.0] * 20) for name in "abc"))
    windows, person, _ = tier_a_people(folder)
    assert person.tolist() == [0, 1]
    assert windows.target.shape == (2, HORIZON)
