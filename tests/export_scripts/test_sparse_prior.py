"""Fitting the irregular path: the files read, the origins cut, the constants found."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from backend.twin import irregular
from backend.twin.irregular import LEVEL_SD, MIDDLE, Constants, shares_of
from export_scripts import sparse_prior
from export_scripts.sparse_prior import (
    FOLDS,
    Person,
    dense_origins,
    few,
    fitted,
    fold,
    main,
    only,
    people,
    predicted,
    sparse_origins,
    weights,
    without,
    written,
)

FILES = ("sparse", "dense")


def person(file: str, name: str, days: list[float], shares: list[float]) -> Person:
    return Person(file, name, "x", np.array(days), np.array(shares), 27.0)


def made(constants: Constants, count: int) -> list[Person]:
    """People who are as the constants say, asked every other week."""
    rng = np.random.default_rng(4)
    days = np.arange(0.0, 84, 14)
    apart = np.abs(days[:, None] - days)
    found = []
    for at in range(count):
        factor = np.exp(constants.uneven * rng.standard_normal())
        slow = constants.state_sd**2 * np.exp(-apart / constants.state_days)
        quick = constants.noise_sd**2 * np.eye(len(days))
        covariance = LEVEL_SD**2 + factor * (slow + quick)
        moved = rng.multivariate_normal(np.full(len(days), MIDDLE), covariance)
        found.append(person("made", f"made-{at}", days.tolist(), shares_of(moved)))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files: questionnaires, two a day at first; and a diary of two items."""
    scales = "dataset,symptom_type,lo,hi\nsparse,phq_9,0,27\ndense,na,1,7\n"
    (tmp_path / "_symptoms.csv").write_text(scales + "dense,panic,0,1\n")
    head = "patient_id,date,symptom_type,severity\n"
    rows = ["a,2024-01-01T08:00:00,phq_9,9", "a,2024-01-01T20:00:00,phq_9,18"]
    rows += ["a,2024-01-29T08:00:00,phq_9,27", "b,2024-03-01T09:00:00,phq_9,0"]
    (tmp_path / "sparse.csv").write_text(head + "\n".join(rows) + "\n")
    days = [f"c,2024-01-{day:02d}T09:00:00,na,{1 + day % 6}" for day in range(1, 20)]
    days += ["c,2024-01-01T09:00:00,panic,1"]
    (tmp_path / "dense.csv").write_text(head + "\n".join(days) + "\n")
    return tmp_path


def test_files_are_read_as_daily_means_in_shares(folder: Path) -> None:
    first, second, third = people(folder, FILES)
    assert (first.patient, first.symptom, first.width) == ("a", "phq_9", 27.0)
    np.testing.assert_array_equal(first.days, [0, 28])
    np.testing.assert_array_equal(first.shares, [0.5, 1.0])
    np.testing.assert_array_equal(second.shares, [0.0])
    assert third.symptom == "na"  # the yes/no item is left out
    assert third.shares.min() == 0


def test_every_score_that_follows_another_is_a_target_at_its_own_time() -> None:
    found = sparse_origins([person("f", "a", [0, 28, 40, 300], [0.1, 0.2, 0.3, 0.4])])
    assert [block.shares.shape for block in found] == [(1, 1), (1, 2)]
    np.testing.assert_array_equal(found[1].ages, [[28.0, 0.0]])
    assert (found[1].at[0], found[1].target[0]) == (12.0, 0.3)


def test_a_diary_just_begun_is_asked_of_its_days_ahead() -> None:
    found = dense_origins(
        [person("f", "a", [0, 1, 4, 7, 8], [0.1, 0.2, 0.3, 0.4, 0.5])]
    )
    assert not any(np.isnan(block.at).any() for block in found)  # too few for a mean
    pairs = [(b.shares.shape[1], a) for b in found for a in b.at.tolist()]
    assert pairs == [(1, 1.0), (1, 4.0), (1, 7.0), (3, 4.0)]


