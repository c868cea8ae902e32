"""PharmCAT's files as input lines of the file mode, as an operator makes them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from backend.audit.models import AccessEvent
from backend.twin.errors import AuditUnavailable

pytestmark = pytest.mark.django_db
TSV = "CYP2C19\t*2/*2\nCYP2D6\t\tPoor Metabolizer\nMTHFR\t*1/*2\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "person-7.tsv"
    made.write_text(TSV, encoding="utf-8")
    return made


def run(*arguments: str | Path, command: str = "import_pharmcat") -> str:
    out = io.StringIO()
    call_command(command, *map(str, arguments), stdout=out)
    return out.getvalue()


def audited() -> list[tuple[str, dict[str, int]]]:
    rows = AccessEvent.objects.filter(action="FILE").order_by("seq")
    return [(row.outcome, json.loads(row.detail)) for row in rows]


def test_its_lines_are_answered(file: Path) -> None:
    lines, answers = file.with_name("in.jsonl"), file.with_name("out.jsonl")
    said = run(
        *(file, "--output", lines, "--medication", "citalopram"),
        *("--current-medication", "bupropion"),
    )
    assert "2 calls; refused: 1 unknown-code" in said
    assert said.endswith(f"1 people -> {lines}\n")
    assert audited() == [("SUCCESS", {"files": 1, "used": 2})]
    run("--input", lines, "--output", answers, command="pharmacogenomics")
    [answer] = map(json.loads, answers.read_text(encoding="utf-8").splitlines())
    found = {gene["gene"]: gene["phenotype"] for gene in answer["genes"]}
    assert answer["id"] == "person-7" and answer["errors"] == []
    assert found["CYP2C19"] == found["CYP2D6"] == "Poor Metabolizer"
    assert {one["medication"] for one in answer["advice"]} == {"citalopram"}


def test_what_is_not_said_stays_unknown(file: Path) -> None:
    lines = file.with_name("in.jsonl")
    run(file, "--output", lines)
    [line] = map(json.loads, lines.read_text(encoding="utf-8").splitlines())
    assert set(line) == {"id", "calls"}
    assert line["calls"][1].keys() == {"gene", "phenotype", "source"}


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_used(
    file: Path,
) -> None:
    torn, lines = file.with_name("torn.json"), file.with_name("in.jsonl")
    torn.write_text("{", encoding="utf-8")
    said = run(torn, file, "--output", lines)
    assert f"not read: {torn}: not JSON" in said
    assert [outcome for outcome, _ in audited()] == ["FAILED", "SUCCESS"]
    with pytest.raises(CommandError, match="nothing of these files"):
        run(torn, "--output", file.with_name("none.jsonl"))
    assert not file.with_name("none.jsonl").exists()


def test_a_file_that_is_not_there(file: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run(file.with_name("absent.tsv"), "--output", file.with_name("in.jsonl"))


def test_without_an_audit_nothing_is_written(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_row: object) -> None:
        raise AuditUnavailable("the audit log cannot be written")

    monkeypatch.setattr("backend.audit.ledger.record", refuse)
    lines = file.with_name("in.jsonl")
    with pytest.raises(CommandError, match=r"manage\.py migrate"):
        run(file, "--output", lines)
    assert not lines.exists()
