"""The kill switch of forecasts, for a diary file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from backend.audit.models import AccessEvent
from backend.jobs.management.commands import forecast
from backend.registry.switches import switch
from tests.jobs.test_series import diary_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return diary_file(tmp_path, "one.csv", level=2)


def off() -> None:
    switch("forecast", on=False, actor="user:1", reason="looks wrong")


def run(source: Path, output: Path) -> None:
    with pytest.raises(CommandError, match="'forecast' is switched off"):
        call_command(
            "forecast",
            series=source,
            output=output,
            stdout=io.StringIO(),
            stderr=io.StringIO(),
        )
    row = AccessEvent.objects.latest("seq")
    assert (row.action, row.outcome) == ("FILE", "DENIED")
    assert row.detail == '{"error":"ServiceOff"}'


def test_while_it_is_off_nothing_is_written(source: Path, tmp_path: Path) -> None:
    off()
    run(source, tmp_path / "out.csv")
    assert not list(tmp_path.glob("out*"))


def test_it_ends_a_run_before_the_file_is_there(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = forecast.write_forecasts

    def last_person(*given: Any, **words: Any) -> Iterator[str]:
        for person in kept(*given, **words):
            if person == "c":
                off()
            yield person

    monkeypatch.setattr(forecast, "write_forecasts", last_person)
    run(source, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    assert (tmp_path / "out.csv.part").exists()


def test_a_database_that_is_not_there_is_said_in_words(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_service: str) -> None:
        raise OperationalError("no such table")

    monkeypatch.setattr(forecast, "require_on", missing)
    with pytest.raises(CommandError, match="migrate first"):
        call_command("forecast", series=source, output=tmp_path / "out.csv")
