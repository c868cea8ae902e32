"""A graph in ONNX Runtime as the embedded server runs it: its answers, size and speed.

One thread a run and no spinning, so the figures are those of one request on one core.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from backend.inference.onnx_session import session

RUNS = {1: 100, 64: 20}  # batch -> timed runs: the larger batch is the slower one
WARM_UP = 3  # runs before the clock starts: the first ones allocate


def answers(
    graph: onnx.ModelProto, inputs: Mapping[str, np.ndarray], *, batch: int = 64
) -> np.ndarray:
    """The answer for every row of `inputs`, asked `batch` rows at a time."""
    ready = session(graph.SerializeToString())
    count = len(next(iter(inputs.values())))
    parts = [
        ready.run(None, _rows(inputs, slice(start, start + batch)))[0]
        for start in range(0, count, batch)
    ]
    return np.concatenate(parts)


def serving(
    graph: onnx.ModelProto,
    cases: Mapping[str, np.ndarray],
    *,
    runs: Mapping[int, int] = RUNS,
) -> dict[str, Any]:
    """The card's figures of size (bytes) and latency (ms a run, by batch).

    `cases` need as many rows as the largest batch; the last rows are used, which hold
    no odd values.
    """
    ready = session(graph.SerializeToString())
    return {
        "size_bytes": graph.ByteSize(),
        "latency_ms": {
            str(size): _timed(ready, _rows(cases, slice(-size, None)), count)
            for size, count in runs.items()
        },
        "machine": machine(),
    }


def machine() -> str:
    """What the times were taken on."""
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, one thread used, "
        f"{platform.system()}, ONNX Runtime {ort.__version__}"
    )


def _rows(inputs: Mapping[str, np.ndarray], rows: slice) -> dict[str, np.ndarray]:
    return {name: array[rows] for name, array in inputs.items()}


def _timed(
    ready: ort.InferenceSession, inputs: dict[str, np.ndarray], runs: int
) -> dict[str, float]:
    times = []
    for _ in range(WARM_UP + runs):
        began = time.perf_counter()
        ready.run(None, inputs)
        times.append(1000 * (time.perf_counter() - began))
    median, p95 = np.percentile(times[WARM_UP:], [50, 95])
    return {"median": round(float(median), 3), "p95": round(float(p95), 3)}
