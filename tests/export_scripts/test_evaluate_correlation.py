"""The correlations' part of the page: made once, kept, and written among the others."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from export_scripts import evaluate_correlation
from export_scripts.evaluate_correlation import (
    Kept,
    arguments_of,
    fingerprint,
    insights,
    main,
    name_of,
    parts,
)
from export_scripts.evaluate_correlation_bench import CELLS, Bench, bench
from export_scripts.planted_links import SYMPTOMS

TOLD = "tests.export_scripts.told:told_all"
SMALL = ["--patients", "2", "--people", "2", "--predictor", TOLD]
SHARED = Path("bench") / "correlation"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two slowest kinds of parts with one answer each."""
    row = ["p", "steps_hourly", 0.4, 1]
    monkeypatch.setattr(evaluate_correlation, "commit", lambda _: "abc")
    monkeypatch.setattr(
        evaluate_correlation.planted,
        "asked",
        lambda *_: {
            kind + lags: [row]
            for kind in ("real", "simulated")
            for lags in ("", " whole days")
        },
    )
    monkeypatch.setattr(
        evaluate_correlation.placebo, "asked", lambda *_: [("a", "b", 1, 16)]
    )
    monkeypatch.setattr(
        evaluate_correlation, "insights", lambda people, _: f"{people} people\n"
    )


@pytest.mark.usefixtures("quick")
def test_a_run_writes_its_part_and_goes_on_where_it_was(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Benchmarks\n\nfirst\n\n# Speed\n\nlast\n")
    given = [*SMALL, "--output", str(page), "--kept", str(tmp_path / "kept")]
    main([*given, "--bench", str(shared / SHARED), "--insights", "8"])
    text = page.read_text()
    assert text.startswith("# Benchmarks\n\nfirst\n\n# Correlations\n")
    assert text.endswith("\n# Speed\n\nlast\n")
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == [
        "## The benchmark's patients, 60 a cell",
        "## p(link) on fresh patients",
        "## Real placebo",
        "## Links planted into real wearables",
        "## Insights",
    ]
    assert f"- predictor: `{TOLD}`" in text
    assert "    8 people" in text
    assert "kept" not in capsys.readouterr().out
    (figures,) = (tmp_path / "kept").glob("*/bench-clean-30x1.json")
    figures.unlink()
    main([*given, "--bench", str(shared / SHARED), "--insights", "8"])
    out = capsys.readouterr().out
    assert out.count(": kept") == out.count("/23 ") - 1
    assert page.read_text() == text


def test_a_killed_part_leaves_nothing_behind(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "new", 2)

    def killed() -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept.get("one", killed)
    assert kept.get("one", lambda: [1]) == [1]
    assert kept.get("one", killed) == [1]


def test_every_part_has_its_file(shared: Path) -> None:
    found: Bench = bench(shared / SHARED)
    options = arguments_of([*SMALL, "--insights", "8"])
    names = [name_of(key) for key in parts(found, options)]
    assert len(names) == len(set(names)) == 23
    assert {"bench-coupled-30x1", "placebo-lifesnaps-60", "planted-90x4"} < set(names)
    assert names[-1] == "insights-8"


def test_another_engine_or_predictor_is_scored_anew(tmp_path: Path) -> None:
    folder = tmp_path / "backend" / "twin" / "correlation"
    folder.mkdir(parents=True)
    (folder / "engine.py").write_text("1")
    (tmp_path / "README.md").write_text("1")
    before = fingerprint("x:y", tmp_path)
    (tmp_path / "README.md").write_text("2")
    assert fingerprint("x:y", tmp_path) == before
    assert fingerprint("x:z", tmp_path) != before
    (folder / "engine.py").write_text("2")
    assert fingerprint("x:y", tmp_path) != before


def test_without_the_benchmark_nothing_is_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    main(["--bench", str(tmp_path), "--output", str(page)])
    assert "no benchmark" in capsys.readouterr().out
    assert not page.exists()


def test_without_wearables_nothing_is_scored(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "bench.py").write_text("")
    nowhere = Namespace(data=tmp_path / "nowhere")
    monkeypatch.setattr(evaluate_correlation, "bench", lambda _: nowhere)
    main(["--bench", str(tmp_path), "--output", str(tmp_path / "page.md")])
    assert "no wearables" in capsys.readouterr().out


def test_insights_are_measured_by_their_bench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "echo.py").write_text("import sys; print(sys.argv[1:])")
    monkeypatch.setattr(evaluate_correlation, "ROOT", tmp_path)
    monkeypatch.setattr(evaluate_correlation, "INSIGHTS", "echo")
    assert insights(5, Path("x")) == "['5', '--benchmark', 'x']\n"


def test_the_cells_and_symptoms_are_the_benchmarks(shared: Path) -> None:
    found = bench(shared / SHARED)
    assert tuple(found.simulator.SYMPTOMS) == SYMPTOMS
    rows = json.loads((shared / SHARED / "baseline.json").read_text())["rows"]
    assert {(row["days"], row["per_day"]) for row in rows} == set(CELLS)
