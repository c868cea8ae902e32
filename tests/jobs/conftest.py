"""An installation of its own with the shipped models, and `manage.py models` there."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command

from backend import wiring
from backend.audit.models import AccessEvent
from backend.inference.keys import publish_key
from backend.registry import services
from backend.twin.simulation.wearable_demo import wearable_records
from tests.jobs.correlating import TODAY, Down, Files, written
from tests.triton import copy_of_the_repository

KEY = Ed25519PrivateKey.generate()
Run = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped models in an installation of its own, with its own key."""
    folder = copy_of_the_repository(tmp_path)
    settings.MINDTWIN = {
        **settings.MINDTWIN,
        "MODEL_REPOSITORY": folder,
        "TRUSTED_KEYS": [tmp_path / "trusted"],
        "SIGNING_KEY": tmp_path / "keys" / "own.pem",
    }
    publish_key(KEY, tmp_path / "trusted")
    monkeypatch.setattr(wiring, "_server", None)
    monkeypatch.setattr(services, "_withheld", frozenset())
    return folder


@pytest.fixture
def link_files(tmp_path: Path) -> Iterator[Files]:
    """Two people's wearables and diary; no model server answers, at a fixed time."""
    noon = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
    with wiring.use(models=Down(), now=lambda: noon):
        yield written(wearable_records(TODAY), tmp_path)


@pytest.fixture
def run(repository: Path) -> Run:
    def said(*arguments: str) -> str:
        out, err = io.StringIO(), io.StringIO()
        call_command("models", *arguments, stdout=out, stderr=err)
        return out.getvalue()

    return said


def rows(action: str) -> list[str]:
    found = AccessEvent.objects.filter(action=action).order_by("seq")
    assert all(row.actor.startswith("command:models@") for row in found)
    return [row.outcome for row in found]
