"""Speed as ratios within one run; writes the section "Speed" of docs/benchmarks.md.

    python -m tests.bench.straight_line

Absolute times on a shared machine say little, so every line is compared with the least
that the same work could cost, measured in the same run, turn by turn.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["MINDTWIN_VAR"] = tempfile.mkdtemp(prefix="mindtwin-bench-")
os.environ["DJANGO_SETTINGS_MODULE"] = "backend.settings.embedded"

import django

django.setup()

import onnxruntime
from django.core.management import call_command
from django.db import connection

from backend import wiring
from backend.audit import ledger
from backend.jobs import demo
from backend.jobs.sandbox_process import sandbox
from backend.people.access import Actor
from backend.predictions.ensemble import approved
from backend.twin import features
from backend.twin.forecast import WEIGHTS
from backend.twin.record import PatientRecord
from backend.twin.simulation.demo import demo_records
from tests.bench import reading, triton_calls

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
TURNS = 40
ACTOR = Actor.of_command("bench")
Work = Callable[[], object]


def turns(*works: Work) -> list[float]:
    """Median seconds of each work, taken turn by turn so that noise hits all alike."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(TURNS):
        for times, work in zip(taken, works, strict=True):
            began = time.perf_counter()
            work()
            times.append(time.perf_counter() - began)
    return [statistics.median(times) for times in taken]


def model_against_bare_session(record: PatientRecord) -> tuple[float, float]:
    """The embedded server's answer against ONNX Runtime alone, one series."""
    series = record.series[0]
    window = features.forecast_window(series, series.entries[-1].day)
    inputs = features.inputs("symptom_transformer", [window])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    served = wiring.models()
    use = approved(WEIGHTS)["symptom_transformer"]
    path = ROOT / "model_repository" / use.model / str(use.version) / "model.onnx"
    session = onnxruntime.InferenceSession(str(path), options)
    ours, bare = turns(
        lambda: served.infer(use.model, use.version, inputs, timeout_s=5.0),
        lambda: session.run(None, dict(inputs)),
    )
    return ours, bare


def audit_against_insert() -> tuple[float, float]:
    """One audit row, chained, committed and anchored, against one plain insert."""

    def insert() -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO bench (word) VALUES ('x')")

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench (id INTEGER PRIMARY KEY, word TEXT)")
    ours, bare = turns(
        lambda: ledger.record(action=ledger.Action.VERIFY, actor=ACTOR.name), insert
    )
    return ours, bare


def forecast_against_stored(url: str, record: PatientRecord) -> tuple[float, float]:
    """A new forecast against the stored answer to the same question."""
    site = demo.site_at(url, slug="bench")
    (person,) = demo.put_in(site, {"one": record}, actor=ACTOR, as_of=None)

    def ask() -> object:
        return list(demo.forecast_each([person], actor=ACTOR))

    def anew() -> object:
        person.patient.predictions.all().update(models_digest="")
        return ask()

    anew_s, stored_s = turns(anew, ask)
    return anew_s, stored_s


def section(rows: list[tuple[str, float, float]]) -> str:
    """The page's section: milliseconds, and the ratio that counts."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=ROOT, check=False, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    lines = [
        "\n# Speed\n",
        "Written by `make bench`. Medians of "
        f"{TURNS} turns ({reading.TURNS} for reading, {triton_calls.ROUNDS} rounds of "
        f"{triton_calls.CALLERS * triton_calls.CALLS} calls for Triton), taken "
        "alternately in one run; the ratio is what counts. Reading is per Observation, "
        "with garbage collection on; what was loaded before is frozen (gc.freeze), as "
        "in the web process.\n",
        f"- code: {commit or 'unknown'}",
        f"- machine: {platform.machine()}, {os.cpu_count()} cores, "
        f"{platform.system()}, Python {platform.python_version()}\n",
        "| work | ours, ms | the least, ms | ratio |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {1000 * ours:.4f} | {1000 * least:.4f} | {ours / least:.2f} |"
        for name, ours, least in rows
    ]
    lines += ["\n`python -m tests.bench.importing`, in a process of its own:\n"]
    lines += [f"    {line}" for line in importing().splitlines()]
    return "\n".join(lines) + "\n"


def importing() -> str:
    """A million Observations out of one file; memory is of that process alone."""
    print("importing a million Observations (some two minutes)", flush=True)
    return subprocess.run(
        [sys.executable, "-m", "tests.bench.importing"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip


def main() -> None:
    """Measure all and write the section; exit status 1 where the guard costs more."""
    call_command("migrate", verbosity=0)
    record = demo_records(wiring.now().date())["patient-1"]
    rows = [
        ("one series by the embedded server / bare ONNX Runtime",
         *model_against_bare_session(record)),
        *reading.rows(),
        ("an audit row, committed and anchored / a plain insert",
         *audit_against_insert()),
        *triton_calls.rows(),
    ]  # fmt: skip
    with sandbox(wiring.var() / "ehr.ndjson") as url:
        rows.append(
            ("a new forecast of 3 instruments / the stored answer, EHR pull in both",
             *forecast_against_stored(url, record))
        )  # fmt: skip
    text = section(rows)
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    PAGE.write_text(old.partition("\n# Speed\n")[0] + text, encoding="utf-8")
    print(text)
    share = next(
        least / ours for name, ours, least in rows if name == triton_calls.NAME
    )
    if share < triton_calls.LEAST_SHARE:
        sys.exit(f"the guard leaves {share:.0%} of the bare client's throughput")


if __name__ == "__main__":
    main()
