from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.inference.embedded import EmbeddedServer
from backend.inference.fork_lock import ForkLock
from tests.inference.tiny import TRUSTED, publish

X = np.ones((1, 3), np.float32)


def test_one_at_a_time() -> None:
    lock, inside, most = ForkLock(), [], []

    def work(number: int) -> None:
        with lock:
            inside.append(number)
            most.append(len(inside))
            inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(200)))
    assert set(most) == {1}


def test_what_raises_inside_leaves_it_open() -> None:
    lock = ForkLock()
    with pytest.raises(ValueError, match="inside"), lock:
        raise ValueError("inside")
    with lock:
        pass


def _ask(server: EmbeddedServer, says: Any) -> None:
    answer = server.infer("tiny", 1, {"x": X}, timeout_s=10)
    says.send(float(answer["y"][0, 0]))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_forked_while_a_graph_is_loaded_answers(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    server = EmbeddedServer(tmp_path, trusted=TRUSTED)
    fork = multiprocessing.get_context("fork")
    ours, theirs = multiprocessing.Pipe(duplex=False)
    with server._loading, server._known._lock:  # as another thread of ours would
        child = fork.Process(target=_ask, args=(server, theirs))
        child.start()
        try:
            assert ours.poll(10), "the child hangs"
            assert ours.recv() == 3
        finally:
            child.kill()
            child.join()
