"""The life of a version by commands, on a copy of the shipped models."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.db import OperationalError

from backend import wiring
from backend.audit.models import AccessEvent
from backend.inference import lifecycle
from backend.inference.keys import publish_key
from backend.jobs import model_table
from backend.jobs.management.commands import models as command
from backend.predictions.shadow import ShadowSummary
from backend.registry import services
from backend.registry.channels import channels
from backend.twin.errors import AuditUnavailable, ModelUntrusted
from tests.versions import copied, next_version, shipped_version

pytestmark = pytest.mark.django_db
TREES = "symptom_xgboost"
LAST = shipped_version(TREES)
KEY = Ed25519PrivateKey.generate()
Run = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped models in an installation of its own, with its own key."""
    folder = copied(tmp_path)
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
def run(repository: Path) -> Run:
    def said(*arguments: str) -> str:
        out, err = io.StringIO(), io.StringIO()
        call_command("models", *arguments, stdout=out, stderr=err)
        return out.getvalue()

    return said


def versions(channel: str) -> dict[str, int]:
    return {
        model: found[channel].use.version
        for model, found in channels().items()
        if channel in found
    }


def rows(action: str) -> list[str]:
    found = AccessEvent.objects.filter(action=action).order_by("seq")
    assert all(row.actor.startswith("command:models@") for row in found)
    return [row.outcome for row in found]


def line_of(table: str, version: int) -> str:
    """The table's line of one version of the trees, its spaces squeezed."""
    lines = (" ".join(line.split()) for line in table.splitlines())
    return next(one for one in lines if one.startswith(f"{TREES} {version} "))


def test_a_version_lives(run: Run, repository: Path, tmp_path: Path) -> None:
    candidate = tmp_path / "candidate"
    shutil.copytree(repository / TREES / str(LAST), candidate)
    new = LAST + 1
    assert "sound: parity" in run("validate", str(candidate))
    assert f"published {TREES} version {new}" in run("publish", str(candidate))
    assert versions("candidate") == {TREES: new}
    assert "candidate calibration verified" in line_of(run("list"), new)
    run("shadow", TREES, str(new), "--percent", "10")
    assert "candidate, shadow 10 % calibration verified" in line_of(run("list"), new)
    run("shadow", TREES, "--off")
    with pytest.raises(CommandError, match="would not be calibrated"):
        run("promote", f"{TREES}={new}", "--approver", "ada")
    run("promote", f"{TREES}={new}", "--approver", "ada", "--uncalibrated")
    assert versions("production")[TREES] == new
    assert run("rollback", TREES) == f"{TREES} version {LAST} is production again\n"
    assert run("verify") == "files, channels and known answers agree\n"
    assert ".retired/" in run("retire", TREES, str(new))
    assert line_of(run("list"), new).endswith("- - retired")
    assert not (repository / TREES / str(new)).exists()
    for action in ("VERIFY", "PUBLISH", "PROMOTE", "ASSIGN", "ROLLBACK", "RETIRE"):
        assert "SUCCESS" in rows(action), action
    assert rows("PROMOTE") == ["DENIED", "SUCCESS"]


def test_verify_names_every_problem(run: Run, repository: Path) -> None:
    run("list")
    wiring.models()
    (repository / TREES / str(LAST) / "model.onnx").write_bytes(b"other")
    shutil.rmtree(repository / "symptom_transformer")
    out = io.StringIO()
    with pytest.raises(CommandError, match="problems with the models"):
        call_command("models", "verify", stdout=out, stderr=io.StringIO())
    said = out.getvalue()
    assert f"PROBLEM  {TREES} version {LAST} does not verify" in said
    assert "is registered, but not in the repository" in said
    row = AccessEvent.objects.latest("seq")
    detail = json.loads(row.detail)
    assert (row.action, row.outcome) == ("VERIFY", "FAILED")
    assert detail == {"what": "models", "problems": said.count("PROBLEM")}


def test_a_version_by_another_hand_is_listed_and_registered(
    run: Run, repository: Path
) -> None:
    new = next_version(repository, TREES, key=KEY)
    assert "verified, not registered" in line_of(run("list"), new)
    assert run("load") == "everything that a channel points at is loaded\n"
    assert versions("production")[TREES] == new  # the first time, the highest
    shutil.rmtree(repository / TREES / str(new))
    assert "files are gone" in line_of(run("list"), new)
    services.ModelRelease.objects.filter(version=LAST).update(sha256="0" * 64)
    assert "exchanged" in line_of(run("list"), LAST)


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


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("promote", "x", "--approver", "ada"), "'x' is not MODEL=VERSION"),
        (("promote", "x=1", "x=2", "--approver", "ada"), "name each model once"),
        (("promote", "x=1", "--approver", "a b"), "nobody approved it"),
        (("promote", "x=1"), "--approver"),
        (("rollback", TREES), f"{TREES}: there is no previous version"),
        (("shadow", TREES, "--percent", "5"), "shadow MODEL VERSION --percent P"),
        (("shadow", TREES, "3", "--off"), "shadow MODEL VERSION --percent P"),
        (("shadow", TREES, str(LAST), "--percent", "101"), "0 to 100 percent"),
        (("shadow", TREES, "--off"), f"{TREES} has no shadow"),
        (("retire", TREES, "99"), "it is not registered"),
        (("retire", TREES, str(LAST)), "it is production"),
        (("publish", "/nowhere", "--key", "/no.pem"), "there is no signing key no.pem"),
        (("publish", "/nowhere"), "no readable card.json"),
    ],
)
def test_a_refusal_is_one_line(run: Run, arguments: tuple[str, ...], says: str) -> None:
    wiring.models()
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    assert says in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


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


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (AuditUnavailable("no room"), "AuditUnavailable"),
        (OperationalError("canary-4711"), "OperationalError"),
        (ModelUntrusted("two\nlines"), "two lines"),
    ],
)
def test_what_is_down_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, says: str
) -> None:
    def down() -> list[str]:
        raise error

    monkeypatch.setattr(command, "model_lines", down)
    with pytest.raises(CommandError) as ended:
        run("list")
    assert str(ended.value).startswith(says)
    assert "canary" not in str(ended.value)


def test_the_first_version_of_a_model_is_production(
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
    assert "it is production" in run("publish", str(tmp_path))


def test_the_list_tells_what_shadows_answered_and_who_is_refused(
    run: Run, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = ShadowSummary(TREES, LAST, 40, 0.0123, 0.05, 0.2, 0.001, 1.02)
    monkeypatch.setattr(model_table, "shadow_summary", lambda now: [one])
    (repository / TREES / str(LAST) / "card.json").write_bytes(b"{}")
    table = run("list")
    assert table.splitlines()[-1] == (
        f"shadow {TREES} version {LAST}: 40 predictions, quantiles differ by 0.012 on "
        "average, 0.050 at the 95th percentile, 0.200 at most (standard deviations of "
        "the windows)"
    )
    assert "refused: " in line_of(table, LAST)
