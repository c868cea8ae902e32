"""Fitting the calibration: what is read, what is found, what is written."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from backend.twin.calibration import EVERYONE, ORIGINS, Constants
from backend.twin.trajectory import HORIZON, LEVELS
from export_scripts.calibration import (
    FOLDS,
    PLAIN,
    Lot,
    coverage,
    fitted,
    main,
    part,
    read,
    table,
)
from tests.export_scripts.made_diaries import DOSED, SCALES, STUDY, bench_of, write


def lot(*, spread: float = 1.0, count: int = 600) -> Lot:
    """Normal days, forecast with `spread` times their spread."""
    rng = np.random.default_rng(2)
    right = np.tile(spread * norm.ppf(LEVELS), (count, HORIZON + 1, 1))
    right[:, HORIZON:] /= np.sqrt(HORIZON)  # independent days
    earlier = np.tile(spread * norm.ppf(LEVELS), (count, ORIGINS, HORIZON, 1))
    return Lot(
        answers=right,
        earlier=earlier,
        came=rng.standard_normal((count, HORIZON)),
        came_since=np.full((count, ORIGINS, HORIZON), np.nan),
        ends=np.array([np.full(count, -50.0), np.full(count, 50.0)]),
        step=np.zeros(count),
        fold=np.arange(count) % FOLDS,
        weight=np.ones(count),
    )


@pytest.mark.parametrize("spread", [0.8, 1.0, 1.25])
def test_too_narrow_and_too_wide_are_undone(spread: float) -> None:
    """Days aim above their level, where discrete answers tie with an end; see GOALS."""
    found = fitted(lot(spread=spread, count=1200))
    assert found.middle * spread == pytest.approx(1.02, abs=0.03)
    assert found.ends * spread == pytest.approx(1.03, abs=0.05)
    assert found.fortnight_middle * spread == pytest.approx(1.0, abs=0.06)
    assert found.fortnight_ends * spread == pytest.approx(1.0, abs=0.1)


def test_a_person_whose_earlier_forecasts_missed_is_wider() -> None:
    calm = lot(spread=0.5)
    missed = replace(calm, came_since=np.full_like(calm.came_since, 9.0))
    narrow, wide = (
        coverage(each, PLAIN, 0.80, fortnight=False) for each in (calm, missed)
    )
    assert wide > narrow + 0.1


def test_a_part_is_of_its_rows_only() -> None:
    some = part(lot(), np.arange(600) < 10)
    assert len(some.came) == len(some.weight) == len(some.answers) == 10
    assert some.ends.shape == (2, 10)
    assert (
        len(some.step)
        == len(some.earlier)
        == len(some.came_since)
        == len(some.fold)
        == 10
    )


def test_days_that_did_not_come_do_not_count() -> None:
    whole = lot()
    came = np.concatenate([whole.came, np.full_like(whole.came, np.nan)])
    twice = replace(part(whole, np.concatenate([np.arange(600)] * 2)), came=came)
    for fortnight in (False, True):
        assert coverage(twice, PLAIN, 0.80, fortnight=fortnight) == pytest.approx(
            coverage(whole, PLAIN, 0.80, fortnight=fortnight)
        )


def test_the_table_reads_back() -> None:
    text = table({"0": PLAIN, EVERYONE: replace(PLAIN, middle=0.9)}, {"model": 1})
    read_back = tomllib.loads(text)
    assert read_back["versions"] == {"model": 1}
    found = read_back["constants"]
    assert Constants(**found["0"]) == PLAIN
    assert Constants(**found[EVERYONE]).middle == 0.9


def tiers(folder: Path) -> None:
    """The made-up study may be fitted on; the other diaries may not."""
    names = sorted({dataset for dataset, _ in SCALES})
    rows = [f"{name},{'A' if name == STUDY else 'B'}" for name in names]
    (folder / "_datasets.csv").write_text("\n".join(["name,tier", *rows]))


def test_only_what_may_be_fitted_on_is_read(shared: Path, tmp_path: Path) -> None:
    found = bench_of(shared, tmp_path)
    tiers(tmp_path)
    (tmp_path / f"{DOSED}.csv").write_text("not a table at all")
    assert {window.dataset for window in read(found)} == {STUDY}


def test_the_command_writes_one_set_per_fold_and_one_for_all(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data" / "symptoms"
    data.mkdir(parents=True)
    (tmp_path / "bench").symlink_to(shared / "bench")
    write(data)
    tiers(data)
    output = tmp_path / "calibration.toml"
    main(["--bench", str(tmp_path / "bench" / "forecast"), "--output", str(output)])
    text = output.read_text(encoding="utf-8")
    sets = tomllib.loads(text)["constants"]
    assert list(sets) == ["0", "1", "2", "3", EVERYONE]
    assert all(Constants(**found).gain == PLAIN.gain for found in sets.values())
    assert "symptom_transformer" in text
    assert "people left out" in capsys.readouterr().out


def test_without_diaries_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "calibration.toml"
    main(["--bench", str(tmp_path), "--output", str(output)])
    assert not output.exists()
    assert "nothing was fitted" in capsys.readouterr().out
