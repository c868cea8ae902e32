"""`manage.py opt_out PATIENT`: nothing of this patient's is used any more."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from backend.people.access import Actor
from backend.people.opting_out import set_opted_out
from backend.twin.errors import AuditUnavailable, NotVisible


class Command(BaseCommand):
    help = "Pull, show and deliver nothing of a patient any more; --undo takes it back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("patient", type=UUID, help="our id of the patient")
        parser.add_argument("--undo", action="store_true")

    def handle(self, *_args: Any, patient: UUID, undo: bool, **_options: Any) -> None:
        actor = Actor.of_command("opt_out")
        try:
            set_opted_out(actor=actor, patient_id=patient, opted_out=not undo)
        except NotVisible as error:
            raise CommandError("no such patient") from error
        except AuditUnavailable as error:
            raise CommandError(f"{error}; nothing was changed") from error
        self.stdout.write("opted in again" if undo else "opted out")
