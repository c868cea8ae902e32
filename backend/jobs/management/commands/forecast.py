"""One patient's forecast, or the forecasts of a whole diary file."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from backend import wiring
from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.jobs.chart import chart
from backend.jobs.diary import Diary, DiaryUnreadable, read_diary, remarks
from backend.jobs.series import Ensemble, write_forecasts
from backend.people.access import Actor
from backend.predictions.asking import asker
from backend.predictions.ensemble import approved
from backend.predictions.services import SERVICE, forecast_symptoms
from backend.registry.switches import require_on
from backend.twin.errors import AuditUnavailable, NotVisible, ServiceOff, TwinError

PROGRESS_EVERY = 10  # patients


class Command(BaseCommand):
    help = "Forecast one patient (--patient) or a tidy diary file (--series, --output)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--patient", type=UUID, help="our id of the patient")
        what.add_argument(
            "--series", type=Path, help="tidy diary CSV; nothing is stored"
        )
        parser.add_argument("--output", type=Path, help="CSV to write, with --series")
        parser.add_argument("--as-of", type=date.fromisoformat, help="default: today")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["series"] and not options["output"]:
            raise CommandError("--series needs --output FILE.csv")
        if options["series"] and options["as_of"]:
            raise CommandError("--as-of goes with --patient: a file ends where it ends")
        try:
            if options["patient"]:
                self._patient(options["patient"], options["as_of"])
            else:
                self._series(options["series"], options["output"])
        except NotVisible as error:
            raise CommandError("no such patient") from error
        except AuditUnavailable as error:
            raise CommandError(f"{error}; run manage.py migrate first?") from error
        except DatabaseError as error:  # its own words may repeat what was asked
            told = "the database cannot be read; run manage.py migrate first?"
            raise CommandError(told) from error
        except (TwinError, OSError) as error:
            raise CommandError(str(error)) from error

    def _patient(self, patient: UUID, as_of: date | None) -> None:
        stored = forecast_symptoms(
            actor=Actor.of_command("forecast"),
            patient_id=patient,
            as_of=as_of,
            ehr=wiring.ehr_of,
            models=wiring.models(),
            now=wiring.now,
            policy=wiring.forecast_policy(),
        )
        self.stdout.write(f"prediction {stored.id}")
        for item in stored.instruments:
            forecast = item.forecast
            self.stdout.write(f"{forecast.scale.title}: reliability {forecast.grade}")
            for line in chart(forecast):
                self.stdout.write(line)

    def _series(self, source: Path, output: Path) -> None:
        actor = Actor.of_command("forecast")
        _require_on(actor)
        try:
            diary = read_diary(source, today=wiring.now().date())
        except (DiaryUnreadable, OSError) as error:
            ledger.record(action=Action.FILE, actor=actor.name, outcome=Outcome.FAILED)
            raise CommandError(f"cannot read the diary: {error}") from error
        ledger.record(
            action=Action.FILE,
            actor=actor.name,
            detail={"patients": len(diary.patients)},
        )
        for done, _ in enumerate(
            write_forecasts(diary, output, ensemble=_ensemble()), start=1
        ):
            _require_on(actor)
            if done % PROGRESS_EVERY == 0:
                self.stderr.write(f"{done} of {len(diary.patients)} patients")
        self._summary(diary, output)

    def _summary(self, diary: Diary, output: Path) -> None:
        self.stdout.write(
            f"{len(diary.patients)} patients, {len(diary.symptoms)} symptoms "
            f"-> {output}"
        )
        for remark in remarks(diary):
            self.stdout.write(remark)


def _require_on(actor: Actor) -> None:
    """Raise ServiceOff, with its row, where forecasts are switched off by now."""
    try:
        require_on(SERVICE)
    except ServiceOff as off:
        ledger.record(
            action=Action.FILE,
            actor=actor.name,
            outcome=Outcome.DENIED,
            detail={"error": type(off).__name__},
        )
        raise


def _ensemble() -> Ensemble:
    policy = wiring.forecast_policy()
    models = wiring.models()
    uses = approved(policy.weights)
    return Ensemble(
        ask_all=asker(models, uses, timeout_s=policy.timeout_s),
        weights=policy.weights,
        uses=uses,
    )
