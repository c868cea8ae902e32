"""The correlation service for files, as an operator runs it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from backend import wiring
from backend.jobs import correlate_answers
from backend.jobs.correlate_answers import NO_GATE
from backend.jobs.management.commands import correlate
from backend.people.models import Patient
from backend.predictions.link_network import NO_ANSWER, NONE_APPROVED
from backend.predictions.models import Prediction
from backend.registry.switches import switch
from backend.twin.errors import AuditUnavailable
from backend.twin.trajectory import ModelUse
from tests.jobs.correlating import (
    DAYS,
    LINKED,
    UNLINKED,
    Files,
    audited,
    flat,
    part,
    run,
)

pytestmark = pytest.mark.django_db


def test_a_link_is_found_and_a_silence_holds(link_files: Files) -> None:
    said = run(*link_files.named, *DAYS)
    linked, unlinked = part(said, LINKED), part(said, UNLINKED)
    assert "precedes" in linked and "less anxiety by about 6 hours" in linked
    assert "p(link)" in linked and "association, not a cause" in linked
    assert "No link is sure enough to be put into words." in unlinked
    assert "precedes" not in unlinked and "4 pairs" in unlinked
    assert f"{LINKED}, 90 days to 2026-03-01" in said
    assert NO_GATE in flat(said) and "the local offsets that the sources" in linked
    assert not Patient.objects.exists() and not Prediction.objects.exists()


def test_one_audit_row_stands_for_the_files(link_files: Files) -> None:
    run(*link_files.named, *DAYS)
    ((outcome, detail),) = audited()
    used = detail.pop("used")
    assert used == len(link_files.wearables.read_text("utf-8").splitlines()) - 1
    assert (outcome, detail) == ("SUCCESS", {"files": 2, "faults": 0, "patients": 2})


def test_the_whole_answer_is_written_as_json(link_files: Files, tmp_path: Path) -> None:
    output = tmp_path / "links.json"
    run(*link_files.named, *DAYS, "--json", str(output))
    whole = json.loads(output.read_bytes())
    linked, unlinked = whole["people"]
    assert (linked["person"], linked["as_of"]) == (LINKED, "2026-03-01")
    (insight,) = linked["report"]["insights"]
    assert insight["link"]["biometric"] == "hrv-rmssd"
    assert unlinked["report"]["insights"] == [] and unlinked["report"]["message"]
    assert whole["files"]["wearables"]["refused"] == {}
    assert whole["files"]["diary"] == {"people": 2, "refused": {}}


def test_the_network_answers_where_it_is_approved(
    link_files: Files, repository: Path
) -> None:
    """In process, by the models as shipped."""
    with wiring.use(models=wiring._served()):
        said = part(run(*link_files.named, *DAYS), LINKED)
    assert "model biometric_correlation version" in said
    assert "by about 6 hours" in said and "classical" not in said
    assert repository.is_dir()


def test_where_no_network_is_approved_the_engine_answers_and_says_so(
    link_files: Files,
) -> None:
    assert f"notice: {NONE_APPROVED}" in part(run(*link_files.named, *DAYS), LINKED)


def test_where_the_network_is_down_the_engine_answers_and_says_so(
    link_files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    use = ModelUse("biometric_correlation", 1, "a" * 64, "production", 1.0)
    monkeypatch.setattr(correlate_answers, "approved_network", lambda: (use,))
    said = part(run(*link_files.named, *DAYS), LINKED)
    assert f"notice: {NO_ANSWER}" in said and "by about 6 hours" in said
    assert "model biometric_correlation" not in said


def test_while_it_is_off_nothing_is_said(link_files: Files) -> None:
    switch("correlation", on=False, actor="user:1", reason="looks wrong")
    out = io.StringIO()
    with pytest.raises(CommandError, match="'correlation' is switched off"):
        call_command("correlate", *link_files.named, stdout=out)
    assert out.getvalue() == ""
    assert audited() == [("DENIED", {"error": "ServiceOff"})]


def test_switching_it_off_ends_a_run(
    link_files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = correlate.answers

    def second(*given: Any, **words: Any) -> Iterator[Any]:
        for number, answer in enumerate(kept(*given, **words)):
            if number:
                switch("correlation", on=False, actor="user:1", reason="looks wrong")
            yield answer

    monkeypatch.setattr(correlate, "answers", second)
    output = tmp_path / "links.json"
    with pytest.raises(CommandError, match="switched off"):
        run(*link_files.named, "--json", str(output))
    assert [outcome for outcome, _ in audited()] == ["SUCCESS", "DENIED"]
    assert not output.exists()


def test_a_questionnaire_in_its_severe_band_is_said(link_files: Files) -> None:
    with link_files.diary.open("a", encoding="utf-8") as file:
        file.write(f"{LINKED},2026-02-28,phq9,25\n")
    said = part(run(*link_files.named), LINKED)
    assert "URGENT: " in said and "left out: phq9, 1 values" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--days", "0"), "a window of 1 to 120 days"),
        (("--days", "121"), "a window of 1 to 120 days"),
        (("--as-of", "2026-06-01"), "a day from"),
        (("--as-of", "soon"), "invalid"),
        (("--zone", "Berlin"), "names are like Europe/Berlin"),
    ],
)
def test_arguments_that_cannot_be(
    link_files: Files, arguments: tuple[str, ...], says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        run(*link_files.named, *arguments)
    assert all(outcome == "FAILED" for outcome, _ in audited())


@pytest.mark.parametrize("name", ["wearables", "diary"])
def test_the_answer_s_place_is_looked_at_before_the_run(
    link_files: Files, name: str
) -> None:
    with pytest.raises(CommandError, match="a file of its own"):
        run(*link_files.named, "--json", str(getattr(link_files, name)))
    assert audited() == []


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (AuditUnavailable("the audit entry was not written"), "migrate first"),
        (OperationalError("no such table"), "the database cannot be read"),
        (KeyboardInterrupt(), "nothing was kept"),
    ],
)
def test_what_stops_a_run_is_said_in_words(
    link_files: Files, monkeypatch: pytest.MonkeyPatch, error: BaseException, says: str
) -> None:
    def fails(**_: object) -> None:
        raise error

    monkeypatch.setattr("backend.audit.ledger.record", fails)
    out = io.StringIO()
    with pytest.raises(CommandError, match=says):
        call_command("correlate", *link_files.named, stdout=out)
    assert out.getvalue() == ""
