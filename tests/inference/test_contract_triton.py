"""One contract, two servers: this process, and NVIDIA's Triton on the same repository.

What answers a forecast must not matter to whoever asked for it.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.inference.catalogue import read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.inference.golden import read_golden
from backend.inference.keys import SHIPPED
from backend.inference.triton import TritonAddress, TritonFailed, TritonServer
from backend.inference.triton_process import TritonProcess
from backend.twin.errors import ModelError, ModelRefused, ModelUnavailable
from backend.twin.ports import Arrays, ModelServer
from tests.triton import ADMIN_KEY

REPOSITORY = Path(__file__).resolve().parents[2] / "model_repository"
SHIPPED_VERSIONS = read_catalogue(REPOSITORY, trusted=(SHIPPED,))
NAMES = [f"{one.model}/{one.version}" for one in SHIPPED_VERSIONS]
ONE = SHIPPED_VERSIONS[-1]
CLOSE = {"rtol": 0.0, "atol": 1e-5, "equal_nan": True}


@pytest.fixture(scope="module")
def servers(triton: TritonProcess) -> Iterator[dict[str, ModelServer]]:
    address = TritonAddress(triton.grpc_url, admin_key=ADMIN_KEY)
    remote = TritonServer(address, catalogue=lambda: SHIPPED_VERSIONS)
    every: dict[str, list[int]] = {one.model: [] for one in SHIPPED_VERSIONS}
    for one in SHIPPED_VERSIONS:
        every[one.model].append(one.version)
    yield {"embedded": EmbeddedServer(REPOSITORY, versions=every), "triton": remote}
    remote.close()


@pytest.fixture(params=["embedded", "triton"])
def server(request: pytest.FixtureRequest, servers: Any) -> ModelServer:
    return servers[request.param]


def rows(found: Any, batch: int) -> dict[str, np.ndarray]:
    """A batch of the golden inputs, whose NaN and extremes come along."""
    return {
        name: np.resize(array, (batch, *array.shape[1:]))
        for name, array in read_golden(found).inputs.items()
    }


def ask(server: ModelServer, found: Any, inputs: Arrays) -> Mapping[str, np.ndarray]:
    return server.infer(found.model, found.version, inputs, timeout_s=60)


@pytest.mark.parametrize("batch", [1, 7, 64])
@pytest.mark.parametrize("found", SHIPPED_VERSIONS, ids=NAMES)
def test_both_give_the_same_numbers(servers: Any, found: Any, batch: int) -> None:
    inputs = rows(found, batch)
    here, there = (ask(servers[name], found, inputs) for name in ("embedded", "triton"))
    assert here.keys() == there.keys()
    for name, array in here.items():
        assert (array.dtype, array.shape) == (there[name].dtype, there[name].shape)
        assert np.allclose(array, there[name], **CLOSE)
        assert np.isfinite(array).any()


@pytest.mark.parametrize("found", SHIPPED_VERSIONS, ids=NAMES)
def test_both_answer_their_golden_case(server: ModelServer, found: Any) -> None:
    server.canary(found.model, found.version)


def first(inputs: dict[str, np.ndarray], **changes: Any) -> dict[str, np.ndarray]:
    """These inputs with their first one changed: dtype, width, or taken away."""
    name = min(inputs)
    array = inputs[name]
    match changes:
        case {"dtype": dtype}:
            return inputs | {name: array.astype(dtype)}
        case {"narrow": True}:
            return inputs | {name: array[..., :-1].copy()}
        case {"flat": True}:
            return inputs | {name: array.reshape(-1)}
        case {"named": other}:
            rest = {key: array for key, array in inputs.items() if key != name}
            return rest | ({other: array} if other else {})
        case _:
            return inputs | {name: array[:-1]}


BAD = {
    "wrong dtype": lambda i: first(i, dtype=np.float64),
    "wrong width": lambda i: first(i, narrow=True),
    "wrong rank": lambda i: first(i, flat=True),
    "wrong name": lambda i: first(i, named="other"),
    "missing input": lambda i: first(i, named=""),
    "extra input": lambda i: i | {"more": i[min(i)]},
    "batches differ": first,
    "no input": lambda i: {},
    "batch 0": lambda i: {name: array[:0] for name, array in i.items()},
    "batch 65": lambda i: {n: np.resize(a, (65, *a.shape[1:])) for n, a in i.items()},
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("found", SHIPPED_VERSIONS, ids=NAMES)
def test_both_refuse_the_same_requests(
    server: ModelServer, found: Any, bad: str
) -> None:
    with pytest.raises(ModelError) as caught:
        ask(server, found, BAD[bad](rows(found, 4)))
    assert type(caught.value) is ModelRefused
    assert ask(server, found, rows(found, 1))  # and is none the worse for it


@pytest.mark.parametrize("bad", sorted(BAD.keys() - {"no input", "batches differ"}))
def test_the_server_itself_refuses_them_too(
    servers: Any, bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client's check spares the way; it must say what the server would say."""
    monkeypatch.setattr("backend.inference.triton.check_inputs", lambda *_: None)
    monkeypatch.setattr("backend.inference.triton.request_of", unchecked)
    with pytest.raises(TritonFailed, match="invalid_argument"):
        ask(servers["triton"], ONE, BAD[bad](rows(ONE, 4)))


