"""Score the served correlations and write their part of docs/benchmarks.md.

    python -m export_scripts.evaluate_correlation

The benchmark lies outside this repository, in ../shared/bench/correlation. Each part's
figures are kept in a folder named after what was scored, so that a run that was stopped
goes on where it was, and a changed engine or network is scored anew. Takes some ten
minutes on one core.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess  # runs a bench of this repository, with fixed arguments
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from export_scripts import evaluate_correlation_bench as frozen
from export_scripts import evaluate_correlation_fresh as fresh
from export_scripts import evaluate_correlation_placebo as placebo
from export_scripts import evaluate_correlation_planted as planted
from export_scripts.evaluate_correlation_bench import (
    BENCH,
    CELLS,
    ROOT,
    WORLDS,
    Bench,
    bench,
    title,
)
from export_scripts.page import commit, machine, rewrite

PREDICTOR = "backend.jobs.scoring:correlate"
MODEL = ROOT / "model_repository" / "biometric_correlation"
REVISION = 2  # of what a part holds: one more when that means something else
SCORED = (  # what a figure depends on
    "backend/twin/correlation/*.py",
    "backend/twin/tables/insights.toml",
    "backend/jobs/*scoring.py",
    "tests/bench/insight_precision.py",
    "model_repository/biometric_correlation/*/manifest.json",
)
INSIGHTS = "tests.bench.insight_precision"

PREFACE = """\
Written by `make evaluate M=biometric_correlation`; edit
`export_scripts/evaluate_correlation.py` instead.

What the correlation service publishes, asked for as the benchmark asks: an engine of
statistics, and a network trained on simulated patients. All links here are simulated or
planted, or there are none at all: how well it finds the links of real people is not
known."""

Part = Callable[[], Any]


class Kept:
    """Figures by part, in a folder; a part that is there is not made again."""

    def __init__(self, folder: Path, total: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.total, self.done = folder, total, 0

    def get(self, name: str, make: Part) -> Any:
        """The part's figures, made now or before; says which, and how long it took."""
        path, began = self.folder / f"{name}.json", time.perf_counter()
        known = path.exists()
        if not known:
            unfinished = path.with_suffix(f".{os.getpid()}")
            unfinished.write_text(json.dumps(make()), encoding="utf-8")
            unfinished.replace(path)
        self.done += 1
        taken = "kept" if known else f"{time.perf_counter() - began:.0f} s"
        print(f"{self.done}/{self.total} {name}: {taken}", flush=True)
        return json.loads(path.read_text(encoding="utf-8"))


def parts(found: Bench, options: argparse.Namespace) -> dict[tuple[Any, ...], Part]:
    """Every part by its kind and case."""
    ask = frozen.predictor(options.predictor)
    made: dict[tuple[Any, ...], Part] = {}
    for world in WORLDS:
        for cell in CELLS:
            made["bench", world, cell] = _later(
                frozen.scored, found, ask, world, cell, patients=options.patients
            )
            made["fresh", world, cell] = _later(
                fresh.asked, found, ask, world, cell, people=options.people
            )
    for name, days in placebo.CASES:
        made["placebo", name, days] = _later(placebo.asked, found, ask, name, days)
    for cell in planted.CELLS:
        made["planted", cell] = _later(planted.asked, found, ask, cell)
    made["insights", options.insights] = _later(
        insights, options.insights, options.bench
    )
    return made


def _later(make: Callable[..., Any], *given: Any, **named: Any) -> Part:
    return lambda: make(*given, **named)


def insights(people: int, folder: Path) -> str:
    """What insights are worth, as the bench of that name prints it."""
    command = [sys.executable, "-m", INSIGHTS, str(people), "--benchmark", str(folder)]
    return subprocess.run(  # noqa: S603 - fixed words and a number
        command, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


def fingerprint(predictor: str, root: Path = ROOT) -> str:
    """What is scored, by its files, in twelve characters."""
    whole = hashlib.sha256(f"{REVISION} {predictor}".encode())
    for pattern in SCORED:
        for path in sorted(root.glob(pattern)):
            whole.update(path.relative_to(root).as_posix().encode())
            whole.update(path.read_bytes())
    return whole.hexdigest()[:12]


def part_of_the_page(
    found: Bench, options: argparse.Namespace, told: Mapping[tuple[Any, ...], Any]
) -> str:
    """The part of docs/benchmarks.md as text."""

    def of(kind: str) -> dict[Any, Any]:
        rest = {key[1:]: value for key, value in told.items() if key[0] == kind}
        return {k[0] if len(k) == 1 else k: value for k, value in rest.items()}

    usual = {
        cell: fresh.figures(fresh.stacked([told["fresh", "coupled", cell]]))["tpr"]
        for cell in planted.CELLS
    }
    versions = [int(folder.name) for folder in MODEL.glob("[0-9]*")]
    lines = [
        "# Correlations",
        "",
        *PREFACE.splitlines(),
        "",
        f"- predictor: `{options.predictor}`",
        f"- newest network: biometric_correlation {max(versions, default='none')}",
        f"- code: {commit(ROOT)}, scored files {fingerprint(options.predictor)}",
        f"- machine: {machine()}",
        "",
        *frozen.section(found, options.predictor, of("bench")),
        *fresh.section(of("fresh")),
        *placebo.section(of("placebo")),
        *planted.section(of("planted"), usual),
        *_insights(options.insights, told["insights", options.insights]),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _insights(people: int, output: str) -> list[str]:
    return [
        "## Insights",
        "",
        f"`python -m {INSIGHTS} {people} --benchmark ../shared/bench/correlation`:",
        "patients of the wide family of docs/methods/correlation-simulator.md, and of",
        "the benchmark's simulator with seeds of our own. Goals: at most .05 false",
        "insights a patient-month at 30x1; .9 of links of .5 or more found at 90x4.",
        "",
        *(f"    {line}" for line in output.splitlines()),
        "",
    ]


def arguments_of(given: Sequence[str] | None) -> argparse.Namespace:
    """What the command was told."""
    parser = argparse.ArgumentParser(description="score the served correlations")
    parser.add_argument("--bench", type=Path, default=BENCH)
    parser.add_argument("--predictor", default=PREDICTOR)
    parser.add_argument("--patients", type=int, default=frozen.PATIENTS)
    parser.add_argument("--people", type=int, default=fresh.PEOPLE)
    parser.add_argument("--insights", type=int, default=200, help="patients")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks.md")
    parser.add_argument("--kept", type=Path, default=ROOT / "var" / "evaluation")
    return parser.parse_args(given)


def name_of(key: tuple[Any, ...]) -> str:
    """A part's name, which is its file's."""
    return "-".join(title(k) if isinstance(k, tuple) else str(k) for k in key)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make what is missing and write the page's part."""
    options = arguments_of(arguments)
    if not (options.bench / "bench.py").exists():
        print("no benchmark in ../shared/bench/correlation: nothing was scored")
        return
    found = bench(options.bench)
    if not found.data.is_dir():
        print("no wearables in ../shared/data/biometrics: nothing was scored")
        return
    todo = parts(found, options)
    sizes = f"{options.patients}-{options.people}"
    folder = options.kept / f"{fingerprint(options.predictor)}-{sizes}"
    kept = Kept(folder, len(todo))
    told = {key: kept.get(name_of(key), make) for key, make in todo.items()}
    rewrite(options.output, part_of_the_page(found, options, told))
    print(f"wrote {options.output.name}")


if __name__ == "__main__":
    main()
