"""`manage.py import_wearables FILE...`: what do a wearable's files hold?"""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import tzinfo
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backend import wiring
from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.jobs import imports, wearables
from backend.jobs.import_lines import a_path, a_zone, lines, shown
from backend.jobs.wearables import Wearables
from backend.people.access import Actor
from backend.twin.errors import AuditUnavailable
from fhir_integration.files.local_clock import Clock
from fhir_integration.files.spool import SpoolMismatch


class Command(BaseCommand):
    help = (
        "Read wearable files (CSV, IEEE 1752.1 or Open mHealth JSON; told by content) "
        "and say of every row whether it is used, or why not. Nothing is stored."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "files", type=a_path, nargs="+", help="packed by gzip or not"
        )
        parser.add_argument(
            "--zone",
            type=a_zone,
            help="the person's time zone, such as Europe/Berlin, where a file has none",
        )
        parser.add_argument("--json", type=a_path, help="write the report to it")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            self._run(options["files"], options["zone"], output=options["json"])
        except KeyboardInterrupt:
            raise CommandError("stopped; nothing was kept", returncode=130) from None
        except AuditUnavailable as error:
            raise CommandError(f"{error}; run manage.py migrate first?") from error
        except (SpoolMismatch, OSError) as error:
            raise CommandError(str(error)) from error

    def _run(
        self, paths: list[Path], zone: tzinfo | None, *, output: Path | None
    ) -> None:
        """The audit rows come before anything that the files hold is said."""
        if output:
            for path in paths:
                imports.check_output(output, path)
        clock = Clock(zone)
        with wearables.reading(
            paths, clock=clock, today=wiring.now().date(), say=self._say
        ) as found:
            _audit(found)
            for line in (*wearables.hints(found, clock), *lines(found.report)):
                self._say(line)
            if output:
                imports.write_json(found.report, output)
        if found.report.is_only_faults:
            raise CommandError("nothing of these files can be read")

    def _say(self, line: str) -> None:
        self.stdout.write(shown(line, self.stdout))


def _audit(found: Wearables) -> None:
    """One row a file, with counts alone."""
    actor = Actor.of_command("import_wearables").name
    for number, count in enumerate(found.files):
        ledger.record(
            action=Action.FILE,
            actor=actor,
            outcome=Outcome.FAILED if number in found.faulty else Outcome.SUCCESS,
            detail={"files": 1, "resources": count.points, "used": count.used},
        )
