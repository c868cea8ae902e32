"""One connection per process: lost, made again, and who may make it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from backend.inference.triton import (
    ClientTls,
    TritonAddress,
    TritonFailed,
    TritonServer,
)
from tests.inference.fake_triton import fake_triton
from tests.inference.test_triton import infer, listed, made
from tests.inference.test_triton_tls import certificate
from tests.inference.tiny import publish


def test_a_call_on_a_closed_connection_is_cancelled(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    with fake_triton() as fake:
        (server,) = made(tmp_path, fake)
        infer(server)
        (client,) = server._clients.values()
        client.channel.close()
        with pytest.raises(TritonFailed, match="cancelled"):
            infer(server)
        server.reconnect()
        assert infer(server)["y"].shape == (2, 3)
        server.close()


def test_a_connection_that_was_lost_is_another_one(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    with fake_triton() as fake:
        (server,) = made(tmp_path, fake)
        infer(server)
        before = server.connection
        infer(server)
        assert server.connection == before
        port = int(fake.url.rpartition(":")[2])
    with fake_triton(port=port):  # nobody asked meanwhile
        until(lambda: server.connection != before)
        lost = server.connection
        until(server.alive)
        again = server.connection
        assert server.connection == again != before
        (client,) = server._clients.values()
        client.channel.close()
        assert server.connection != again
        server.reconnect()
        assert server.alive()
        assert server.connection not in {before, lost, again}
        server.close()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_files_of_tls_that_are_gone_are_a_failure_until_they_are_back(
    tmp_path: Path,
) -> None:
    root = certificate("root", tmp_path)
    certificate("server", tmp_path, root)
    pem = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    credentials = grpc.ssl_server_credentials([(pem["server.key"], pem["server.pem"])])
    publish(tmp_path / "models", 1)
    tls = ClientTls(authority=tmp_path / "later.pem")
    with fake_triton(credentials) as fake:
        server = TritonServer(
            TritonAddress(fake.url, tls=tls),
            catalogue=lambda: listed(tmp_path / "models"),
        )
        server.reconnect()
        assert not server.alive()
        for work in (lambda: infer(server), lambda: server.load("tiny", [1])):
            with pytest.raises(TritonFailed, match="'tiny': tls"):
                work()
        (tmp_path / "later.pem").write_bytes(pem["root.pem"])
        assert infer(server)["y"].shape == (2, 3)
        server.close()


@pytest.mark.parametrize("known", [True, False], ids=["ours", "unknown"])
def test_both_sides_show_who_they_are(tmp_path: Path, known: bool) -> None:
    root = certificate("root", tmp_path)
    certificate("server", tmp_path, root)
    certificate("client", tmp_path, root)
    pem = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    credentials = grpc.ssl_server_credentials(
        [(pem["server.key"], pem["server.pem"])], pem["root.pem"], True
    )
    tls = ClientTls(
        authority=tmp_path / "root.pem",
        certificate=tmp_path / "client.pem" if known else None,
        key=tmp_path / "client.key" if known else None,
    )
    with fake_triton(credentials) as fake:
        server = TritonServer(TritonAddress(fake.url, tls=tls), catalogue=tuple)
        assert server.alive() is known
        server.close()
        server.close()  # nothing is left to close
