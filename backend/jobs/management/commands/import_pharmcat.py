"""`manage.py import_pharmcat FILE...`: PharmCAT's files as lines of the file mode."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.jobs.import_lines import a_path, shown, why
from backend.jobs.imports import check_output
from backend.jobs.pharmcat_lines import input_line
from backend.people.access import Actor
from backend.twin.errors import AuditUnavailable
from fhir_integration.files.data_points import NotRead
from fhir_integration.files.pharmcat import GeneFile, read_pharmcat


class Command(BaseCommand):
    help = (
        "Read PharmCAT's files (phenotype or report JSON, or a TSV of outside calls), "
        "one person each, into lines for manage.py pharmacogenomics --input. The "
        "file's name without its ending is the id."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", type=a_path, nargs="+")
        parser.add_argument("--output", type=a_path, required=True, help="JSON lines")
        for name in ("medication", "current-medication"):
            parser.add_argument(
                f"--{name}", action="append", help="of everybody; may be repeated"
            )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            self._run(options)
        except AuditUnavailable as error:
            raise CommandError(f"{error}; run manage.py migrate first?") from error
        except OSError as error:
            raise CommandError(str(error)) from error

    def _run(self, options: dict[str, Any]) -> None:
        """Each file's audit row comes before anything that it holds is written."""
        files: list[Path] = options["files"]
        for path in files:
            check_output(options["output"], path)
        taken, current = options["medication"], options["current_medication"]
        lines = [
            input_line(path.stem, read, medications=taken, current=current)
            for path in files
            if (read := self._read(path)) is not None
        ]
        if not lines:
            raise CommandError("nothing of these files can be read")
        options["output"].write_bytes(b"".join(lines))
        self.stdout.write(f"{len(lines)} people -> {options['output']}")

    def _read(self, path: Path) -> GeneFile | None:
        """What a file holds, said in counts; None where it cannot be read."""
        try:
            read = read_pharmcat(path.read_bytes())
        except NotRead as error:
            _audit(Outcome.FAILED)
            self.stdout.write(shown(f"not read: {path}: {error}", self.stdout))
            return None
        _audit(Outcome.SUCCESS, used=len(read.calls))
        refused = why(Counter(str(one.reason) for one in read.refused))
        told = f"{path}: {len(read.calls)} calls; refused: {refused}"
        self.stdout.write(shown(told, self.stdout))
        return read


def _audit(outcome: Outcome, **detail: int) -> None:
    ledger.record(
        action=Action.FILE,
        actor=Actor.of_command("import_pharmcat").name,
        outcome=outcome,
        detail={"files": 1, **detail},
    )
