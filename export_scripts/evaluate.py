"""Score the served path on real diaries and write docs/benchmarks.md.

    python -m export_scripts.evaluate

The benchmark lies outside this repository, in ../shared/bench/forecast; it calls the
path that answers the API. Its figures are copied as they come, good or bad; each of the
sections beside them has a module of its own. Takes about five minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess  # runs the benchmark's own script, with fixed arguments
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.twin.forecast import WEIGHTS
from export_scripts.blends import blend_section
from export_scripts.cold_start import cold_start_section
from export_scripts.differences import difference_section
from export_scripts.dose_change import dose_section
from export_scripts.evaluate_sparse import sparse_section
from export_scripts.model_section import model_section
from export_scripts.page import commit, machine, rewrite
from export_scripts.real_windows import BENCH, ROOT, SERVED, Bench, answered, bench
from export_scripts.shift_section import shift_section
from export_scripts.specification_section import specification_section
from export_scripts.subgroups import group_section

PREDICTOR = f"{SERVED}:forecast"
METRICS = ("mae", "rmse", "mase", "wql", "crps", "cov80", "is80", "cov95", "is95")
WINDOWS = ("all", "subset")
DIFFERENCE = re.compile(r"^\s+(mae|wql): (\S+ \[.+\])$", re.MULTILINE)
SPEED = re.compile(r"([\d.]+) ms per window")

PREFACE = """\
Written by `make evaluate`; edit `export_scripts/evaluate.py` instead.

Real symptom diaries, rolling-origin windows, 14 days ahead, scored on the path that
answers the API (windows, embedded server, blend, calibration, fallback). The models
have seen simulated people only; the calibration was fitted on data sets that may be
fitted on (tier A), and each of their patients is scored by constants that have not seen
them. Every data set weighs the same; errors are in units of the standard deviation of
the history shown; `crps` and `wql` are quantile losses; `cov80` and `cov95` are the
share of days inside the interval; `is80` and `is95` are interval scores. Lower is
better but for the coverages, whose goal is their name. Differences below about 0.5 %
mean little.

Not a blind score: the simulator's constants, the weights of the blend and the rules of
the calibration were set with seven of these data sets in view (tier A), and pooled
figures of all fourteen and their coverage were looked at about thirty times on the way;
docs/methods/forecast.md says what was chosen by what."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One run: pooled figures, per data set, and the differences to ewclim14."""

    windows: str
    count: int
    pooled: Mapping[str, float]
    datasets: Mapping[str, Mapping[str, float]]
    differences: Mapping[str, str]  # per metric: per cent lower [95 % interval]
    milliseconds: str


def run(folder: Path, windows: str, data: Path) -> Scored:
    """Run the benchmark on one choice of windows; raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as place:
        figures = Path(place) / "figures.json"
        command = [sys.executable, str(folder / "score.py"), "--predictor", PREDICTOR]
        command += ["--windows", windows, "--json", str(figures), "--data", str(data)]
        output = subprocess.run(  # noqa: S603 - no part of it comes from outside
            command, cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout
        print(output)
        return parse(windows, output, json.loads(figures.read_text(encoding="utf-8")))


def parse(windows: str, output: str, figures: Mapping[str, Any]) -> Scored:
    """A run's figures from its JSON; differences and speed stand only in its output."""
    speed = SPEED.search(output)
    return Scored(
        windows=windows,
        count=int(figures["windows"]),
        pooled=figures["pooled"],
        datasets=figures["datasets"],
        differences=dict(DIFFERENCE.findall(output)),
        milliseconds=speed[1] if speed else "?",
    )


def sections(found: Bench) -> list[str]:
    """Everything that the benchmark's own script does not print."""
    windows = found.windows.load(found.data)
    asked = answered(found, windows)
    return [
        *difference_section(asked),
        *group_section(asked),
        *cold_start_section(found, sorted({w.dataset for w in windows})),
        *dose_section(found),
        *shift_section(asked),
        *blend_section(asked),
        *sparse_section(found.data),
        *model_section(),
        "",
        *specification_section(),
    ]


def page(
    scored: Sequence[Scored],
    recorded: Mapping[str, Any],
    versions: str,
    more: Sequence[str],
) -> str:
    """docs/benchmarks.md as text; `more` are the sections after the tables."""
    head = [
        "# Benchmarks",
        "",
        *PREFACE.splitlines(),
        "",
        f"- models: {versions}",
        f"- code: {commit(ROOT)}",
        f"- machine: {machine()}",
        "",
    ]
    tables = [line for part in scored for line in _part(part, recorded)]
    return "\n".join([*head, *tables, *more])


def _part(scored: Scored, recorded: Mapping[str, Any]) -> list[str]:
    same = scored.count == sum(recorded["windows"][scored.windows].values())
    baselines = recorded["pooled"][scored.windows] if same else {}
    rows = {**baselines, "**MindTwin**": scored.pooled}
    lines = [
        f"## {scored.windows.capitalize()} windows ({scored.count})",
        "",
        f"    python ../shared/bench/forecast/score.py --predictor {PREDICTOR} "
        f"--windows {scored.windows}",
        "",
        *_table("forecaster", rows),
        "",
        "Lower than `ewclim14` by, per cent, with a 95 % interval over patients: "
        + "; ".join(f"{m} {text}" for m, text in scored.differences.items())
        + f". {scored.milliseconds} ms per window.",
        "",
    ]
    if scored.windows == "all":
        lines += ["Per data set:", "", *_table("data set", scored.datasets), ""]
    return lines


def _table(title: str, rows: Mapping[str, Mapping[str, float]]) -> list[str]:
    body = [
        "| " + " | ".join([name, *(_number(row.get(m)) for m in METRICS)]) + " |"
        for name, row in rows.items()
    ]
    head = f"| {title} | " + " | ".join(METRICS) + " |"
    return [head, "|" + "---|" * (1 + len(METRICS)), *body]


def _number(value: float | None) -> str:
    return "." if value is None else f"{value:.3f}"


def _versions(repository: Path) -> str:
    """The newest version of each model that forecasts."""
    folders = sorted(repository.glob("*/[0-9]*"), key=lambda p: (p.parent, int(p.name)))
    folders = [folder for folder in folders if folder.parent.name in WEIGHTS]
    latest = {folder.parent.name: folder.name for folder in folders}
    return ", ".join(f"{model} {version}" for model, version in latest.items())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both choices of windows and write the page."""
    parser = argparse.ArgumentParser(description="score the served path")
    parser.add_argument("--bench", type=Path, default=BENCH)
    parser.add_argument("--data", type=Path, help="another folder of diaries")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args(arguments)
    if not (options.bench / "score.py").exists():
        print("no benchmark in ../shared/bench/forecast: nothing was scored")
        return
    recorded = json.loads((options.bench / "baseline.json").read_text(encoding="utf-8"))
    found = bench(options.bench)
    if options.data:
        found = found._replace(data=options.data)
    scored = [run(options.bench, windows, found.data) for windows in WINDOWS]
    text = page(scored, recorded, _versions(ROOT / "model_repository"), sections(found))
    rewrite(options.output, text)
    print(f"wrote {options.output.name}")


if __name__ == "__main__":
    main()
