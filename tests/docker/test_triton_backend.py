"""Our stand-in for Triton's onnxruntime backend, in the real Triton."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import queue
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from backend.inference.catalogue import read_catalogue
from backend.inference.triton_process import TritonProcess, verified
from backend.twin.errors import ModelUnavailable
from tests.inference import tiny
from tests.triton import ROOT, as_inputs, triton_of

BACKEND = ROOT / "docker" / "triton" / "onnxruntime" / "model.py"
FAILING = """
name: "failing"
backend: "onnxruntime"
max_batch_size: 8
input [ { name: "x" data_type: TYPE_INT64 dims: [ 3 ] } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ 3 ] } ]
dynamic_batching { max_queue_delay_microseconds: 200000 }
"""
SLOW = tiny.CONFIG + "dynamic_batching { max_queue_delay_microseconds: 200000 }\n"
UNBATCHED = tiny.CONFIG.replace("max_batch_size: 8", "max_batch_size: 0")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonProcess]:
    """Tiny models: one as it should be, one that joins callers, two odd ones."""
    folder = tmp_path_factory.mktemp("tiny")
    repository = folder / "models"
    tiny.publish(repository, 1)
    tiny.publish(repository, 1, model="tiny_joined", config=SLOW)
    single = tiny.graph(shape=(tiny.WIDTH,))
    tiny.publish(repository, 1, model="single", config=UNBATCHED, onnx_model=single)
    failing = tiny.failing_graph()
    tiny.publish(repository, 1, model="failing", config=FAILING, onnx_model=failing)
    models = verified(read_catalogue(repository, trusted=tiny.TRUSTED))
    with triton_of(repository, folder, models=models) as running:
        yield running


@pytest.fixture
def client(served: TritonProcess) -> Iterator[InferenceServerClient]:
    with contextlib.closing(served.client()) as made:
        yield made


def ask_at_once(
    client: InferenceServerClient, model: str, batches: list[np.ndarray]
) -> list[Any]:
    """Answers, or errors, in the order asked; all are under way together."""
    got: queue.Queue[tuple[int, Any]] = queue.Queue()

    def asked(number: int) -> Any:
        return lambda result, error: got.put((number, error or result))

    for number, x in enumerate(batches):
        inputs = as_inputs({"x": x})
        client.async_infer(model, inputs, callback=asked(number), client_timeout=10)
    answers = dict(got.get(timeout=15) for _ in batches)
    return [answers[number] for number in range(len(batches))]


def runs(served: TritonProcess, model: str) -> float:
    """How often the backend was asked to execute, by Triton's own count."""
    lines = httpx.get(served.metrics_url).text.splitlines()
    [line] = [
        line
        for line in lines
        if line.startswith(f'nv_inference_exec_count{{model="{model}"')
    ]
    return float(line.split()[-1])


def test_triton_joins_callers_and_gives_each_their_own_rows(
    served: TritonProcess, client: InferenceServerClient
) -> None:
    random = np.random.default_rng(7)
    sizes = [1, 3, 2, 1, 1, 4, 2, 1, 5]
    batches = [random.normal(size=(n, tiny.WIDTH)).astype(np.float32) for n in sizes]
    before = runs(served, "tiny_joined")
    answers = ask_at_once(client, "tiny_joined", batches)
    assert 1 <= runs(served, "tiny_joined") - before < len(batches)
    for x, answer in zip(batches, answers, strict=True):
        alone = client.infer("tiny", as_inputs({"x": x}), client_timeout=10)
        np.testing.assert_array_equal(answer.as_numpy("y"), alone.as_numpy("y"))
        np.testing.assert_allclose(answer.as_numpy("y"), 2 * x + 1, rtol=1e-6)


def test_triton_runs_each_request_of_a_model_without_batches(
    client: InferenceServerClient,
) -> None:
    batches = [np.full(tiny.WIDTH, n, np.float32) for n in range(5)]
    answers = ask_at_once(client, "single", batches)
    told = [answer.as_numpy("y").tolist() for answer in answers]
    assert told == [[2 * n + 1] * tiny.WIDTH for n in range(5)]


