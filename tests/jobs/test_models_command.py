"""The life of a version by commands, on a copy of the shipped models."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from backend import wiring
from backend.audit.models import AccessEvent
from backend.inference import lifecycle
from backend.inference.catalogue import read_catalogue
from backend.jobs import model_table
from backend.jobs.management.commands import models as command
from backend.predictions.shadow import ShadowSummary
from backend.registry import services
from backend.registry.channels import channels
from backend.twin.errors import AuditUnavailable, ModelUntrusted
from tests.jobs.conftest import KEY, Run, rows
from tests.versions import next_version, shipped_version

pytestmark = pytest.mark.django_db
TREES = "symptom_xgboost"
LAST = shipped_version(TREES)


def versions(channel: str) -> dict[str, int]:
    return {
        model: found[channel].use.version
        for model, found in channels().items()
        if channel in found
    }


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
    with pytest.raises(CommandError, match=f"version {new} was rolled back from"):
        run("rollback", TREES)
    assert versions("production")[TREES] == LAST
    assert run("verify") == "files, channels and known answers agree\n"
    assert ".retired/" in run("retire", TREES, str(new))
    assert line_of(run("list"), new).endswith("- - retired")
    assert not (repository / TREES / str(new)).exists()
    again = f"{TREES} version {new} is retired\nno files of it are in the repository\n"
    assert run("retire", TREES, str(new)) == again
    for action in ("VERIFY", "PUBLISH", "PROMOTE", "ASSIGN", "ROLLBACK", "RETIRE"):
        assert "SUCCESS" in rows(action), action
    assert rows("PROMOTE") == ["DENIED", "SUCCESS"]


def test_a_rollback_says_first_what_it_leaves(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiring.models()
    asked = []
    back = lambda **words: asked.append(words) or {TREES: LAST - 1}  # noqa: E731
    monkeypatch.setattr(command.promotion, "rollback", back)
    err = io.StringIO()
    call_command("models", "rollback", TREES, stdout=io.StringIO(), stderr=err)
    assert err.getvalue() == f"... leaving {TREES} version {LAST}\n"
    assert asked[0]["seen"][TREES] == LAST


def test_files_that_cannot_be_moved_are_said_to_be_there(
    run: Run, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiring.models()
    new = next_version(repository, TREES, key=KEY)
    run("list")
    found = read_catalogue(repository, trusted=wiring.trusted())
    services.register(actor="system:test", versions=found)

    def full(*_args: Any) -> None:
        raise PermissionError("/somewhere")

    monkeypatch.setattr(lifecycle, "retire", full)
    with pytest.raises(CommandError) as ended:
        run("retire", TREES, str(new))
    said = "its files could not be moved (PermissionError): try again"
    assert str(ended.value) == said
    assert (TREES, new) not in services.available()


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


def test_the_list_tells_what_shadows_answered_and_who_is_refused(
    run: Run, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = ShadowSummary(TREES, LAST, 40, 0.0123, 0.05, 0.2, 0.001, 1.02)
    gone = replace(one, version=LAST - 1)
    monkeypatch.setattr(model_table, "shadow_summary", lambda now: [one, gone])
    wiring.models()
    services.ModelRelease.objects.create(
        model=TREES, version=gone.version, sha256="", card={}, retired_at=wiring.now()
    )
    (repository / TREES / str(LAST) / "card.json").write_bytes(b"{}")
    table = run("list")
    assert table.count(f"shadow {TREES}") == 1
    assert table.splitlines()[-1] == (
        f"shadow {TREES} version {LAST}: 40 predictions, quantiles differ by 0.012 on "
        "average, 0.050 at the 95th percentile, 0.200 at most (standard deviations of "
        "the windows)"
    )
    assert "refused: " in line_of(table, LAST)
