"""Scoring the irregular path: losses by hand, pooling by person, the page's section."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.twin.trajectory import LEVELS
from export_scripts import evaluate_sparse, sparse_prior
from export_scripts.evaluate_sparse import (
    COLUMNS,
    FORECASTERS,
    NOW,
    OURS,
    Cases,
    by_person,
    gain,
    losses,
    main,
    sparse_section,
)

SCALES = """\
dataset,symptom_type,lo,hi
jang_sparse_phq_9,phq_9,0,27
openplay_promis_biweekly,promis_depression_8,8,40
kossakowski_scl90_weekly,scl90_dep,0,5
westhoff_young,depressed,0,100
"""
HEAD = "patient_id,date,symptom_type,severity\n"


def scored(
    files: list[str], names: list[str], ours: list[float], now: list[float]
) -> Cases:
    """Cases whose target is 0.5, forecast by single numbers."""
    count = len(files)
    flat = {
        n: np.repeat(np.array(v)[:, None], len(LEVELS), 1)
        for n, v in ((OURS, ours), (NOW, now))
    }
    half = np.full(count, 0.5)
    return Cases(
        file=np.array(files),
        patient=np.array(names),
        entries=np.ones(count),
        at=np.ones(count),
        width=np.full(count, 27.0),
        before=half,
        last=half,
        target=half,
        quantiles=flat,
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve people of two questionnaires, one asked weekly, and two diaries."""
    rng = np.random.default_rng(3)
    (tmp_path / "_symptoms.csv").write_text(SCALES)
    plan = (
        ("jang_sparse_phq_9", "phq_9", 12, 30, (0, 27)),
        ("openplay_promis_biweekly", "promis_depression_8", 12, 14, (8, 40)),
        ("kossakowski_scl90_weekly", "scl90_dep", 1, 7, (0, 5)),
        ("westhoff_young", "depressed", 3, 1, (0, 100)),
    )
    for file, symptom, people, every, (low, high) in plan:
        lines = []
        for at in range(people):
            level = rng.uniform(low, high)
            for day in np.datetime64("2024-01-01") + every * np.arange(8):
                score = np.clip(level + rng.normal() * (high - low) / 8, low, high)
                lines.append(f"{file}-{at},{day}T09:00:00,{symptom},{score:.1f}")
        (tmp_path / f"{file}.csv").write_text(HEAD + "\n".join(lines) + "\n")
    monkeypatch.setattr(sparse_prior, "SPARSE", tuple(p[0] for p in plan[:3]))
    monkeypatch.setattr(evaluate_sparse, "SPARSE", tuple(p[0] for p in plan[:3]))
    monkeypatch.setattr(sparse_prior, "DENSE", (plan[3][0],))
    monkeypatch.setattr(evaluate_sparse, "DRAWS", 20)
    return tmp_path


def test_losses_of_a_number_are_its_error() -> None:
    quantiles = np.full((1, len(LEVELS)), 0.3)
    named = dict(zip(COLUMNS, losses(quantiles, np.array([0.5]))[0], strict=True))
    assert named["mae"] == pytest.approx(0.2)
    assert named["wql"] == pytest.approx(0.2)
    assert named["crps"] == pytest.approx(0.2)
    assert named["is80"] == pytest.approx(2.0)
    assert (named["cov80"], named["cov95"]) == (0, 0)


def test_the_ends_of_an_interval_belong_to_it() -> None:
    quantiles = np.linspace(0, 1, len(LEVELS))[None]
    inside = losses(np.repeat(quantiles, 3, 0), np.array([0.1, 0.0, 0.95]))[:, 4:]
    np.testing.assert_array_equal(inside, [[1, 1], [0, 1], [0, 1]])
    assert losses(quantiles, np.array([0.0]))[0, 3] == pytest.approx(0.8 + 10 * 0.1)


def test_people_weigh_alike_whatever_they_wrote() -> None:
    case = scored(["f"] * 3, ["a", "a", "b"], [0.5] * 3, [0.5] * 3)
    rows = by_person(case, np.array([[1.0], [3.0], [10.0]]))
    np.testing.assert_array_equal(rows["f"], [[2.0], [10.0]])


def test_the_gain_is_in_per_cent_of_the_earlier_loss() -> None:
    case = scored(["f"] * 2, ["a", "b"], [0.4, 0.6], [0.3, 0.7])
    assert gain(case, ["f"]) == "+50.0 [+50.0, +50.0]"
    worse = scored(["f"] * 2, ["a", "b"], [0.3, 0.7], [0.4, 0.6])
    assert gain(worse, ["f"]).startswith("-100.0")


def test_the_section_names_forecasters_files_and_what_is_missing(folder: Path) -> None:
    lines = sparse_section(folder, steps=2)
    text = "\n".join(lines)
    for name in FORECASTERS:
        assert text.count(f"| {name} |") == 2  # within 60 days; one earlier score
    assert "after 61 to 180 days: no file has 10 people." in text
    assert "6 entries, days up to 14 ahead: no file has 10 people." in text
    assert "| kossakowski_scl90_weekly | 1-60 | 1 | 7 |" in text
    assert "one person" in text and "no bands" in text
    tables = [line for line in lines if line.startswith("|")]
    assert not any("nan" in line for line in tables)


def test_without_data_it_says_so(tmp_path: Path) -> None:
    lines = sparse_section(tmp_path / "none")
    assert any("nothing was scored" in line for line in lines)


def test_the_command_prints_the_section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate_sparse, "sparse_section", lambda: ["one", "two"])
    said: list[str] = []
    main(said.append)
    assert said == ["one\ntwo"]


def test_real_questionnaires_are_forecast_better_than_before(shared: Path) -> None:
    """Figures of the page, rougher: few steps of the fit, one file."""
    data = shared / "data" / "symptoms"
    chosen = sparse_prior.people(data, ("openplay_promis_biweekly",))[:400]
    found = evaluate_sparse.cases(sparse_prior.sparse_origins(chosen), steps=8)
    ours, now = (
        losses(found.quantiles[name], found.target).mean(0) for name in (OURS, NOW)
    )
    assert ours[2] < 0.97 * now[2]
    assert ours[4] == pytest.approx(0.80, abs=0.06)
    assert ours[5] == pytest.approx(0.95, abs=0.03)
