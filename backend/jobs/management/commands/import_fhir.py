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
from backend.jobs.import_lines import a_path, lines, shown
from backend.jobs.sandbox_process import SandboxFailed
from backend.people.access import Actor
from backend.twin.errors import AuditUnavailable, TwinError
from fhir_integration.files.importing import Options
from fhir_integration.files.listing import SUFFIXES, NothingToRead
from fhir_integration.files.spool import SpoolMismatch


class Command(BaseCommand):
    help = "Read FHIR files and say of every resource whether it is used, or why not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=a_path, help=f"folder or file ({SUFFIXES})")
        parser.add_argument(
            "--into-sandbox",
            action="store_true",
            help="also put the resources into the sandbox EHR of the demo",
        )
        parser.add_argument("--json", type=a_path, help="write the report to it")
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
            self._run(options)
        except KeyboardInterrupt:
            again = "stopped; the same command goes on where this one was"
            raise CommandError(again, returncode=130) from None
        except (NothingToRead, SpoolMismatch) as error:
            _audit(Outcome.FAILED, {})
            raise CommandError(f"cannot import: {error}") from error
        except AuditUnavailable as error:
            raise CommandError(f"{error}; run manage.py migrate first?") from error
        except (TwinError, SandboxFailed, OSError) as error:
            raise CommandError(str(error)) from error

    def _run(self, options: dict[str, Any]) -> None:
        path, output = options["path"], options["json"]
        if output:
            imports.check_output(output, path)
        own = Options(base_url=options["base_url"], besides=output)
        self._report(path, own, fresh=options["fresh"], output=output)
        if options["into_sandbox"]:
            today = wiring.now().date()
            done = imports.fill_sandbox(path, today=today, options=own, say=self._say)
            self._say(imports.loaded(done))

    def _report(
        self, path: Path, own: Options, *, fresh: bool, output: Path | None
    ) -> None:
        """The audit row comes before anything that the files hold is said."""
        with imports.reading(
            path, today=wiring.now().date(), options=own, fresh=fresh, say=self._say
        ) as report:
            _audit(Outcome.SUCCESS, imports.totals(report))
            for line in lines(report):
                self._say(line)
            if output:
                imports.write_json(report, output)
        if report.is_only_faults:
            raise CommandError("nothing of these files can be read")

    def _say(self, line: str) -> None:
        self.stdout.write(shown(line, self.stdout))


def _audit(outcome: Outcome, detail: dict[str, int]) -> None:
    """One row a run, with counts alone."""
    actor = Actor.of_command("import_fhir").name
    ledger.record(action=Action.FILE, actor=actor, outcome=outcome, detail=detail)
