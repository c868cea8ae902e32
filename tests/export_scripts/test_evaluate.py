"""The benchmark's page: its figures as they came, beside the recorded baselines."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from export_scripts import evaluate
from export_scripts.evaluate import main, parse, run, sections
from export_scripts.real_windows import Bench

OUTPUT = """\
15 windows, 9 series, 8 patients, 2 data sets; 0.53 ms per window

Lower than ewclim14 by (per cent, 95 % interval over patients)
  mae: +0.69 [+0.12, +1.22]
  wql: -2.01 [-2.77, -1.22]
"""
FIGURES = {
    "windows": 15,
    "pooled": {"mae": 0.8634, "crps": 0.62, "cov80": 0.81},
    "datasets": {"jang": {"mae": 0.5, "crps": 0.4}},
}
SCRIPT = """\
import json, sys
figures = json.loads({figures!r})
sys.stdout.write({output!r})
open(sys.argv[sys.argv.index("--json") + 1], "w").write(json.dumps(figures))
"""


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A benchmark that gives one known answer."""
    script = SCRIPT.format(figures=json.dumps(FIGURES), output=OUTPUT)
    (tmp_path / "score.py").write_text(script)
    row = {"ewclim14": {"mae": 0.847, "crps": 0.618}, "ets": {"mae": 0.948}}
    recorded = {
        "windows": {"all": {"jang": 15}, "subset": {"jang": 14}},
        "pooled": {"all": row, "subset": row},
    }
    (tmp_path / "baseline.json").write_text(json.dumps(recorded))
    return tmp_path


def test_the_page_holds_our_row_beside_the_baselines(
    bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text("old\n# Speed\n\nas it was\n")
    found = Bench(None, None, None, tmp_path / "elsewhere")
    monkeypatch.setattr(evaluate, "bench", lambda _: found)
    monkeypatch.setattr(evaluate, "sections", lambda one: [f"## {one.data.name}", ""])
    main(["--bench", str(bench), "--output", str(page)])
    text = page.read_text()
    assert "## elsewhere\n" in text
    assert text.endswith("\n# Speed\n\nas it was\n")
    assert text.count("| ewclim14 |") == 1  # the subset recorded is another one
    assert "## All windows (15)" in text
    assert "## Subset windows (15)" in text
    assert "| ewclim14 | 0.847 | . | . | . | 0.618 |" in text
    assert "| **MindTwin** | 0.863 | . | . | . | 0.620 | 0.810 |" in text
    assert "mae +0.69 [+0.12, +1.22]; wql -2.01 [-2.77, -1.22]" in text
    assert "| jang | 0.500 |" in text
    assert re.search(r"models: symptom_transformer \d+, symptom_xgboost \d+", text)
    main(["--bench", str(bench), "--output", str(page), "--data", str(tmp_path)])
    assert f"## {tmp_path.name}\n" in page.read_text()


def test_a_benchmark_that_fails_is_not_papered_over(bench: Path) -> None:
    (bench / "score.py").write_text("raise SystemExit('no windows')")
    with pytest.raises(subprocess.CalledProcessError):
        run(bench, "all", bench)


def test_a_speed_that_is_not_printed_is_unknown() -> None:
    assert parse("all", "nothing", FIGURES).milliseconds == "?"


def test_without_a_benchmark_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    main(["--bench", str(tmp_path / "absent"), "--output", str(page)])
    assert "nothing was scored" in capsys.readouterr().out
    assert not page.exists()


@pytest.mark.slow
def test_every_section_stands_on_the_page(
    made_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "sparse_section", lambda _: ["## Questionnaires"])
    monkeypatch.setattr(evaluate, "specification_section", lambda: ["## As specified"])
    headings = [line for line in sections(made_bench) if line.startswith("## ")]
    assert headings == [
        "## Differences to the plain baselines",
        "## Coverage, and each data set",
        "## Groups",
        "## The first entries",
        "## After a change of dose",
        "## The mean of the coming fortnight",
        "## Weights of the blend",
        "## Questionnaires",
        "## Models",
        "## As specified",
    ]
