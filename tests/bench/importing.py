"""Memory and pace of an import: a million Observations, one a line, made here.

    python -m tests.bench.importing [LINES]

Prints the process's resident memory after a tenth and at the end (it should not grow),
the seconds and the rate, counting included, and the ratio to orjson.loads alone.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson

from fhir_integration.files.importing import Import, Progress

LINES = 1_000_000
PATIENTS = 50
START = datetime(2024, 1, 1, tzinfo=UTC)


def observation(number: int) -> bytes:
    """An hourly heart rate of one of the patients."""
    at = START + timedelta(hours=number // PATIENTS)
    quantity = {
        "value": 55 + number % 60,
        "unit": "beats/minute",
        "system": "http://unitsofmeasure.org",
        "code": "/min",
    }
    return orjson.dumps(
        {
            "resourceType": "Observation",
            "id": f"o{number}",
            "meta": {"versionId": "1", "lastUpdated": at.isoformat()},
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            "subject": {"reference": f"Patient/p{number % PATIENTS}"},
            "effectiveDateTime": at.isoformat(),
            "valueQuantity": quantity,
        }
    )


def written(folder: Path, lines: int) -> Path:
    """The file, of which one line in ten comes twice."""
    path = folder / "Observation.ndjson"
    with path.open("wb") as file:
        for number in range(lines):
            file.write(observation(number - number % 10 // 9) + b"\n")
    return path


def resident_mb(name: str = "VmRSS") -> float:
    """Memory of this process now; `VmHWM`: the most it ever had."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition(f"{name}:")[2].split()[0]) / 1024


def bare_seconds(path: Path) -> float:
    """Parsing every line and nothing else."""
    began = time.perf_counter()
    with path.open("rb") as file:
        for line in file:
            orjson.loads(line)
    return time.perf_counter() - began


def main(lines: int) -> None:
    """One run over the made file."""
    with tempfile.TemporaryDirectory() as name:
        path = written(Path(name), lines)
        marks: dict[int, float] = {}

        def tick(progress: Progress) -> None:
            for tenth in (1, 5, 10):
                if progress.resources >= tenth * lines // 10:
                    marks.setdefault(tenth * lines // 10, resident_mb())

        began = time.perf_counter()
        run = Import(path, Path(name) / "spool", until=date(2030, 1, 1))
        counts = run.run(tick)
        taken = time.perf_counter() - began
        run.finish()
        peak = resident_mb("VmHWM")
        for count, size in marks.items():
            print(f"resident after {count:>9,} resources: {size:6.1f} MB")
        print(f"resident at the end: {resident_mb():6.1f} MB, at most {peak:.1f} MB")
        print(f"{counts.resources:,} resources, {counts.used:,} used: {taken:.1f} s")
        print(f"{counts.resources / taken:,.0f} a second")
        print(f"{taken / bare_seconds(path):.1f} times orjson.loads")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else LINES)
