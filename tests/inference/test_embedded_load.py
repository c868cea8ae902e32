"""Versions that come and go while a process serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.inference import known
from backend.inference.embedded import EmbeddedServer
from backend.inference.keys import publish_key
from backend.inference.manifest import sha256_of
from backend.twin.errors import ModelUnavailable, ModelUntrusted
from tests.inference.tiny import KEY, TRUSTED, golden, graph, publish

X = np.ones((1, 3), np.float32)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "AGAIN_S", 0.0)


def serve(repository: Path, **options: Any) -> EmbeddedServer:
    return EmbeddedServer(repository, trusted=TRUSTED, **options)


def value(server: EmbeddedServer, version: int) -> float:
    answer = server.infer("tiny", version, {"x": X}, timeout_s=60)
    return float(answer["y"][0, 0])


def numbered(repository: Path, version: int) -> str:
    """A version that answers 10 n + 1; its graph's digest."""
    by = 10.0 * version
    folder = publish(repository, version, onnx_model=graph(by), cases=golden(by))
    return sha256_of(folder / "model.onnx")


def served(server: EmbeddedServer) -> set[int]:
    found = set()
    for version in range(1, 5):
        try:
            assert value(server, version) == 10 * version + 1
            found.add(version)
        except ModelUnavailable:
            pass
    return found


def test_a_load_serves_exactly_these_versions(tmp_path: Path) -> None:
    for version in (1, 2):
        numbered(tmp_path, version)
    server = serve(tmp_path)
    assert served(server) == {2}
    server.load("tiny", [1, 2])
    assert served(server) == {1, 2}
    numbered(tmp_path, 3)
    server.load("tiny", [1, 3])
    assert served(server) == {1, 3}
    server.load("tiny", [])
    assert served(server) == set()
    assert {one.version for one in server.catalogue} == {1, 2, 3}


def test_a_load_leaves_other_models_alone(tmp_path: Path) -> None:
    numbered(tmp_path, 1)
    publish(tmp_path, 1, model="other")
    server = serve(tmp_path)
    server.infer("other", 1, {"x": X}, timeout_s=60)
    server.load("tiny", [])
    assert server.infer("other", 1, {"x": X}, timeout_s=60)["y"][0, 0] == 3


@pytest.mark.parametrize(
    "bad", ["missing", "unsigned", "no graph", "registered", "other answers"]
)
def test_a_load_is_all_or_nothing(tmp_path: Path, bad: str) -> None:
    numbered(tmp_path, 1)
    if bad == "no graph":
        publish(tmp_path, 2, onnx_model=b"no graph at all")
    elif bad == "other answers":
        publish(tmp_path, 2, onnx_model=graph(9.0))
    elif bad != "missing":
        numbered(tmp_path, 2)
    if bad == "unsigned":
        (tmp_path / "tiny" / "2" / "more").write_text("")
    digests = {("tiny", 2): "0" * 64} if bad == "registered" else {}
    server = serve(tmp_path, versions={"tiny": [1]}, digests=lambda: digests)
    wanted = ModelUnavailable if bad == "missing" else ModelUntrusted
    with pytest.raises(wanted):
        server.load("tiny", [2])
    assert value(server, 1) == 11


@pytest.mark.parametrize(
    ("override", "registered", "found"),
    [
        (None, False, {1, 2, 3}),  # the policy's latest, and whatever is registered
        (None, True, {1, 2, 3}),
        ({"tiny": [1, 2]}, False, {1, 2}),
        ({"tiny": [1, 2]}, True, {1, 2, 3}),
    ],
)
def test_a_version_published_since_is_served_when_asked_for(
    tmp_path: Path, override: Any, registered: bool, found: set[int]
) -> None:
    digests = {("tiny", n): numbered(tmp_path, n) for n in (1, 2)}
    server = serve(tmp_path, versions=override, digests=lambda: digests)
    assert served(server) == found - {3}
    fresh = numbered(tmp_path, 3)
    if registered:
        digests["tiny", 3] = fresh
    assert served(server) == found


def test_a_load_takes_nothing_registered_from_who_asks_for_it(tmp_path: Path) -> None:
    """Another process' channel may point at it."""
    digests = {("tiny", n): numbered(tmp_path, n) for n in (1, 2, 3)}
    server = serve(tmp_path, digests=lambda: digests)
    server.load("tiny", [3])
    assert served(server) == {1, 2, 3}


def test_a_prepared_version_has_its_graph(tmp_path: Path) -> None:
    numbered(tmp_path, 1)
    server = serve(tmp_path)
    server.prepare("tiny", 1)
    (tmp_path / "tiny" / "1" / "model.onnx").unlink()
    assert value(server, 1) == 11
    with pytest.raises(ModelUnavailable):
        server.prepare("tiny", 2)


def test_what_is_served_stays_when_its_folder_goes(tmp_path: Path) -> None:
    numbered(tmp_path, 1)
    server = serve(tmp_path)
    assert value(server, 1) == 11
    (tmp_path / "tiny" / "1").rename(tmp_path / "elsewhere")
    assert served(server) == {1}


def test_a_key_that_is_trusted_since_counts(tmp_path: Path) -> None:
    publish_key(KEY, tmp_path / "trusted")
    server = EmbeddedServer(tmp_path / "models", trusted=[tmp_path / "later"])
    numbered(tmp_path / "models", 1)
    with pytest.raises(ModelUntrusted, match="a key that is not trusted"):
        value(server, 1)
    (tmp_path / "trusted").rename(tmp_path / "later")
    server.load("tiny", [1])
    assert value(server, 1) == 11


def test_another_graph_than_registered_is_not_served(tmp_path: Path) -> None:
    numbered(tmp_path, 1)
    server = serve(tmp_path, digests=lambda: {("tiny", 1): "0" * 64})
    for work in (lambda: value(server, 1), lambda: server.canary("tiny", 1)):
        with pytest.raises(ModelUntrusted, match="not the graph that was registered"):
            work()