def test_triton_tells_every_caller_of_a_failed_run_and_quotes_no_value(
    client: InferenceServerClient,
) -> None:
    good, bad = np.zeros((1, 3), np.int64), np.full((1, 3), 7654321)
    errors = ask_at_once(client, "failing", [good, bad, good])
    for error in errors:
        assert isinstance(error, InferenceServerException)
        assert "INTERNAL" in error.status()
        assert "failing/1 failed: InvalidArgument" in error.message()
        assert "7654321" not in str(error)
    after = client.infer("failing", as_inputs({"x": good}), client_timeout=10)
    assert after.as_numpy("y").tolist() == [[0.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("dims: [ 3 ] } ]\nout", "dims: [ 4 ] } ]\nout"), r"x is .*3.*says \[-1, 4\]"),
        (("dims: [ 3 ] } ]\nout", "dims: [ 3, 1 ] } ]\nout"), "x is .*says"),
        (
            ("FP32 dims: [ 3 ] } ]\nout", "FP64 dims: [ 3 ] } ]\nout"),
            "float.*TYPE_FP64",
        ),
        (('name: "x"', 'name: "z"'), r"differ in inputs \['x', 'z'\]"),
        (('name: "y"', 'name: "z"'), "no output z in the graph"),
        (("max_batch_size: 8", "max_batch_size: 0"), r"says \[3\]"),
    ],
)
def test_triton_refuses_a_config_that_is_not_the_graphs(
    served: TritonProcess,
    client: InferenceServerClient,
    change: tuple[str, str],
    why: str,
) -> None:
    assert change[0] in tiny.CONFIG
    config = served.options.repository / "tiny" / "config.pbtxt"
    config.write_text(tiny.CONFIG.replace(*change))
    try:
        with pytest.raises(ModelUnavailable, match=f"tiny/1: .*{why}") as refused:
            served.load("tiny", [1])
    finally:
        config.write_text(tiny.CONFIG)
    assert "\n" not in str(refused.value)
    x = np.ones((1, tiny.WIDTH), np.float32)
    for model in ("tiny", "tiny_joined"):  # what was served before still is
        answer = client.infer(model, as_inputs({"x": x}), client_timeout=10)
        assert answer.as_numpy("y").tolist() == [[3.0] * tiny.WIDTH]


def test_triton_refuses_a_graph_that_is_none(served: TritonProcess) -> None:
    folder = tiny.publish(
        served.options.repository, 1, model="torn", onnx_model=tiny.graph()[:40]
    )
    with pytest.raises(ModelUnavailable, match=r"torn/1: model\.onnx does not load"):
        served.load("torn", [1])
    (folder / "model.onnx").unlink()
    with pytest.raises(ModelUnavailable, match="torn"):
        served.load("torn", [1])


def backend(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The backend in this very process; what Triton brings to it is absent."""
    name = "triton_python_backend_utils"
    monkeypatch.setitem(sys.modules, name, ModuleType(name))
    spec = importlib.util.spec_from_file_location("stand_in", BACKEND)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_triton_runs_a_graph_on_one_thread_that_never_spins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tiny.publish(tmp_path, 1)
    module = backend(monkeypatch)
    ended: list[int] = []
    monkeypatch.setattr(module, "_end_with", ended.append)
    model = module.TritonPythonModel()
    config = {
        "max_batch_size": 8,
        "input": [{"name": "x", "data_type": "TYPE_FP32", "dims": ["3"]}],
        "output": [{"name": "y", "data_type": "TYPE_FP32", "dims": ["3"]}],
    }
    told = {"model_name": "tiny", "model_version": "1"}
    told |= {"model_repository": str(tmp_path / "tiny")}
    model.initialize(told | {"model_config": json.dumps(config)})
    options = model.session.get_session_options()
    assert options.intra_op_num_threads == 1
    assert options.inter_op_num_threads == 1
    for kind in ("intra", "inter"):
        said = options.get_session_config_entry(f"session.{kind}_op.allow_spinning")
        assert said == "0"
    assert model.session.get_providers() == ["CPUExecutionProvider"]
    assert len(ended) == 1
