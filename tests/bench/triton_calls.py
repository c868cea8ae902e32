"""What the guard before Triton costs: its calls against the bare client's.

    python -m tests.bench.triton_calls

Both ask the same real server for one window of the shipped transformer, with as many
callers; rounds alternate, so that noise hits both alike.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput

from backend.inference.catalogue import ModelVersion, latest_verified, read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.inference.golden import read_golden
from backend.inference.guarded import GuardedServer
from backend.inference.keys import SHIPPED
from backend.inference.triton import TritonAddress, TritonServer
from backend.inference.triton_process import TritonProcess
from backend.twin.ports import Arrays
from tests.triton import ADMIN_KEY, copy_of_the_repository, triton_of

CALLERS = 16
CALLS = 100  # of each caller in a round
ROUNDS = 15
LEAST_SHARE = 0.8  # of the bare client's throughput
MODEL = "symptom_transformer"
NAME = f"one call of Triton, {CALLERS} at once, guarded / by the bare client"
Call = Callable[[], object]


def rows() -> list[tuple[str, float, float]]:
    """Name, and median seconds per call of ours and of the bare client."""
    with tempfile.TemporaryDirectory(prefix="mindtwin-triton-") as place:
        folder = Path(place)
        repository = copy_of_the_repository(folder)
        found = latest_verified(read_catalogue(repository, trusted=(SHIPPED,)))[MODEL]
        loaded = {MODEL: [found.version]}
        inputs = {n: array[:1] for n, array in read_golden(found).inputs.items()}
        with (
            triton_of(repository, folder, models=loaded) as running,
            guarded(running, repository) as server,
            closing(InferenceServerClient(running.grpc_url)) as client,
        ):
            ours, bare = alternately(
                lambda: server.infer(MODEL, found.version, inputs, timeout_s=30.0),
                lambda: by_the_bare_client(client, found, inputs),
            )
            strays = {key[2:] for key in server.calls} - {("triton", "ok")}
    if strays:
        raise RuntimeError(f"not every call was answered by Triton: {strays}")
    return [(NAME, ours, bare)]


@contextmanager
def guarded(running: TritonProcess, repository: Path) -> Iterator[GuardedServer]:
    """The server that production asks."""
    address = TritonAddress(running.grpc_url, admin_key=ADMIN_KEY)
    catalogue = read_catalogue(repository, trusted=(SHIPPED,))
    with closing(TritonServer(address, catalogue=lambda: catalogue)) as triton:
        embedded = EmbeddedServer(repository)
        with closing(GuardedServer(triton, embedded)) as server:
            yield server


def by_the_bare_client(
    client: InferenceServerClient, found: ModelVersion, inputs: Arrays
) -> np.ndarray:
    """The call as NVIDIA's own examples write it."""
    tensors = []
    for name, array in inputs.items():
        tensor = InferInput(name, list(array.shape), "FP32")
        tensors.append(tensor.set_data_from_numpy(array))
    answer = client.infer(
        found.model, tensors, model_version=str(found.version), client_timeout=30.0
    )
    return answer.as_numpy("quantiles")


def alternately(*calls: Call) -> list[float]:
    """Median seconds per call over the rounds, which go forth and back."""
    taken: dict[Call, list[float]] = {call: [] for call in calls}
    with ThreadPoolExecutor(CALLERS) as pool:
        for number in range(ROUNDS + 1):
            for call in calls[:: 1 if number % 2 else -1]:
                seconds = one_round(pool, call)
                if number:  # the first round warms up
                    taken[call].append(seconds)
    return [statistics.median(taken[call]) for call in calls]


def one_round(pool: ThreadPoolExecutor, call: Call) -> float:
    """Seconds per call when all callers call as fast as they can."""

    def caller() -> None:
        for _ in range(CALLS):
            call()

    began = time.perf_counter()
    for done in [pool.submit(caller) for _ in range(CALLERS)]:
        done.result()
    return (time.perf_counter() - began) / (CALLERS * CALLS)


if __name__ == "__main__":
    for name, ours, bare in rows():
        print(f"{name}: {1 / ours:.0f} / {1 / bare:.0f} calls a second,")
        print(f"{100 * bare / ours:.0f} % of the bare client's throughput")
