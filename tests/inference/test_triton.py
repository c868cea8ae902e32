"""The client's own rules, against a server that says whatever a test wants."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from backend.inference.catalogue import read_catalogue
from backend.inference.triton import (
    TritonAddress,
    TritonFailed,
    TritonServer,
)
from backend.twin.errors import ModelRefused, ModelUnavailable, ModelUntrusted
from tests.inference.fake_triton import SECRET, FakeTriton, fake_triton, tiny_answer
from tests.inference.tiny import CONFIG, TRUSTED, graph, publish

X = np.array([[1, 2, 3], [0, -1, 4]], np.float32)


@pytest.fixture
def fake() -> Iterator[FakeTriton]:
    with fake_triton() as running:
        yield running


@pytest.fixture
def server(tmp_path: Path, fake: FakeTriton) -> Iterator[TritonServer]:
    publish(tmp_path, 1)
    yield from made(tmp_path, fake)


def made(repository: Path, fake: FakeTriton, **options: Any) -> Iterator[TritonServer]:
    address = TritonAddress(fake.url, admin_key="of-the-tests")
    one = TritonServer(address, catalogue=lambda: listed(repository), **options)
    yield one
    one.close()


def listed(repository: Path) -> Any:
    return read_catalogue(repository, trusted=TRUSTED)


def infer(server: TritonServer, version: int = 1, **inputs: np.ndarray) -> Any:
    return server.infer("tiny", version, inputs or {"x": X}, timeout_s=10)


def test_the_pinned_version_is_asked_and_its_answer_is_ours(
    server: TritonServer, fake: FakeTriton
) -> None:
    answer = infer(server)
    assert np.array_equal(answer["y"], 2 * X + 1)
    answer["y"][0] = 0  # an answer in process can be written to as well
    (request,) = fake.calls("ModelInfer")
    assert (request.model_name, request.model_version) == ("tiny", "1")
    assert not fake.seen[0][2].get("triton-grpc-protocol-admin-key")


def test_arrays_travel_in_c_order(server: TritonServer) -> None:
    turned = np.asfortranarray(X)
    assert np.array_equal(infer(server, x=turned)["y"], 2 * X + 1)


@pytest.mark.parametrize(
    "status",
    [
        "INVALID_ARGUMENT",  # it was checked here: the server's configuration differs
        "NOT_FOUND",
        "UNAVAILABLE",
        "INTERNAL",
        "DEADLINE_EXCEEDED",
        "CANCELLED",
        "RESOURCE_EXHAUSTED",
    ],
)
def test_each_status_is_the_servers_failure_and_none_has_its_words(
    server: TritonServer, fake: FakeTriton, status: str
) -> None:
    fake.fails["ModelInfer"] = grpc.StatusCode[status]
    with pytest.raises(TritonFailed) as caught:
        infer(server)
    assert caught.value.status == status.lower()
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "2"},
        {"model": "other"},
        {"names": ()},
        {"names": ("z",)},
        {"names": ("y", "z")},
        {"names": ("y", "y")},
        {"datatype": "FP64"},
        {"shape": (1, 3)},
        {"shape": (2, 3, 1)},
        {"shape": (3, 2)},
        {"raw": b"\0" * 20},
    ],
    ids=str,
)
def test_an_answer_that_is_not_this_versions_is_none(
    server: TritonServer, fake: FakeTriton, changes: dict[str, Any]
) -> None:
    fake.answer = lambda request: tiny_answer(request, **changes)
    with pytest.raises(TritonFailed, match="malformed"):
        infer(server)


def test_a_model_without_batches(tmp_path: Path, fake: FakeTriton) -> None:
    config = CONFIG.replace("max_batch_size: 8", "max_batch_size: 0")
    publish(tmp_path, 1, config=config.replace("[ 3 ]", "[ -1, 3 ]"))
    (server,) = made(tmp_path, fake)
    assert infer(server)["y"].shape == (2, 3)


def test_what_fits_once_lets_nothing_else_through(
    server: TritonServer, fake: FakeTriton, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.inference.wire._FITTING", 1)
    for rows in (2, 3, 2):
        infer(server, x=np.ones((rows, 3), np.float32))
    (plan,) = server._plans.values()
    assert len(plan.fitting) == 1
    for bad in (X.astype(np.float64), X[:, :2], np.ones((9, 3), np.float32)):
        with pytest.raises(ModelRefused):
            infer(server, x=bad)
    assert len(fake.calls("ModelInfer")) == 3


def test_what_is_refused_or_too_late_is_never_sent(
    server: TritonServer, fake: FakeTriton
) -> None:
    with pytest.raises(ModelRefused, match="unexpected inference input"):
        infer(server, z=X)
    with pytest.raises(ModelUnavailable, match="took too long"):
        server.infer("tiny", 1, {"x": X}, timeout_s=0)
    with pytest.raises(ModelUnavailable, match="unknown model: 'tiny' version 7"):
        infer(server, 7)
    assert fake.seen == []


def test_what_is_not_verified_is_never_asked_for_nor_loaded(
    tmp_path: Path, fake: FakeTriton
) -> None:
    folder = publish(tmp_path, 1)
    (folder / "card.json").write_text("{}")
    (server,) = made(tmp_path, fake)
    for work in (
        lambda: infer(server),
        lambda: server.canary("tiny", 1),
        lambda: server.load("tiny", [1]),
    ):
        with pytest.raises(ModelUntrusted, match=r"card\.json was changed"):
            work()
    assert fake.seen == []


def test_another_graph_than_the_registered_one_is_never_asked_for(
    tmp_path: Path, fake: FakeTriton
) -> None:
    publish(tmp_path, 1)
    (server,) = made(tmp_path, fake, digests=lambda: {("tiny", 1): "0" * 64})
    with pytest.raises(ModelUntrusted, match="not the graph that was registered"):
        infer(server)
    with pytest.raises(ModelUntrusted, match="not the graph that was registered"):
        server.load("tiny", [1])
    assert fake.seen == []


def test_a_load_names_the_versions_and_shows_the_key(
    tmp_path: Path, server: TritonServer, fake: FakeTriton
) -> None:
    publish(tmp_path, 2)
    server.load("tiny", {2, 1})
    (request,) = fake.calls("RepositoryModelLoad")
    config = json.loads(request.parameters["config"].string_param)
    assert config["version_policy"] == {"specific": {"versions": [1, 2]}}
    assert (config["name"], config["max_batch_size"]) == ("tiny", 8)
    assert fake.seen[0][2]["triton-grpc-protocol-admin-key"] == "of-the-tests"
    assert [ask.version for ask in fake.calls("ModelReady")] == ["1", "2"]


def test_a_version_the_server_passed_over_is_not_loaded(
    tmp_path: Path, server: TritonServer
) -> None:
    publish(tmp_path, 9)
    with pytest.raises(ModelUnavailable, match="not loaded"):
        server.load("tiny", [1, 9])
    with pytest.raises(ModelUnavailable, match="tiny/8 is not in the repository"):
        server.load("tiny", [8])


def test_an_overwritten_version_is_not_loaded(
    tmp_path: Path, server: TritonServer, fake: FakeTriton
) -> None:
    infer(server)
    for path in (tmp_path / "tiny" / "1").iterdir():
        path.unlink()
    (tmp_path / "tiny" / "1").rmdir()
    publish(tmp_path, 1, onnx_model=graph(3.0))
    with pytest.raises(ModelUntrusted, match="overwritten by another graph"):
        server.load("tiny", [1])
    assert fake.calls("RepositoryModelLoad") == []


def test_no_version_is_an_unload(server: TritonServer, fake: FakeTriton) -> None:
    server.load("tiny", [])
    assert [one.model_name for one in fake.calls("RepositoryModelUnload")] == ["tiny"]


def test_a_refused_load_tells_the_status_only(
    server: TritonServer, fake: FakeTriton
) -> None:
    fake.fails["RepositoryModelLoad"] = grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(TritonFailed, match="'tiny': invalid_argument"):
        server.load("tiny", [1])


def test_what_the_server_says_of_itself(server: TritonServer, fake: FakeTriton) -> None:
    assert server.alive()
    assert server.ready("tiny", 1)
    assert not server.ready("tiny", 9)
    assert server.states("tiny") == {1: "READY", 2: "UNAVAILABLE"}
    fake.fails |= dict.fromkeys(("ServerLive", "ModelReady"), grpc.StatusCode.INTERNAL)
    assert not server.alive()
    assert not server.ready("tiny", 1)


def test_a_wrong_golden_answer_is_untrusted(
    server: TritonServer, fake: FakeTriton
) -> None:
    server.canary("tiny", 1, timeout_s=10)
    fake.answer = lambda request: tiny_answer(
        request, raw=np.zeros(request.inputs[0].shape, np.float32).tobytes()
    )
    with pytest.raises(ModelUntrusted, match="golden case differs"):
        server.canary("tiny", 1)


def test_the_golden_case_has_one_deadline(
    tmp_path: Path, fake: FakeTriton, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = CONFIG.replace("max_batch_size: 8", "max_batch_size: 1")
    publish(tmp_path, 1, config=config)
    (server,) = made(tmp_path, fake)

    def slowly(request: Any) -> Any:
        time.sleep(0.2)
        return tiny_answer(request)

    fake.answer = slowly
    with pytest.raises(TritonFailed, match="deadline_exceeded"):
        server.canary("tiny", 1, timeout_s=0.3)
    assert len(fake.calls("ModelInfer")) == 2
