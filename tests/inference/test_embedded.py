from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from backend.inference import embedded
from backend.inference.embedded import EmbeddedServer
from backend.inference.keys import publish_key
from backend.twin.errors import ModelRefused, ModelUnavailable, ModelUntrusted
from backend.twin.ports import ModelServer
from tests.inference.tiny import (
    CONFIG,
    KEY,
    TRUSTED,
    failing_graph,
    golden,
    graph,
    publish,
    slow_graph,
)

X = np.array([[1, 2, 3], [0, -1, 4]], np.float32)


def serve(repository: Path, **options: Any) -> EmbeddedServer:
    return EmbeddedServer(repository, trusted=TRUSTED, **options)


def infer(server: ModelServer, version: int = 1, **inputs: np.ndarray) -> Any:
    return server.infer("tiny", version, inputs or {"x": X}, timeout_s=60)


def test_a_model_answers_what_its_graph_says(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    answer = infer(serve(tmp_path))
    assert set(answer) == {"y"}  # the graph has `unused` too; config.pbtxt does not
    assert np.array_equal(answer["y"], 2 * X + 1)
    assert answer["y"].dtype == np.float32


def test_trust_may_be_a_folder_of_keys(tmp_path: Path) -> None:
    publish(tmp_path / "models", 1)
    publish_key(KEY, tmp_path / "trusted")
    server = EmbeddedServer(tmp_path / "models", trusted=[tmp_path / "trusted"])
    assert infer(server)["y"].shape == (2, 3)


@pytest.mark.parametrize(
    ("policy", "override", "served"),
    [
        ("", None, {2}),
        ("version_policy: { all { } }", None, {1, 2}),
        ("version_policy: { specific { versions: [ 1 ] } }", None, {1}),
        ("", {"tiny": [1]}, {1}),
        ("", {"tiny": [1, 2, 9]}, {1, 2}),
        ("version_policy: { all { } }", {"tiny": []}, set()),
        ("", {"other": [1]}, {2}),
    ],
)
def test_versions_are_served_by_policy_or_override(
    tmp_path: Path,
    policy: str,
    override: Mapping[str, list[int]] | None,
    served: set[int],
) -> None:
    for version, factor in ((1, 10.0), (2, 20.0)):
        publish(tmp_path, version, config=CONFIG + policy, onnx_model=graph(factor))
    server = serve(tmp_path, versions=override)
    for version in (1, 2):
        if version in served:
            assert infer(server, version)["y"][0, 0] == 10 * version + 1
        else:
            with pytest.raises(ModelUnavailable, match="unknown model: 'tiny' version"):
                infer(server, version)


def test_an_unknown_model_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="unknown model: 'tiny' version 1"):
        infer(serve(tmp_path))
    with pytest.raises(ModelUnavailable):
        serve(tmp_path).canary("tiny", 1)


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"x": X.astype(np.float64)}, "expects FP32"),
        ({"x": X[:, :2]}, "unexpected shape"),
        ({"x": X.repeat(5, 0)}, "batch-size must be <= 8"),
        ({"z": X}, "unexpected inference input"),
    ],
)
def test_a_request_that_breaks_the_config_is_refused(
    tmp_path: Path, inputs: dict[str, np.ndarray], why: str
) -> None:
    publish(tmp_path, 1)
    with pytest.raises(ModelRefused, match=why):
        infer(serve(tmp_path), **inputs)


