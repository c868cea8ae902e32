"""`manage.py correlate`: which wearable signals move with a diary's symptoms?"""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from backend import wiring
from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.jobs.correlate_answers import FileAnswer, answers, counted
from backend.jobs.correlate_files import Asked, FilesRead, read_files
from backend.jobs.correlate_lines import answer_lines, file_lines
from backend.jobs.diary import DiaryUnreadable
from backend.jobs.import_lines import a_path, a_zone, shown
from backend.jobs.imports import check_output
from backend.people.access import Actor
from backend.predictions.correlation import SERVICE
from backend.registry.switches import require_on
from backend.twin.errors import AuditUnavailable, ServiceOff, TwinError


class Command(BaseCommand):
    help = (
        "Look for links between wearable files (CSV, IEEE 1752.1 or Open mHealth JSON) "
        "and a tidy symptom diary. Nothing is stored. Rows of wearables are told apart "
        "by the diary's patient_id; those that name nobody are of its only person."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wearables", type=a_path, nargs="+", required=True)
        parser.add_argument("--diary", type=a_path, required=True, help="tidy CSV")
        parser.add_argument(
            "--zone",
            type=a_zone,
            help="all people's time zone, such as Europe/Berlin, where a file has none",
        )
        parser.add_argument(
            "--as-of", type=date.fromisoformat, help="default: each diary's last day"
        )
        parser.add_argument("--days", type=int, help="that end with it")
        parser.add_argument("--json", type=a_path, help="write the whole answer to it")

    def handle(self, *_args: Any, **options: Any) -> None:
        days = options["days"]
        asked = Asked(
            wearables=options["wearables"],
            diary=options["diary"],
            zone=options["zone"],
            as_of=options["as_of"],
            days=wiring.correlation_policy().days if days is None else days,
        )
        try:
            self._run(asked, options["json"])
        except KeyboardInterrupt:
            raise CommandError("stopped; nothing was kept", returncode=130) from None
        except AuditUnavailable as error:
            raise CommandError(f"{error}; run manage.py migrate first?") from error
        except DatabaseError as error:  # its own words may repeat what was asked
            told = "the database cannot be read; run manage.py migrate first?"
            raise CommandError(told) from error
        except DiaryUnreadable as error:
            raise CommandError(f"cannot read the diary: {error}") from error
        except (TwinError, OSError) as error:
            raise CommandError(str(error)) from error

    def _run(self, asked: Asked, output: Path | None) -> None:
        _require_on()
        if output:
            for path in (*asked.wearables, asked.diary):
                check_output(output, path)
        read = _read(asked)
        for line in file_lines(read, asked):
            self._say(line)
        if read.counts.total == 0 and read.counts.faults:
            raise CommandError("nothing of the wearable files can be read")
        told = [one.as_json() for one in self._answered(read, asked, output)]
        if output:
            whole = {"files": counted(read), "people": told}
            output.write_bytes(orjson.dumps(whole, option=orjson.OPT_INDENT_2) + b"\n")

    def _answered(
        self, read: FilesRead, asked: Asked, output: Path | None
    ) -> list[FileAnswer]:
        """All answers, printed; kept only where they are written, too."""
        kept = []
        found = answers(
            read,
            asked,
            models=wiring.models(),
            now=wiring.now(),
            timeout_s=wiring.correlation_policy().timeout_s,
        )
        for answer in found:
            _require_on()
            for line in answer_lines(answer):
                self._say(line)
            kept += [answer] if output else []
        return kept

    def _say(self, line: str) -> None:
        self.stdout.write(shown(line, self.stdout))


def _read(asked: Asked) -> FilesRead:
    """The files, with one audit row for all of them before anything is said."""
    files = len(asked.wearables) + 1
    try:
        read = read_files(asked, now=wiring.now(), policy=wiring.correlation_policy())
    except (DiaryUnreadable, OSError, TwinError) as error:
        _audit(Outcome.FAILED, files=files, error=type(error).__name__)
        raise
    counts = read.counts
    usable = counts.total > 0 or not counts.faults
    _audit(
        Outcome.SUCCESS if usable else Outcome.FAILED,
        files=files,
        faults=len(counts.faults),
        patients=len(read.people),
        used=counts.used,
    )
    return read


def _require_on() -> None:
    """Raise ServiceOff, with its row, where correlations are switched off by now."""
    try:
        require_on(SERVICE)
    except ServiceOff as off:
        _audit(Outcome.DENIED, error=type(off).__name__)
        raise


def _audit(outcome: Outcome, **detail: str | int) -> None:
    ledger.record(
        action=Action.CORRELATE,
        actor=Actor.of_command("correlate").name,
        outcome=outcome,
        detail=detail,
    )
