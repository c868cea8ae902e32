"""Publishing by command: checked, recorded, registered, and only then announced."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from backend import wiring
from backend.audit import ledger
from backend.inference import lifecycle
from backend.inference.catalogue import read_catalogue
from backend.jobs.management.commands import models as command
from backend.registry import services
from backend.twin.errors import AuditUnavailable, ModelUnavailable
from tests.jobs.conftest import Run, rows
from tests.versions import shipped_version

pytestmark = pytest.mark.django_db
TREES = "symptom_xgboost"
LAST = shipped_version(TREES)


def test_a_candidate_that_is_refused_changes_nothing(
    run: Run, repository: Path, tmp_path: Path
) -> None:
    candidate = tmp_path / "candidate"
    shutil.copytree(repository / TREES / str(LAST), candidate)
    (candidate / "model.onnx").write_bytes(b"no graph")
    for step in ("validate", "publish"):
        with pytest.raises(CommandError) as refused:
            run(step, str(candidate))
        assert "\n" not in str(refused.value)
    assert rows("PUBLISH") == ["FAILED"]
    assert rows("VERIFY") == ["FAILED"]
    assert [p.name for p in (repository / TREES).glob("[0-9]*")] == [str(LAST)]


def test_what_cannot_be_recorded_is_not_published(
    run: Run, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = tmp_path / "candidate"
    shutil.copytree(repository / TREES / str(LAST), candidate)
    wiring.models()
    kept = ledger.record

    def full(**words: Any) -> None:
        if words["action"] == "PUBLISH":
            raise AuditUnavailable("no room")
        kept(**words)

    monkeypatch.setattr(ledger, "record", full)
    with pytest.raises(CommandError, match="AuditUnavailable"):
        run("publish", str(candidate))
    assert [p.name for p in (repository / TREES).glob("*[0-9]*")] == [str(LAST)]
    assert (TREES, LAST + 1) not in services.digests()


def test_a_number_is_not_given_twice_although_its_files_are_gone(
    run: Run, repository: Path, tmp_path: Path
) -> None:
    candidate = tmp_path / "candidate"
    shutil.copytree(repository / TREES / str(LAST), candidate)
    services.ModelRelease.objects.create(
        model=TREES, version=LAST + 1, sha256="", card={}, retired_at=wiring.now()
    )
    with pytest.raises(CommandError, match=f"version {LAST + 1} was given"):
        run("publish", str(candidate))
    assert rows("PUBLISH") == ["FAILED"]
    assert [p.name for p in (repository / TREES).glob("*[0-9]*")] == [str(LAST)]
    new = str(LAST + 2)
    assert f"version {new}" in run("publish", str(candidate), "--number", new)


def test_a_card_that_the_database_refuses_is_not_announced(
    run: Run, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiring.models()
    found = read_catalogue(repository, trusted=wiring.trusted())
    (last,) = (one for one in found if one.model == TREES)
    new = replace(last, version=LAST + 1, card={"x": math.nan})
    monkeypatch.setattr(lifecycle, "publish", lambda *_a, **_k: new)
    monkeypatch.setattr(command, "read_catalogue", lambda *_a, **_k: (*found, new))
    with pytest.raises(CommandError) as ended:
        run("publish", str(tmp_path))
    said = f"{TREES} version {new.version} lies in the repository and serves nobody: "
    assert str(ended.value).startswith(said)
    assert len(str(ended.value).splitlines()) == 1
    assert rows("ASSIGN") == []


def test_only_where_demos_are_allowed_a_key_is_made(
    repository: Path, settings: Any
) -> None:
    own, trust = wiring.signing_key()
    assert command._signing_key(None).public_key() in wiring.trusted()
    assert own is not None and own.is_file() and trust is not None
    settings.MINDTWIN = {**settings.MINDTWIN, "DEMO": False, "SIGNING_KEY": None}
    with pytest.raises(command.ImproperlyConfigured, match="MINDTWIN_SIGNING_KEY"):
        command._signing_key(None)
    settings.MINDTWIN = {**settings.MINDTWIN, "SIGNING_KEY": repository / "none.pem"}
    with pytest.raises(command.ImproperlyConfigured, match=r"no signing key none\.pem"):
        command._signing_key(None)


def test_what_is_published_is_a_candidate_even_if_the_first_of_its_model(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, repository: Path
) -> None:
    wiring.models()
    services.Channel.objects.all().delete()
    services.ModelRelease.objects.all().delete()
    found = next(
        one
        for one in wiring.models().catalogue  # type: ignore[attr-defined]
        if one.model == TREES
    )
    monkeypatch.setattr(lifecycle, "publish", lambda *_a, **_k: found)
    assert "it is the candidate" in run("publish", str(tmp_path))
    assert [one.name for one in services.Channel.objects.all()] == ["candidate"]


def test_a_candidate_that_no_server_loads_is_told(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, repository: Path
) -> None:
    candidate = tmp_path / "candidate"
    shutil.copytree(repository / TREES / str(LAST), candidate)
    (candidate / "manifest.json").unlink()

    def refuse(**_: object) -> None:
        raise ModelUnavailable("Triton gave no answer")

    monkeypatch.setattr(command.assignment, "assign", refuse)
    with pytest.raises(CommandError, match="no candidate yet: Triton gave no answer"):
        run("publish", str(candidate))
    assert rows("PUBLISH") == ["SUCCESS"]
