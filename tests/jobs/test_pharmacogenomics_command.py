"""`manage.py pharmacogenomics`: audit, kill switch, progress, and what it refuses."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from itertools import count as numbers
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from backend.audit.models import AccessEvent
from backend.jobs import pharmacogenomics, pharmacogenomics_response
from backend.jobs.management.commands import pharmacogenomics as command
from backend.registry.switches import switch
from tests.jobs.test_pharmacogenomics import Mild, file, ids, line

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return file(tmp_path, [line(0), b"{\n", line(2)])


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def run(source: Path, output: Path, **more: Any) -> tuple[str, str]:
    said, progress = io.StringIO(), io.StringIO()
    call_command(
        "pharmacogenomics",
        input=source,
        output=output,
        stdout=said,
        stderr=progress,
        **more,
    )
    return said.getvalue(), progress.getvalue()


def rows() -> list[tuple[str, str, dict[str, Any]]]:
    found = AccessEvent.objects.filter(action="FILE").order_by("seq")
    return [(one.actor, one.outcome, json.loads(one.detail)) for one in found]


def off() -> None:
    switch("pharmacogenomics", on=False, actor="user:1", reason="looks wrong")


def test_a_file_leaves_one_row_of_the_audit(source: Path, output: Path) -> None:
    said, progress = run(source, output)
    assert ids(output) == ["p0", None, "p2"]
    assert (said, progress) == (f"3 lines -> {output}\n", "")
    ((actor, outcome, detail),) = rows()
    assert actor.startswith("command:pharmacogenomics@")
    assert (outcome, detail) == ("SUCCESS", {"patients": 3})


def test_it_says_how_far_it_is_where_it_takes_long(
    source: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = numbers(0, 2)
    monkeypatch.setattr(command.time, "monotonic", lambda: float(next(clock)))
    _, progress = run(source, output)
    assert progress.splitlines() == [
        "0 of 3 lines, 0 a second",
        "3 of 3 lines, 1 a second",
    ]


def test_it_goes_on_where_it_was_stopped(
    source: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = command.write_answers
    monkeypatch.setattr(pharmacogenomics, "TOGETHER", 1)

    def stopped(*given: Any, **words: Any) -> Iterator[int]:
        for done in kept(*given, **words):
            if done == 2:
                raise KeyboardInterrupt
            yield done

    monkeypatch.setattr(command, "write_answers", stopped)
    with pytest.raises(CommandError, match="goes on where this one was"):
        run(source, output)
    monkeypatch.setattr(command, "write_answers", kept)
    _, progress = run(source, output)
    assert progress == "going on after 2 lines that are answered\n"
    assert ids(output) == ["p0", None, "p2"]
    assert [one[1] for one in rows()] == ["SUCCESS", "SUCCESS"]


def test_while_it_is_off_nothing_is_written(source: Path, output: Path) -> None:
    off()
    with pytest.raises(CommandError, match="'pharmacogenomics' is switched off"):
        run(source, output)
    assert not list(output.parent.glob("out*"))
    ((_, outcome, detail),) = rows()
    assert (outcome, detail) == ("DENIED", {"error": "ServiceOff"})


def test_it_ends_a_run_before_the_file_is_there(
    source: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = command.write_answers

    def switched_off(*given: Any, **words: Any) -> Iterator[int]:
        for done in kept(*given, **words):
            if done:
                off()
            yield done

    monkeypatch.setattr(command, "write_answers", switched_off)
    with pytest.raises(CommandError, match="switched off"):
        run(source, output)
    assert not output.exists()
    assert [one[1] for one in rows()] == ["SUCCESS", "DENIED"]


def test_a_file_that_is_not_there_is_a_failure(tmp_path: Path, output: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run(tmp_path / "none.jsonl", output)
    assert [one[1] for one in rows()] == ["FAILED"]


def test_the_answers_need_a_file_of_their_own(source: Path) -> None:
    with pytest.raises(CommandError, match="a file of its own"):
        run(source, source)
    assert rows() == []


def test_without_a_published_model_it_says_so(
    source: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pharmacogenomics_response, "approved_response_model", tuple)
    with pytest.raises(CommandError, match="treatment_response is not available"):
        run(source, output, response=True)
    assert not output.exists()


def test_the_model_is_asked_by_the_confidence_that_is_wanted(
    source: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def model(least_confidence: float) -> Mild:
        asked.append(least_confidence)
        return Mild()

    monkeypatch.setattr(command, "response_model", model)
    run(source, output, response=True)
    assert asked == [0.7]
    assert b'"efficacy":0.6' in output.read_bytes()


@pytest.mark.parametrize("share", ["-0.1", "1.1", "nan", "much"])
def test_a_confidence_is_a_share(source: Path, output: Path, share: str) -> None:
    words = ["--input", str(source), "--output", str(output)]
    with pytest.raises(CommandError, match="least-confidence"):
        call_command("pharmacogenomics", *words, f"--least-confidence={share}")


def test_a_database_that_is_not_there_is_said_in_words(
    source: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_service: str) -> None:
        raise OperationalError("no such table")

    monkeypatch.setattr(command, "require_on", missing)
    with pytest.raises(CommandError, match="migrate first"):
        run(source, output)
    assert not output.exists()
