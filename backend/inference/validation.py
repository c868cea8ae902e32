"""Is this folder a model version that we would serve? Asked where it can do no harm.

    python -m backend.inference.validation DIR

The checks read files that somebody else wrote, and run a graph: 151 bytes can ask for
gigabytes. So they run in a process of their own that has little memory, little time, no
file to write, and none of our environment. It prints one line: what it measured, or why
the folder is refused.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.inference.agreement import check_against, check_features
from backend.inference.card import Card, read_card
from backend.inference.catalogue import CARD, GOLDEN, GRAPH, MIB, SIZES
from backend.inference.config import CONFIG, check_graph, read_config
from backend.inference.golden import Golden
from backend.inference.golden_file import candidate_golden
from backend.inference.graph import config_of, read_graph
from backend.inference.onnx_session import LOAD_ERRORS, session, why
from backend.inference.plain import read_plain
from backend.twin.errors import ModelUntrusted

ROOT = Path(__file__).resolve().parents[2]
REFUSED = "refused: "
TIMED_RUNS = 30
ABSURD_MS = 2000.0
FILE_BYTES = 64 << 10  # the line we print may go to a file


@dataclass(frozen=True, slots=True)
class Limits:
    """What the checks may take.

    `memory` is in bytes, on top of what the interpreter needs and of seven times the
    graph, which the checker and ONNX Runtime take together; seconds of processor and
    of clock.
    """

    memory: int = 512 * MIB
    cpu_s: int = 120
    wall_s: float = 240.0


@dataclass(frozen=True, slots=True)
class Report:
    """Measured while checking: parity (z units) and milliseconds at batch 1."""

    max_abs: float
    p95_ms: float


def validate(folder: Path, *, limits: Limits | None = None) -> Report:
    """Check a version folder, published or not, in a limited process.

    Where the folder lies in a model's folder, that model's `config.pbtxt` counts,
    otherwise what would be generated. Raises ModelUntrusted with one line saying why.
    """
    limits = limits or Limits()
    command = [sys.executable, "-B", "-m", "backend.inference.validation"]
    options = [str(folder.resolve()), str(limits.memory), str(limits.cpu_s)]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            [*command, *options],
            cwd=ROOT,
            env={"PATH": os.defpath, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limits.wall_s,
            check=False,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        raise ModelUntrusted(f"checking took over {limits.wall_s:g} s") from None
    last = done.stdout.strip().rpartition("\n")[2]
    if done.returncode == 0:
        return Report(**json.loads(last))
    if last.startswith(REFUSED):
        raise ModelUntrusted(last.removeprefix(REFUSED))
    raise ModelUntrusted("checking needs more memory or time than is allowed")


def main(arguments: Sequence[str]) -> int:
    """The limited process: DIR [bytes of memory] [seconds of processor]."""
    folder, *given = arguments
    limits = Limits(*(int(number) for number in given))
    try:
        size = min((Path(folder) / GRAPH).stat().st_size, SIZES[GRAPH])
    except OSError:
        size = 0
    _limit(limits.memory + 7 * size, limits.cpu_s)
    try:
        print(json.dumps(asdict(check(Path(folder)))))  # noqa: T201 - its answer
    except ModelUntrusted as refusal:
        print(f"{REFUSED}{one_line(str(refusal))}")  # noqa: T201
        return 1
    except MemoryError:
        print(f"{REFUSED}checking needs more memory than is allowed")  # noqa: T201
        return 1
    return 0


def check(folder: Path) -> Report:
    """The checks themselves, in this process. Raises ModelUntrusted."""
    check_files(folder)
    card = read_card(read_plain(folder / CARD, limit=SIZES[CARD]))
    content = read_plain(folder / GRAPH, limit=SIZES[GRAPH])
    graph = read_graph(content)
    check_features(card)
    config = _config(folder, card, graph)
    check_against(card, config)
    ready = session(content)
    check_graph(config, ready.get_inputs(), ready.get_outputs())
    golden = candidate_golden(folder, card, config)
    worst = worst_difference(ready, golden, max(config.max_batch_size, 1))
    if not worst <= golden.tolerance:
        raise ModelUntrusted(
            f"parity: the golden case differs by {worst:.1e}, "
            f"allowed is {golden.tolerance:g}"
        )
    p95 = _p95(ready, golden)
    if p95 > ABSURD_MS:
        raise ModelUntrusted(f"one run takes {p95:.0f} ms, no caller waits so long")
    return Report(max_abs=worst, p95_ms=p95)


def one_line(text: str) -> str:
    """Printable, single and short, whatever a file put into it."""
    flat = " ".join(text.split())
    return "".join(c for c in flat if c.isprintable())[:300]


def _limit(memory: int, cpu_s: int) -> None:
    """Bind this process: address space beyond what it holds, processor, files."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    whole = pages * resource.getpagesize() + memory
    for what, limit in (
        (resource.RLIMIT_AS, whole),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))


