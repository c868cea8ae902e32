from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.inference.catalogue import read_catalogue
from backend.inference.known import KnownVersions
from backend.twin.errors import ModelUnavailable, ModelUntrusted
from tests.inference.tiny import TRUSTED, graph, publish


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Shelf:
    def __init__(self, place: Path, **options: Any) -> None:
        self.place, self.reads, self.clock = place, 0, Clock()
        self.known = KnownVersions(self.read, clock=self.clock, **options)

    def read(self) -> Any:
        self.reads += 1
        return read_catalogue(self.place, trusted=TRUSTED)

    def overwrite(self, **changes: Any) -> None:
        folder = self.place / "tiny" / "1"
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        publish(self.place, 1, **changes)


def test_it_reads_again_for_the_unknown_at_most_once_a_second(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert shelf.known.find("tiny", 1) is None
    publish(tmp_path, 1)
    assert shelf.known.find("tiny", 1) is None
    assert shelf.reads == 1
    shelf.clock.now += 1.0
    assert shelf.known.find("tiny", 1)
    shelf.clock.now += 9.0
    assert shelf.known.find("tiny", 1)  # known: nothing is read
    assert shelf.reads == 2


def test_what_was_proven_is_never_replaced(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    shelf = Shelf(tmp_path)
    before = shelf.known.find("tiny", 1)
    shelf.overwrite(onnx_model=graph(3.0))
    shelf.known.refresh()
    assert shelf.known.find("tiny", 1) == before
    with pytest.raises(ModelUntrusted, match="overwritten by another graph"):
        shelf.known.proven("tiny", [1])


def test_what_was_half_copied_counts_once_it_is_whole(tmp_path: Path) -> None:
    folder = publish(tmp_path, 1)
    manifest = (folder / "manifest.json").read_bytes()
    (folder / "manifest.json").unlink()
    shelf = Shelf(tmp_path)
    with pytest.raises(ModelUntrusted, match=r"no manifest\.json"):
        shelf.known.proven("tiny", [1])
    (folder / "manifest.json").write_bytes(manifest)
    assert [one.version for one in shelf.known.proven("tiny", [1])] == [1]


def test_what_is_not_there_is_unavailable(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    with pytest.raises(ModelUnavailable, match="tiny/2 is not in the repository"):
        Shelf(tmp_path).known.proven("tiny", [1, 2])


def test_another_graph_than_registered_is_untrusted(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    registered = {("tiny", 1): "0" * 64}
    shelf = Shelf(tmp_path, digests=lambda: registered)
    found = shelf.known.find("tiny", 1)
    assert found
    with pytest.raises(ModelUntrusted, match="not the graph that was registered"):
        shelf.known.check_registered(found)
    registered.clear()  # not registered yet: neither right nor wrong
    shelf.known.check_registered(found)
    registered["tiny", 1] = found.sha256
    shelf.known.check_registered(found)
    registered["tiny", 1] = "0" * 64  # asked once: what is registered never changes
    shelf.known.check_registered(found)
    assert shelf.known.named("tiny", 1)
    assert not Shelf(tmp_path).known.named("tiny", 1)