def test_an_untrusted_newest_version_is_refused_not_replaced(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    folder = publish(tmp_path, 2)
    (folder / "card.json").write_text("{}")
    server = serve(tmp_path)
    with pytest.raises(ModelUntrusted, match=r"card\.json was changed"):
        infer(server, 2)
    with pytest.raises(ModelUntrusted, match=r"card\.json was changed"):
        server.canary("tiny", 2)
    with pytest.raises(ModelUnavailable):
        infer(server, 1)  # the policy serves the latest one only


@pytest.mark.parametrize("gone", [True, False])
def test_a_graph_changed_after_it_was_verified_never_runs(
    tmp_path: Path, gone: bool
) -> None:
    folder = publish(tmp_path, 1)
    server = serve(tmp_path)
    (folder / "model.onnx").unlink()
    if not gone:
        (folder / "model.onnx").write_bytes(graph(3))
    with pytest.raises(ModelUntrusted, match=r"is gone|was changed after"):
        infer(server)


@pytest.mark.parametrize(
    ("onnx_model", "why"),
    [
        (b"no graph at all", "does not load"),
        (graph(shape=("batch", 4)), "has shape"),
        (graph(shape=(1, 3)), "has shape"),
        (graph(kind=TensorProto.DOUBLE), "config.pbtxt says FP32"),
        (graph(output="z"), "no y in the graph"),
    ],
    ids=["garbage", "width", "fixed batch", "type", "output"],
)
def test_a_graph_against_its_config_is_refused_when_it_loads(
    tmp_path: Path, onnx_model: bytes, why: str
) -> None:
    publish(tmp_path, 1, onnx_model=onnx_model)
    with pytest.raises(ModelUntrusted, match=why):
        infer(serve(tmp_path))


def test_a_version_is_loaded_at_first_use_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    class Counted(embedded.ort.InferenceSession):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            time.sleep(0.02)
            made.append(threading.get_ident())
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(embedded.ort, "InferenceSession", Counted)
    publish(tmp_path, 1)
    server = serve(tmp_path)
    assert made == []
    answers: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: answers.append(infer(server)["y"]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(answers) == 8
    assert all(np.array_equal(answer, 2 * X + 1) for answer in answers)


def test_a_late_answer_is_no_answer(tmp_path: Path) -> None:
    publish(tmp_path, 1, onnx_model=slow_graph())
    server = serve(tmp_path)
    start = time.monotonic()
    infer(server)  # loads, too
    assert time.monotonic() - start > 0.02
    with pytest.raises(ModelUnavailable, match="took too long"):
        server.infer("tiny", 1, {"x": X}, timeout_s=0.01)


@pytest.mark.parametrize("timeout_s", [0, -1])
def test_without_time_nothing_runs(tmp_path: Path, timeout_s: float) -> None:
    publish(tmp_path, 1)
    with pytest.raises(ModelUnavailable, match="took too long"):
        serve(tmp_path).infer("tiny", 1, {"x": X}, timeout_s=timeout_s)


def test_a_graph_that_fails_says_nothing_of_the_values(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = CONFIG.replace('"x" data_type: TYPE_FP32', '"x" data_type: TYPE_INT64')
    publish(tmp_path, 1, config=config, onnx_model=failing_graph())
    with pytest.raises(ModelRefused) as caught:
        infer(serve(tmp_path), x=np.full((1, 3), 77531, np.int64))
    assert "77531" not in str(caught.value)
    assert capfd.readouterr() == ("", "")  # ONNX Runtime logs below Python
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_the_canary_runs_every_row_in_batches(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    assert len(golden()["in_x"]) > 2 * 8  # more than two full batches
    serve(tmp_path).canary("tiny", 1)


def test_the_canary_of_a_model_without_batches(tmp_path: Path) -> None:
    config = CONFIG.replace("max_batch_size: 8", "max_batch_size: 0")
    publish(tmp_path, 1, config=config.replace("[ 3 ]", "[ 20, 3 ]"))
    serve(tmp_path).canary("tiny", 1)


def _changed(row: int, by: float) -> dict[str, np.ndarray]:
    cases = golden()
    cases["out_y"][row] += by
    return cases


@pytest.mark.parametrize(
    ("cases", "dies"),
    [
        (_changed(19, 2e-5), True),
        (_changed(19, 2e-6), False),
        (_changed(0, np.nan), True),
        ({**golden(), "out_z": golden()["out_y"]}, True),
        ({**golden(), "out_y": golden()["out_y"][:, :1]}, True),
    ],
    ids=["last row", "within tolerance", "nan", "no such output", "shape"],
)
def test_the_canary_dies_of_another_answer(
    tmp_path: Path, cases: dict[str, np.ndarray], dies: bool
) -> None:
    publish(tmp_path, 1, cases=cases)
    server = serve(tmp_path)
    if dies:
        with pytest.raises(ModelUntrusted, match="golden case differs"):
            server.canary("tiny", 1)
    else:
        server.canary("tiny", 1)


def test_the_canary_finds_weights_converted_wrongly(tmp_path: Path) -> None:
    publish(tmp_path, 1, onnx_model=graph(2.001))
    with pytest.raises(ModelUntrusted, match="differs in y"):
        serve(tmp_path).canary("tiny", 1)


@pytest.mark.parametrize(
    "edit",
    [
        lambda f: (f / "golden.npz").write_bytes(b"PK\x03\x04 no archive"),
        lambda f: (f / "golden.npz").write_bytes(b"nothing"),
        lambda f: np.savez(f / "golden.npz", in_x=np.array([{}], dtype=object)),
        lambda f: np.savez(f / "golden.npz", in_x=X),
        lambda f: np.savez(f / "golden.npz", out_y=X),
        lambda f: (f / "card.json").write_text('{"model": "tiny", "version": 1}'),
        lambda f: (f / "card.json").write_text(
            '{"model": "tiny", "version": 1, "parity": {"tolerance": null}}'
        ),
    ],
    ids=["zip", "bytes", "pickle", "no answer", "no case", "no parity", "no tolerance"],
)
def test_a_version_without_a_usable_golden_case_fails(
    tmp_path: Path, edit: Any
) -> None:
    publish(tmp_path, 1, edit=edit)
    with pytest.raises(ModelUntrusted, match="golden case"):
        serve(tmp_path).canary("tiny", 1)


def test_the_catalogue_can_be_asked(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    (found,) = serve(tmp_path).catalogue
    assert (found.model, found.version, found.verified) == ("tiny", 1, True)
