"""The command for wearable files, as an operator runs it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from backend.audit.models import AccessEvent
from backend.jobs import wearables
from backend.people.models import Patient
from backend.twin.errors import AuditUnavailable

pytestmark = pytest.mark.django_db
ROWS = """time,measure,value,unit,patient
2025-07-01 08:00,heart-rate,61,/min,Smith
2025-07-01 08:05,heart-rate,610,/min,Smith
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(wearables.wiring, "var", lambda: tmp_path / "var")
    made = tmp_path / "pulse.csv"
    made.write_text(ROWS, encoding="utf-8")
    return made


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("import_wearables", *arguments, stdout=out)
    return out.getvalue()


def audited() -> list[tuple[str, dict[str, int]]]:
    rows = AccessEvent.objects.filter(action="FILE").order_by("seq")
    return [(row.outcome, json.loads(row.detail)) for row in rows]


def test_it_counts_as_import_fhir_does_and_stores_nothing(file: Path) -> None:
    report = file.with_name("report.json")
    said = run(str(file), "--zone", "Europe/Berlin", "--json", str(report))
    assert "Refused:  1 implausible" in said
    assert f"implausible: {file}:3" in said
    assert said.endswith("2 resources: 1 used + 1 refused = 2\n")
    assert wearables.NO_ZONE not in said
    assert "Smith" not in said + report.read_text(encoding="utf-8")
    assert json.loads(report.read_bytes())["concepts"]["heart-rate"]["entries"] == 1
    assert not Patient.objects.exists()
    assert list((file.parent / "var" / "imports").iterdir()) == []


def test_each_file_leaves_an_audit_row(file: Path) -> None:
    torn = file.with_name("torn.json")
    torn.write_text("{", encoding="utf-8")
    said = run(str(file), str(torn), "--zone", "UTC")
    assert f"{torn}: 1 not JSON: it ends within an object" in said
    assert audited() == [
        ("SUCCESS", {"files": 1, "resources": 2, "used": 1}),
        ("FAILED", {"files": 1, "resources": 1, "used": 0}),
    ]


def test_where_a_zone_would_help_it_is_asked_for(file: Path) -> None:
    said = run(str(file))
    assert wearables.NO_ZONE in said
    assert "2 no-time-of-day" in said


def test_where_a_measure_is_unknown_all_that_are_known_are_named(file: Path) -> None:
    known = "other measures than these are unknown-code: heart-rate,"
    assert known not in run(str(file))
    file.write_text(file.read_text("utf-8").replace("heart-rate", "pulse"), "utf-8")
    assert known in run(str(file))


def test_where_nothing_can_be_read_the_run_fails(file: Path) -> None:
    with pytest.raises(CommandError, match="nothing of these files can be read"):
        run(str(file.with_name("nowhere.csv")))
    assert audited() == [("FAILED", {"files": 1, "resources": 1, "used": 0})]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("",), "the path is empty"),
        ((".", "--json", ""), "the path is empty"),
        ((".", "--zone", "Berlin"), "names are like Europe/Berlin"),
        ((), "required: files"),
    ],
)
def test_arguments_that_say_nothing(arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run(*arguments)


def test_the_report_s_place_is_looked_at_before_the_run(file: Path) -> None:
    with pytest.raises(CommandError, match="a file of its own"):
        run(str(file), "--json", str(file))
    assert audited() == []


def test_without_an_audit_log_nothing_is_said(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(**_: object) -> None:
        raise AuditUnavailable("the audit entry was not written")

    monkeypatch.setattr("backend.audit.ledger.record", down)
    out = io.StringIO()
    with pytest.raises(CommandError, match="migrate first"):
        call_command("import_wearables", str(file), stdout=out)
    assert out.getvalue() == ""


def test_a_run_that_is_stopped_keeps_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(wearables.WearableRun, "run", stopped)
    with pytest.raises(CommandError, match="nothing was kept") as caught:
        run(str(file))
    assert caught.value.returncode == 130
    assert list((file.parent / "var" / "imports").iterdir()) == []
