from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import OperationalError, connection

from backend import wiring
from backend.inference.catalogue import latest_verified, read_catalogue
from backend.inference.guarded import GuardedServer
from backend.inference.keys import SHIPPED, publish_key
from backend.inference.triton_process import TritonProcess
from backend.registry import services
from backend.registry.models import ModelRelease
from backend.twin.errors import ModelUnavailable, ModelUntrusted
from tests.triton import ADMIN_KEY, copy_of_the_repository
from tests.versions import next_version, shipped_version

KEY = Ed25519PrivateKey.generate()
SOUND, EXCHANGED = "symptom_transformer", "symptom_xgboost"


@pytest.mark.django_db
def test_a_version_with_exchanged_weights_is_not_served(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(wiring, "_server", None)
    monkeypatch.setattr(services, "_withheld", frozenset())
    found = latest_verified(
        read_catalogue(settings.MINDTWIN["MODEL_REPOSITORY"], trusted=[SHIPPED])
    )
    sound, exchanged = (found[name].version for name in (SOUND, EXCHANGED))
    ModelRelease.objects.create(
        model=EXCHANGED, version=exchanged, sha256="0" * 64, card={}
    )
    server = wiring.models()
    server.canary(SOUND, sound)
    with pytest.raises(ModelUntrusted, match="not the graph that was registered"):
        server.canary(EXCHANGED, exchanged)


def test_only_known_parts_can_be_replaced() -> None:
    with pytest.raises(TypeError, match="clock"), wiring.use(clock=None):
        pass


@pytest.fixture
def installation(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> Path:
    """A copy of the shipped models, which trusts KEY as well."""
    monkeypatch.setattr(wiring, "_server", None)
    monkeypatch.setattr(services, "_withheld", frozenset())
    publish_key(KEY, tmp_path / "trusted")
    repository = copy_of_the_repository(tmp_path)
    settings.MINDTWIN = {
        **settings.MINDTWIN,
        "MODEL_REPOSITORY": repository,
        "TRUSTED_KEYS": [tmp_path / "trusted"],
    }
    return repository


def register_all(repository: Path) -> None:
    """What another process does after it has published."""
    versions = read_catalogue(repository, trusted=wiring.trusted())
    services.register(actor="system:test", versions=versions)


@pytest.mark.django_db
def test_what_another_process_publishes_is_served_without_a_restart(
    installation: Path,
) -> None:
    server = wiring.models()
    fresh = next_version(installation, SOUND, key=KEY)
    with pytest.raises(ModelUnavailable):
        server.canary(SOUND, fresh)
    register_all(installation)
    server.canary(SOUND, fresh)


@pytest.mark.django_db
def test_what_was_put_down_here_answers_when_another_process_takes_it_up(
    installation: Path,
) -> None:
    server = wiring.models_control()
    old = shipped_version(SOUND)
    fresh = next_version(installation, SOUND, key=KEY)
    register_all(installation)
    server.load(SOUND, {old, fresh})
    server.load(SOUND, {old})
    server.canary(SOUND, fresh)


@pytest.mark.django_db
def test_a_registry_that_cannot_be_read_is_no_registry(installation: Path) -> None:
    def gone(*_args: Any) -> None:
        raise OperationalError("canary-4711")

    with connection.execute_wrapper(gone), pytest.raises(ModelUnavailable) as refused:
        wiring._digests()
    assert "canary" not in str(refused.value)


@pytest.mark.django_db
def test_triton_is_asked_first_where_the_settings_name_one(
    installation: Path, settings: Any, triton: TritonProcess
) -> None:
    settings.MINDTWIN = {
        **settings.MINDTWIN,
        "TRITON": {"url": triton.grpc_url, "admin_key": ADMIN_KEY, "tls": None},
    }
    server = wiring.models()
    assert isinstance(server, GuardedServer)
    server.canary(SOUND, shipped_version(SOUND))
    assert {one[2] for one in server.state()} <= {"triton"}
    server.close()


@pytest.mark.django_db
def test_a_triton_that_is_away_keeps_nobody_waiting(
    installation: Path, settings: Any, tmp_path: Path
) -> None:
    for name in ("ca.pem", "client.pem", "client.key"):
        (tmp_path / name).write_bytes(b"")
    tls = {"authority": tmp_path / "ca.pem"}
    settings.MINDTWIN = {
        **settings.MINDTWIN,
        "TRITON": {"url": "127.0.0.1:1", "admin_key": None, "tls": tls},
    }
    services.register(actor="system:test", versions=())
    server = wiring.models()
    assert isinstance(server, GuardedServer)
    server.canary(SOUND, shipped_version(SOUND))
    assert {one[2] for one in server.state()} == {"embedded"}
    server.close()


@pytest.mark.django_db
def test_a_triton_that_says_nothing_keeps_no_process_from_its_start(
    installation: Path, settings: Any
) -> None:
    services.register(
        actor="system:test",
        versions=read_catalogue(installation, trusted=wiring.trusted()),
    )
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"127.0.0.1:{silent.getsockname()[1]}"
        settings.MINDTWIN = {
            **settings.MINDTWIN,
            "TRITON": {"url": url, "admin_key": None, "tls": None},
        }
        began = time.monotonic()
        server = wiring.models()
        assert time.monotonic() - began < 1  # one question to it would take as long
    assert isinstance(server, GuardedServer)
    server.close()
