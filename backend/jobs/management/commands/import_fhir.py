"""`manage.py import_fhir PATH`: what do these files hold, and what of it is usable?"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backend import wiring
from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.jobs import imports
from backend.jobs.sandbox_process import SandboxFailed
from backend.people.access import Actor
from backend.twin.errors import AuditUnavailable, TwinError
from fhir_integration.files.importing import Options
from fhir_integration.files.listing import NothingToRead
from fhir_integration.files.spool import SpoolMismatch


class Command(BaseCommand):
    help = "Read FHIR files and say of every resource whether it is used, or why not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="folder or file: .json, .ndjson")
        parser.add_argument(
            "--into-sandbox",
            action="store_true",
            help="also put the resources into the sandbox EHR of the demo",
        )
        parser.add_argument("--json", type=Path, help="write the report to this file")
        parser.add_argument(
            "--base-url",
            default="",
            help="the source's FHIR base URL, where its files use absolute references",
        )
        parser.add_argument(
            "--fresh",
            action="store_true",
            help="start anew, whatever a run that was cut off has left behind",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["into_sandbox"] and not wiring.demo_allowed():
            raise CommandError("there is no sandbox EHR under these settings")
        try:
            self._report(options)
            if options["into_sandbox"]:
                self._fill(options["path"])
        except (NothingToRead, SpoolMismatch) as error:
            _audit(Outcome.FAILED, {})
            raise CommandError(f"cannot import: {error}") from error
        except AuditUnavailable as error:
            raise CommandError(f"{error}; run manage.py migrate first?") from error
        except (TwinError, SandboxFailed, OSError) as error:
            raise CommandError(str(error)) from error

    def _report(self, options: dict[str, Any]) -> None:
        """The audit row comes before anything that the files hold is said."""
        with imports.reading(
            options["path"],
            today=wiring.now().date(),
            options=Options(base_url=options["base_url"]),
            fresh=options["fresh"],
            say=self.stdout.write,
        ) as report:
            _audit(Outcome.SUCCESS, imports.totals(report))
            for line in imports.lines(report):
                self.stdout.write(line)
            if options["json"]:
                imports.write_json(report, options["json"])

    def _fill(self, path: Path) -> None:
        done = imports.fill_sandbox(
            path, today=wiring.now().date(), say=self.stdout.write
        )
        self.stdout.write(
            f"In the sandbox EHR: {done.sent} resources of {len(done.patients)} "
            f"patients; {done.left_out} left out (no patient, another FHIR version, "
            "or not the newest)"
        )


def _audit(outcome: Outcome, detail: dict[str, int]) -> None:
    """One row a run, with counts alone."""
    actor = Actor.of_command("import_fhir").name
    ledger.record(action=Action.FILE, actor=actor, outcome=outcome, detail=detail)