def unchecked(plan: Any, inputs: Arrays) -> Any:
    """The request as given, right or wrong."""
    from tritonclient.grpc import service_pb2 as pb  # noqa: PLC0415

    request = pb.ModelInferRequest(
        model_name=plan.found.model, model_version=plan.version
    )
    words = {"float32": "FP32", "float64": "FP64"}
    for name, array in inputs.items():
        kind = words[str(array.dtype)]
        request.inputs.add(name=name, datatype=kind, shape=array.shape)
        request.raw_input_contents.append(array.tobytes())
    return request


@pytest.mark.parametrize(
    ("model", "version"), [("no_such_model", 1), (ONE.model, 99), (ONE.model, 0)]
)
def test_both_lack_what_is_not_there(
    server: ModelServer, model: str, version: int
) -> None:
    with pytest.raises(ModelUnavailable, match="unknown model"):
        server.infer(model, version, rows(ONE, 1), timeout_s=10)
    with pytest.raises(ModelUnavailable, match="unknown model"):
        server.canary(model, version)


@pytest.mark.parametrize("timeout_s", [1e-6, 0.0, -1.0])
def test_both_are_too_late_without_time(server: ModelServer, timeout_s: float) -> None:
    with pytest.raises(ModelUnavailable):
        server.infer(ONE.model, ONE.version, rows(ONE, 1), timeout_s=timeout_s)


def test_many_threads_may_ask_at_once(server: ModelServer) -> None:
    alone = [ask(server, one, rows(one, 3)) for one in SHIPPED_VERSIONS]
    with ThreadPoolExecutor(16) as pool:
        asked = [
            (n, pool.submit(ask, server, one, rows(one, 3)))
            for _ in range(10)
            for n, one in enumerate(SHIPPED_VERSIONS)
        ]
    for n, future in asked:
        for name, array in future.result().items():
            assert np.allclose(array, alone[n][name], **CLOSE)


def _asked(server: ModelServer, says: Any) -> None:
    answer = ask(server, ONE, rows(ONE, 2))
    says.send({name: array.tolist() for name, array in answer.items()})


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_asks_on_a_connection_of_its_own(server: ModelServer) -> None:
    here = ask(server, ONE, rows(ONE, 2))
    ours, theirs = multiprocessing.Pipe(duplex=False)
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=_asked, args=(server, theirs))
    child.start()
    assert ours.poll(20), "the child hangs"
    there = ours.recv()
    child.join(10)
    assert child.exitcode == 0
    for name, array in ask(server, ONE, rows(ONE, 2)).items():
        assert np.array_equal(array, here[name])
        assert np.allclose(array, np.array(there[name], np.float32), **CLOSE)