def test_the_fortnights_mean_is_a_target_where_half_of_it_is_known() -> None:
    shares = [0.9, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.0]
    found = dense_origins([person("f", "a", [*range(8), 20.0], shares)])
    means = [block for block in found if np.isnan(block.at).all()]
    assert [(b.shares.shape[1], b.target.tolist()) for b in means] == [
        (1, [pytest.approx(0.4)])
    ]
    quantiles = predicted(means[0], sparse_prior.START)[0]
    day = predicted(found[0], sparse_prior.START)[0]
    assert np.ptp(quantiles) < np.ptp(day)


def test_few_takes_those_with_more_than_a_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sparse_prior, "PER_FILE", 2)
    long = [person("f", f"p{i}", [0, 1, 2, 3], [0.1] * 4) for i in range(5)]
    short = [person("f", f"q{i}", [0, 1], [0.1] * 2) for i in range(5)]
    kept = few([*long, *short])
    assert len(kept) == 2
    assert kept == few([*short, *long])


def test_people_weigh_alike_and_files_no_more_than_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sparse_prior, "MOST", 2)
    days = [0.0, 14, 28]
    many = [person("many", f"p{i}", days, [0.1, 0.2, 0.3]) for i in range(8)]
    blocks = sparse_origins([*many, person("one", "q", days[:2], [0.1, 0.2])])
    rows = [
        (p.file, w)
        for block, shares in zip(blocks, weights(blocks), strict=True)
        for p, w in zip(block.person, shares, strict=True)
    ]
    by_file = {name: sum(w for f, w in rows if f == name) for name in ("many", "one")}
    assert by_file == {"many": pytest.approx(2 / 3), "one": pytest.approx(1 / 3)}


def test_the_fold_is_the_benchmarks(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(shared / "bench" / "forecast"))
    monkeypatch.delitem(sys.modules, "windows", raising=False)
    import windows  # noqa: PLC0415 - lies outside this repository

    names = [f"person-{i}" for i in range(50)]
    assert [fold(name) for name in names] == [windows.fold(n, FOLDS) for n in names]


def test_folds_part_the_people() -> None:
    blocks = sparse_origins(made(sparse_prior.START, 20))
    for at in range(FOLDS):
        inside = {p.patient for block in only(blocks, at) for p in block.person}
        outside = {p.patient for block in without(blocks, at) for p in block.person}
        assert not inside & outside
        assert len(inside | outside) == 20
        assert {fold(name) for name in inside} <= {at}


def test_fitting_finds_the_spread_that_people_were_made_with() -> None:
    truth = Constants(state_sd=0.02, state_days=60.0, noise_sd=0.25, uneven=0.3)
    blocks = sparse_origins(made(truth, 120))
    found = fitted(blocks, steps=60)
    assert np.hypot(found.state_sd, found.noise_sd) == pytest.approx(0.25, rel=0.15)
    inside = [
        (q[1] <= y) & (y <= q[9])
        for block in blocks
        for q, y in zip(predicted(block, found), block.target, strict=True)
    ]
    assert np.mean(inside) == pytest.approx(0.8, abs=0.06)


def test_the_command_writes_what_the_twin_reads(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sparse_prior, "SPARSE", FILES[:1])
    monkeypatch.setattr(sparse_prior, "DENSE", FILES[1:])
    table = tmp_path / "irregular.toml"
    main(["--data", str(folder), "--output", str(table), "--steps", "3"])
    text = table.read_text(encoding="utf-8")
    assert text in capsys.readouterr().out
    assert "[questionnaire]" in text and "[daily]" in text


def test_the_table_in_the_tree_is_as_the_command_writes_it() -> None:
    committed = sparse_prior.TABLE.read_text(encoding="utf-8")
    assert committed == written(dict(irregular.table()))


def test_without_data_nothing_is_fitted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--data", str(tmp_path / "none"), "--output", str(tmp_path / "out")])
    assert "nothing was fitted" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()
