"""The real Triton, which loads whatever files it finds: ours believe none of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import numpy as np
import onnx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import helper, numpy_helper

from backend.inference.catalogue import read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.inference.golden import read_golden
from backend.inference.guarded import GuardedServer
from backend.inference.keys import SHIPPED
from backend.inference.triton import TritonAddress, TritonServer
from backend.inference.triton_process import TritonProcess
from tests.triton import ADMIN_KEY, copy_of_the_repository, triton_of
from tests.versions import OUTPUT, next_version, shifted, shipped_version

MODEL = "symptom_transformer"
VERSION = shipped_version(MODEL)
KEY = Ed25519PrivateKey.generate()


@contextmanager
def guarding(ours: Path, real: TritonProcess) -> Iterator[GuardedServer]:
    """A fresh process: nothing is proven."""
    trusted = SHIPPED, KEY.public_key()
    address = TritonAddress(real.grpc_url, admin_key=ADMIN_KEY)
    with ExitStack() as ends:
        triton = TritonServer(
            address, catalogue=lambda: read_catalogue(ours, trusted=trusted)
        )
        ends.enter_context(closing(triton))
        embedded = EmbeddedServer(ours, trusted=trusted)
        yield ends.enter_context(closing(GuardedServer(triton, embedded)))


def furthest(server: GuardedServer, ours: Path, version: int = VERSION) -> float:
    """By how much an answer differs from the known one, z units."""
    found = {one.version: one for one in catalogue(ours) if one.model == MODEL}
    case = read_golden(found[version])
    inputs = {name: array[:2] for name, array in case.inputs.items()}
    answer = server.infer(MODEL, version, inputs, timeout_s=5)
    return float(np.abs(answer[OUTPUT] - case.outputs[OUTPUT][:2]).max())


def catalogue(ours: Path) -> tuple:
    return read_catalogue(ours, trusted=(SHIPPED, KEY.public_key()))


def overwrite(theirs: Path) -> None:
    graph = theirs / MODEL / str(VERSION) / "model.onnx"
    graph.write_bytes(shifted(onnx.load_model(graph), 0.3).SerializeToString())


@pytest.fixture
def both(tmp_path: Path) -> tuple[Path, Path]:
    """Our repository, and the copy that Triton reads."""
    return copy_of_the_repository(tmp_path), copy_of_the_repository(tmp_path / "theirs")


def test_what_triton_holds_already_is_not_believed(
    both: tuple[Path, Path], tmp_path: Path
) -> None:
    ours, theirs = both
    overwrite(theirs)
    loaded = {MODEL: [VERSION]}
    with triton_of(theirs, tmp_path, models=loaded) as real, guarding(ours, real) as us:
        assert furthest(us, ours) < 1e-4
        assert us.state() == ((MODEL, VERSION, "embedded", "wrong"),)


def test_a_triton_restarted_over_other_files_is_not_believed(
    both: tuple[Path, Path], tmp_path: Path
) -> None:
    ours, theirs = both
    loaded = {MODEL: [VERSION]}
    with triton_of(theirs, tmp_path, models=loaded) as real, guarding(ours, real) as us:
        assert furthest(us, ours) < 1e-4
        assert us.state() == ((MODEL, VERSION, "triton", "ok"),)
        overwrite(theirs)
        real.start()  # while nobody asks
        assert furthest(us, ours) < 1e-4
        assert us.state() == ((MODEL, VERSION, "embedded", "wrong"),)
        assert us.calls[MODEL, VERSION, "triton", "wrong"] == 1


def test_a_triton_restarted_over_the_same_files_is_asked_on(
    both: tuple[Path, Path], tmp_path: Path
) -> None:
    ours, theirs = both
    loaded = {MODEL: [VERSION]}
    with triton_of(theirs, tmp_path, models=loaded) as real, guarding(ours, real) as us:
        furthest(us, ours)
        real.start()
        furthest(us, ours)
        assert us.calls == {(MODEL, VERSION, "triton", "ok"): 2}


def failing(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Loads and warms up with zeros; fails with whatever else it is asked."""
    for node in graph.graph.node:
        node.output[:] = ["was" if name == OUTPUT else name for name in node.output]
    constants = {"million": np.float32(1e6), "none": np.float32(0)}
    graph.graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in constants.items()
    )
    graph.graph.node.extend(
        [
            helper.make_node("Abs", ["anchor"], ["size"]),
            helper.make_node("ReduceMax", ["size"], ["largest"], keepdims=0),
            helper.make_node("Mul", ["largest", "million"], ["far"]),
            helper.make_node("Cast", ["far"], ["row"], to=onnx.TensorProto.INT64),
            helper.make_node("Gather", ["was", "row"], ["beyond"]),
            helper.make_node("Mul", ["beyond", "none"], ["nothing"]),
            helper.make_node("Add", ["was", "nothing"], [OUTPUT]),
        ]
    )
    return graph


def test_a_sick_version_on_triton_takes_none_from_the_healthy_one(
    both: tuple[Path, Path], tmp_path: Path
) -> None:
    ours, theirs = both
    sick = next_version(ours, MODEL, key=KEY)
    place = theirs / MODEL / str(sick)
    shutil.copytree(ours / MODEL / str(sick), place)
    graph = failing(onnx.load_model(place / "model.onnx"))
    (place / "model.onnx").write_bytes(graph.SerializeToString())
    loaded = {MODEL: [VERSION, sick]}
    with triton_of(theirs, tmp_path, models=loaded) as real, guarding(ours, real) as us:
        before = set(real.stub_pids()[MODEL])
        end = time.monotonic() + 12
        while time.monotonic() < end:
            assert furthest(us, ours) < 1e-4
            assert furthest(us, ours, sick) < 1e-4
            time.sleep(0.05)
        assert {key[1:] for key in us.calls} == {
            (VERSION, "triton", "ok"),
            (sick, "triton", "internal"),
            (sick, "embedded", "ok"),
        }
        assert before & set(real.stub_pids()[MODEL])  # the healthy one's process