def check_files(folder: Path) -> None:
    """Only the expected ones, plain, and none too large; their content is not read.

    Raises ModelUntrusted.
    """
    if not folder.is_dir():
        raise ModelUntrusted("no such folder")
    found = {path.name: path for path in sorted(folder.iterdir())}
    for name in (GRAPH, CARD, GOLDEN):
        if name not in found:
            raise ModelUntrusted(f"no {name}")
    for name, path in found.items():
        if name not in SIZES:
            raise ModelUntrusted(f"{name} is no part of a version")
        if path.is_symlink() or not path.is_file():
            raise ModelUntrusted(f"{name} is not a plain file")
        if path.stat().st_size > SIZES[name]:
            raise ModelUntrusted(f"{name} is larger than {SIZES[name]} bytes")


def _config(folder: Path, card: Card, graph: Any) -> Any:
    """The model's configuration; a first version's is the one it would get."""
    model_folder = folder.parent
    if (model_folder / CONFIG).exists():
        config = read_config(model_folder)
        if card.model != model_folder.name:
            raise ModelUntrusted("the card is of another model")
        return config
    return config_of(card.model, graph, max_batch=max(card.parity.batches))


def worst_difference(ready: Any, golden: Golden, batch: int) -> float:
    """From the golden case, row by row and a batch at a time; its tolerance aside.

    Infinite where shapes differ or only one side has a number. Raises ModelUntrusted
    where `ready`, an ONNX Runtime session, fails or answers with no finite number to
    finite inputs.
    """
    worst = 0.0
    rows = len(next(iter(golden.inputs.values())))
    for size in (1, batch):
        for start in range(0, rows, size):
            part = slice(start, start + size)
            inputs = {name: array[part] for name, array in golden.inputs.items()}
            for name, answer in _run(ready, list(golden.outputs), inputs).items():
                worst = max(worst, _difference(answer, golden.outputs[name][part]))
    return worst


def _run(
    ready: Any, names: Sequence[str], inputs: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Answers by name; finite where everything asked was."""
    try:
        answers = dict(zip(names, ready.run(names, dict(inputs)), strict=True))
    except LOAD_ERRORS as error:
        raise ModelUntrusted(f"the golden case fails{why(error)}") from error
    finite = _finite(inputs.values())
    if len(finite) and not _finite(answers.values())[finite].all():
        raise ModelUntrusted("an answer to finite inputs is not finite")
    return answers


def _finite(arrays: Iterable[np.ndarray]) -> np.ndarray:
    """Which rows are finite in all `arrays`."""
    rows = [np.isfinite(array.reshape(len(array), -1)).all(1) for array in arrays]
    every: np.ndarray = np.logical_and.reduce(rows)
    return every


def _difference(answer: np.ndarray, expected: np.ndarray) -> float:
    """The largest; infinite where only one side has a number."""
    if answer.shape != expected.shape:
        return float("inf")
    if (np.isnan(answer) != np.isnan(expected)).any():
        return float("inf")
    return float(
        np.nan_to_num(np.abs(np.subtract(answer, expected, dtype=float))).max()
    )


def _p95(ready: Any, golden: Golden) -> float:
    """Milliseconds that 95 of 100 runs of one row stay under."""
    one = {name: array[-1:] for name, array in golden.inputs.items()}
    times = []
    for _ in range(TIMED_RUNS):
        began = time.perf_counter()
        ready.run(list(golden.outputs), one)
        times.append(1000 * (time.perf_counter() - began))
    return round(float(np.percentile(times, 95)), 3)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
