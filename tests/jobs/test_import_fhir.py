"""The command as an operator runs it."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from django.core.management import CommandError, call_command

from backend.audit.models import AccessEvent
from backend.jobs import imports
from backend.jobs.management.commands import demo as demo_command
from backend.people.models import Patient
from backend.twin.errors import AuditUnavailable
from fhir_integration.sandbox import Sandbox
from tests.fhir_integration.made import bundle, observation

pytestmark = pytest.mark.django_db


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The demo's sandbox, in this process."""
    with Sandbox(tmp_path / "ehr.ndjson") as running:

        @contextmanager
        def here(_: Path) -> Iterator[str]:
            yield running.base_url

        monkeypatch.setattr(imports, "sandbox", here)
        monkeypatch.setattr(demo_command, "sandbox", here)
        yield running


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two patients, one of them with a score."""
    monkeypatch.setattr(imports.wiring, "var", lambda: tmp_path / "var")
    patients = [{"resourceType": "Patient", "id": own_id} for own_id in ("p1", "p2")]
    made = tmp_path / "record.json"
    made.write_text(json.dumps(bundle(*patients, observation())), encoding="utf-8")
    return made


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("import_fhir", *arguments, stdout=out)
    return out.getvalue()


def audited() -> list[tuple[str, str, dict[str, int]]]:
    rows = AccessEvent.objects.filter(action="FILE").order_by("seq")
    return [(row.action, row.outcome, json.loads(row.detail)) for row in rows]


def test_a_run_reports_and_leaves_one_audit_row_and_no_patient(files: Path) -> None:
    output = run(str(files), "--json", str(files.with_suffix(".report")))
    assert output.endswith("3 resources: 3 used + 0 refused = 3\n")
    totals = {"files": 1, "patients": 2, "resources": 3, "used": 3}
    assert audited() == [("FILE", "SUCCESS", totals)]
    assert not Patient.objects.exists()
    assert json.loads(files.with_suffix(".report").read_bytes())["used"] == 3


def test_what_cannot_be_read_is_refused_and_audited(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot import: there is no such file"):
        run(str(tmp_path / "nowhere"))
    assert audited() == [("FILE", "FAILED", {})]


def test_without_an_audit_log_nothing_is_said(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(**_: object) -> None:
        raise AuditUnavailable("the audit entry was not written")

    monkeypatch.setattr("backend.audit.ledger.record", down)
    out = io.StringIO()
    with pytest.raises(CommandError, match="migrate first"):
        call_command("import_fhir", str(files), stdout=out)
    assert out.getvalue() == ""


def test_a_report_that_cannot_be_written_is_an_error(files: Path) -> None:
    with pytest.raises(CommandError, match="no folder for the report"):
        run(str(files), "--json", str(files.parent / "no" / "report.json"))


def test_the_report_s_place_is_looked_at_before_the_run(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (files.parent, files):
        with pytest.raises(CommandError, match="a file of its own"):
            run(str(files), "--json", str(place))
    monkeypatch.setattr(imports.os, "access", lambda *_: False)
    with pytest.raises(CommandError, match="cannot be written"):
        run(str(files), "--json", str(files.parent / "report.json"))
    assert audited() == []


def test_the_report_among_the_files_is_not_read_the_next_time(files: Path) -> None:
    report = files.parent / "report.json"
    for _ in range(2):
        assert "3 resources: 3 used" in run(str(files.parent), "--json", str(report))


def test_a_run_that_is_stopped_says_how_to_go_on(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(imports.Import, "run", stopped)
    with pytest.raises(CommandError, match="the same command goes on") as caught:
        run(str(files))
    assert caught.value.returncode == 130
    monkeypatch.undo()


@pytest.mark.parametrize("arguments", [("",), (".", "--json", "")])
def test_an_empty_path_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="the path is empty"):
        run(*arguments)


def test_where_nothing_can_be_read_the_run_fails(files: Path) -> None:
    files.write_bytes(b"{torn")
    with pytest.raises(CommandError, match="nothing of these files can be read"):
        run(str(files))
    files.write_bytes(b"{}")
    assert "1 not-fhir" in run(str(files))


def test_files_of_any_name_are_reported_on_any_terminal(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        b"Smith_\xff.json",
        b"x\x1b[2J\nUsed 9.json",
        "M\u00fcller.json".encode(),
    ):
        (files.parent / os.fsdecode(name)).write_bytes(b"{bad")
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    report = files.parent / "report.json"
    call_command("import_fhir", str(files.parent), "--json", str(report), stdout=out)
    text = raw.getvalue()
    assert b"Smith_\\udcff.json: 1 not JSON" in text
    assert b"x\\x1b[2J\\nUsed 9.json: 1 not JSON" in text
    assert b"M\\xfcller.json: 1 not JSON" in text
    assert b"\x1b" not in text
    faults = json.loads(report.read_bytes())["faults"]
    assert faults["M\u00fcller.json"] == {"not JSON": 1}
    with pytest.raises(CommandError, match="nothing of these files"):
        run(str(files.parent / os.fsdecode(b"Smith_\xff.json")))


def test_the_base_url_leads_to_the_patient_in_the_sandbox_too(
    files: Path, sandbox: Sandbox
) -> None:
    base = "https://ehr.example/fhir"
    subject = {"reference": f"{base}/Patient/p1"}
    patient = {"resourceType": "Patient", "id": "p1"}
    made = [patient, observation(subject=subject)]
    path = files.with_name("own.ndjson")
    path.write_text("\n".join(map(json.dumps, made)), encoding="utf-8")
    run(str(path), "--into-sandbox", "--base-url", base)
    asked = httpx.get(f"{sandbox.base_url}/Patient", trust_env=False).json()
    (held,) = (entry["resource"] for entry in asked["entry"])
    url = f"{sandbox.base_url}/Observation?patient={held['id']}"
    assert httpx.get(url, trust_env=False).json()["total"] == 1


def test_the_sandbox_is_filled_and_a_second_time_nothing_changes(
    files: Path, sandbox: Sandbox
) -> None:
    journal = files.parent / "ehr.ndjson"
    said = "In the sandbox EHR: 3 resources of 2 patients; 0 left out"
    assert said in run(str(files), "--into-sandbox")
    first = journal.read_bytes()
    assert first.count(b"\n") == 3
    assert said in run(str(files), "--into-sandbox")
    assert journal.read_bytes() == first


def test_there_is_no_sandbox_where_demos_are_refused(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports.wiring, "demo_allowed", lambda: False)
    with pytest.raises(CommandError, match="no sandbox EHR"):
        run(str(files), "--into-sandbox")
