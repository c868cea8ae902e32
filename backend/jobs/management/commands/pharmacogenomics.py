"""`manage.py pharmacogenomics`: advice on medicines for a file of genotypes."""

from __future__ import annotations

import time
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.jobs.import_lines import a_path
from backend.jobs.imports import check_output
from backend.jobs.pharmacogenomics import Input, Scoring, count, write_answers
from backend.jobs.pharmacogenomics_response import response_model
from backend.people.access import Actor
from backend.registry.switches import require_on
from backend.twin.errors import AuditUnavailable, ServiceOff, TwinError
from backend.twin.pharmacogenomics.response import ResponsePolicy

SERVICE = "pharmacogenomics"
SILENT_S, EVERY_S = 2.0, 1.0  # before the first line of progress, between two


class Command(BaseCommand):
    help = (
        "Advice on medicines for genotypes: a JSON line per person in, one out. "
        "Nothing is stored; the same command goes on where a run was cut off."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--input", type=a_path, required=True, help="JSON lines")
        parser.add_argument("--output", type=a_path, required=True, help="JSON lines")
        parser.add_argument(
            "--response", action="store_true", help="ask the response model, too"
        )
        parser.add_argument(
            "--least-confidence",
            type=_share,
            default=ResponsePolicy().least_confidence,
            help="of a figure of the model that is told (0 to 1; default: %(default)s)",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            least = options["least_confidence"] if options["response"] else None
            self._run(options["input"], options["output"], least)
        except KeyboardInterrupt:
            again = "stopped; the same command goes on where this one was"
            raise CommandError(again, returncode=130) from None
        except AuditUnavailable as error:
            raise CommandError(f"{error}; run manage.py migrate first?") from error
        except DatabaseError as error:  # its own words may repeat what was asked
            told = "the database cannot be read; run manage.py migrate first?"
            raise CommandError(told) from error
        except (TwinError, OSError) as error:
            raise CommandError(str(error)) from error

    def _run(self, path: Path, output: Path, least: float | None) -> None:
        """The audit row comes before anything that the file asks is answered."""
        _require_on()
        check_output(output, path)
        model = None if least is None else response_model(least)
        try:
            source = count(path)
        except OSError:
            _audit(Outcome.FAILED)
            raise
        _audit(Outcome.SUCCESS, patients=source.lines)
        self._write(source, output, model)
        self.stdout.write(f"{source.lines} lines -> {output}")

    def _write(self, source: Input, output: Path, model: Scoring | None) -> None:
        """Say how far it is, where it takes long."""
        begun = said = time.monotonic()
        first: int | None = None
        for done in write_answers(source, output, model=model):
            _require_on()
            if first is None and done:
                self.stderr.write(f"going on after {done} lines that are answered")
            first = done if first is None else first
            now = time.monotonic()
            if now - begun >= SILENT_S and now - said >= EVERY_S:
                said = now
                rate = (done - first) / (now - begun)
                self.stderr.write(
                    f"{done} of {source.lines} lines, {rate:,.0f} a second"
                )


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise ArgumentTypeError("a share is from 0 to 1")
    return share


def _require_on() -> None:
    """Raise ServiceOff, with its row, where the service is switched off by now."""
    try:
        require_on(SERVICE)
    except ServiceOff as off:
        _audit(Outcome.DENIED, error=type(off).__name__)
        raise


def _audit(outcome: Outcome, **detail: str | int) -> None:
    ledger.record(
        action=Action.FILE,
        actor=Actor.of_command(SERVICE).name,
        outcome=outcome,
        detail=detail,
    )
