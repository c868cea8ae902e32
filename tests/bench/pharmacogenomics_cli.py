"""10,000 people x 13 medicines through the command line, on one core.

    python -m tests.bench.pharmacogenomics_cli

The command runs as a process of its own, pinned to one core; what counts is its CPU,
start and imports included, and its largest resident memory, beside that of a tenth of
the people. Diplotypes are drawn evenly from the tables of alleles, which repeats few of
them: real people repeat most. Writes the page's part "Pharmacogenomics by file"; exit
status 1 where it takes 60 s or more, or memory grows with the file.
"""

from __future__ import annotations

import json
import os
import random
import subprocess  # runs our own command, with fixed words
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from backend.twin.pharmacogenomics.alleles import allele_tables
from export_scripts.markdown import table
from export_scripts.page import commit, machine, rewrite

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
HEADING = "# Pharmacogenomics by file"
COMMAND = "python -m tests.bench.pharmacogenomics_cli"
SEED = 20_261_123
PEOPLE = 10_000
MOST_S = 60.0
MOST_GROWTH_MB = 10.0
MEDICINES = (
    *("sertraline", "escitalopram", "fluoxetine", "paroxetine", "venlafaxine"),
    *("duloxetine", "bupropion", "quetiapine", "aripiprazole", "risperidone"),
    *("lamotrigine", "lithium", "valproate"),
)
TAKEN = (
    *("fluoxetine", "bupropion", "omeprazole", "ibuprofen", "hydrochlorothiazide"),
    *("lamotrigine", "valproate", "carbamazepine"),
)


class Run(NamedTuple):
    """What a run of the command took: seconds of its CPU and of the clock, MB."""

    people: int
    cpu_s: float
    clock_s: float
    peak_mb: float
    output_mb: float


def line(number: int, draw: random.Random) -> str:
    """A person as a line of the input."""
    calls = [
        {"gene": gene, "diplotype": "/".join(draw.choices(list(one.alleles), k=2))}
        for gene, one in allele_tables().items()
    ]
    pair = draw.choices(["*15:02", "*07:02", "*57:01"], k=2)
    calls += [{"gene": "HLA-B", "alleles": pair}] if draw.random() < 0.5 else []
    asked = {
        "id": f"p{number}",
        "calls": calls,
        "medications": MEDICINES,
        "current_medications": draw.sample(TAKEN, draw.randint(0, 3)),
        "population": {"age_years": draw.randint(18, 90)},
    }
    return json.dumps(asked)


def measure(people: int, folder: Path) -> Run:
    """The command over so many people, on one core."""
    draw = random.Random(SEED)
    source, output = folder / "in.jsonl", folder / "out.jsonl"
    source.write_text("".join(line(n, draw) + "\n" for n in range(people)))
    begun = time.monotonic()
    process = manage("pharmacogenomics", "--input", str(source), "--output", output)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit("the command failed")
    with output.open("rb") as answers:
        assert sum(1 for _ in answers) == people
    return Run(
        people=people,
        cpu_s=used.ru_utime + used.ru_stime,
        clock_s=time.monotonic() - begun,
        peak_mb=used.ru_maxrss / 1024,
        output_mb=output.stat().st_size / 1e6,
    )


def manage(*words: str | Path) -> subprocess.Popen[bytes]:
    """`manage.py` with these words, pinned to one core."""
    core = min(os.sched_getaffinity(0))
    return subprocess.Popen(
        [sys.executable, "manage.py", *map(str, words)],
        cwd=ROOT,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),  # noqa: PLW1509
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def part(few: Run, many: Run) -> str:
    """The page's part as text."""
    rows = [
        [
            f"{one.people:,}",
            f"{one.cpu_s:.1f}",
            f"{one.clock_s:.1f}",
            f"{one.peak_mb:.0f}",
            f"{one.output_mb:.0f}",
        ]
        for one in (few, many)
    ]
    lines = [
        HEADING,
        "",
        f"Written by `make bench` (`{COMMAND}`).",
        f"`manage.py pharmacogenomics` over people with {len(MEDICINES)} medicines "
        "each, by guidelines",
        "and stops, without the response model; a process of its own on one core, its "
        "start and",
        "imports included. The core is shared with whatever else runs: the CPU counts.",
        "",
        f"- code: {commit(ROOT)}",
        f"- machine: {machine()}",
        "",
        *table(["people", "CPU, s", "clock, s", "most memory, MB", "output, MB"], rows),
        f"Goals: below {MOST_S:g} s of CPU for {PEOPLE:,} people; most memory at most "
        f"{MOST_GROWTH_MB:g} MB",
        f"above that of a tenth of them ({many.peak_mb - few.peak_mb:+.1f} MB).",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, write the part, and fail where a goal is missed."""
    with tempfile.TemporaryDirectory(prefix="mindtwin-bench-") as name:
        folder = Path(name)
        os.environ["MINDTWIN_VAR"] = str(folder / "var")
        os.environ["DJANGO_SETTINGS_MODULE"] = "backend.settings.embedded"
        manage("migrate").wait()
        few, many = (measure(people, folder) for people in (PEOPLE // 10, PEOPLE))
    text = part(few, many)
    rewrite(PAGE, text)
    print(text)
    if many.cpu_s >= MOST_S:
        sys.exit(f"{PEOPLE:,} people took {many.cpu_s:.1f} s of CPU")
    if many.peak_mb - few.peak_mb > MOST_GROWTH_MB:
        sys.exit("memory grows with the file")


if __name__ == "__main__":
    main()
