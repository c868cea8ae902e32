"""Shards: the same again from the same seed, made once, with the truth at its place."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from backend.twin.correlation.lag_profile import CHANNELS
from backend.twin.correlation.model_inputs import BIOMETRICS, LAGS, SHAPES
from backend.twin.simulation.wearables.batch import Truth
from backend.twin.simulation.wearables.family import PLAIN
from export_scripts import correlation_data
from export_scripts.correlation_data import (
    FAMILIES,
    WIDTHS,
    Rows,
    by_width,
    drawn,
    joined,
    load,
    make_shards,
    shards_in,
    true_links,
)

STRONG = replace(PLAIN, weight=(0.7, 0.75), link_prior=(0.4, 0.4), daily=0)


@pytest.fixture(scope="module")
def rows() -> Rows:
    rng = np.random.default_rng(5)
    return drawn(rng, STRONG, people=5, shape=(60, 3, 2))


def test_rows_are_symptoms_with_room_for_their_biometrics(rows: Rows) -> None:
    assert rows.width == 3
    assert {n: a.shape[1:] for n, a in rows.inputs().items()} == SHAPES
    assert rows.inputs(3)["pairs"].shape[1] == 3
    assert not rows.inputs()["pairs"][:, 3:].any()
    assert not rows.truth()["scored"][:, 3:].any()
    assert {a.dtype for a in rows.truth().values()} == {np.dtype(np.float32)}


def test_links_stand_where_the_profile_shows_them(rows: Rows) -> None:
    row, biometric = np.nonzero((rows.linked > 0) & (rows.scored > 0))
    posterior = rows.profiles[row, biometric, :, CHANNELS.index("lag_posterior")]
    off = np.abs(posterior.argmax(1) - rows.lag[row, biometric])
    assert len(off) > 2
    assert np.median(off) <= 2


def test_the_prior_is_that_of_the_patient(rows: Rows) -> None:
    told = rows.symptoms[:, -1].astype(float)
    np.testing.assert_allclose(told, np.log(0.4 / 0.6), atol=1e-3)


def truth_of(name: str, value: float, lag: float) -> Truth:
    nothing = {one.name: np.full((1, 1, 1), np.nan) for one in fields(Truth)}
    reverse = name == "reverse_weight"
    at = {name: np.full((1, 1, 1), value)}
    at["reverse_lag" if reverse else "lag"] = np.full((1, 1, 1), lag)
    return Truth(**{**nothing, **at})


@pytest.mark.parametrize(
    ("name", "value", "lag", "wanted"),
    [
        ("weight", 0.4, 20.4, (1, LAGS.index(20), 0.4, 1)),
        ("reverse_weight", 0.4, -24, (1, 0, np.nan, 1)),
        ("reverse_weight", 0.4, -30, (1, -1, np.nan, 0)),
        ("weight", np.nan, np.nan, (0, -1, np.nan, 1)),
    ],
)
def test_the_truth_of_either_direction(
    name: str, value: float, lag: float, wanted: tuple[float, ...]
) -> None:
    found = true_links(truth_of(name, value, lag), 0)
    said = [float(found[n][0, 0]) for n in ("linked", "lag", "weight", "scored")]
    assert said == pytest.approx(list(wanted), nan_ok=True)


def test_parts_of_like_width(rows: Rows) -> None:
    wide = replace(
        rows,
        **{
            one.name: np.repeat(getattr(rows, one.name), 2, axis=1)
            for one in fields(rows)
            if one.name != "symptoms"
        },
    )
    narrow, broad = by_width([rows, wide, rows])
    assert (len(narrow), len(broad)) == (2 * len(rows), len(rows))
    assert broad.width == 6
    assert WIDTHS[-1] == BIOMETRICS
    both = joined([rows, wide])
    assert both.width == 6
    assert not both.pairs[: len(rows), 3:].any()


def test_shards_are_made_once_and_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(STRONG, days=(21, 21), biometrics=(1, 1), symptoms=(1, 1))
    monkeypatch.setattr(correlation_data, "FAMILIES", (small,))
    make_shards(tmp_path, seed=4, shards=2, people=2)
    paths = shards_in(tmp_path, seed=4)
    before = [path.read_bytes() for path in paths]
    times = [path.stat().st_mtime_ns for path in paths]
    paths[1].unlink()
    make_shards(tmp_path, seed=4, shards=2, people=2)
    assert paths == shards_in(tmp_path, seed=4)
    assert paths[0].stat().st_mtime_ns == times[0]
    again = load(paths[1])
    paths[1].write_bytes(before[1])
    for one in fields(Rows):
        was = getattr(load(paths[1]), one.name)
        np.testing.assert_array_equal(was, getattr(again, one.name))
    assert not shards_in(tmp_path, seed=5)


def test_progress_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = replace(STRONG, days=(21, 21), biometrics=(1, 1), symptoms=(1, 1))
    monkeypatch.setattr(correlation_data, "FAMILIES", (small,))
    arguments = ["--shards", "20", "--people", "1", "--folder", str(tmp_path)]
    correlation_data.main(arguments)
    assert "shard 20/20" in capsys.readouterr().out
    assert len(shards_in(tmp_path, seed=1)) == 20


def test_families_cover_the_usual_windows_and_rare_links() -> None:
    days = {family.days for family in FAMILIES}
    assert {(30, 30), (90, 90)} < days
    assert min(family.link_prior[0] for family in FAMILIES) == 0.05
