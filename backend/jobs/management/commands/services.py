"""`manage.py services ...`: the kill switch of each service."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from backend.audit import ledger
from backend.audit.ledger import Action
from backend.people.access import Actor
from backend.registry.switches import SERVICES, switch, switches
from backend.twin.errors import AuditUnavailable


class Command(BaseCommand):
    help = "Switch a service off or on, for every process at its next request."

    def add_arguments(self, parser: ArgumentParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True)
        steps.add_parser("list", help="which are on")
        off = steps.add_parser("off", help="nothing of it is answered any more")
        off.add_argument("service", choices=SERVICES)
        off.add_argument("--reason", required=True, help="kept here, shown to nobody")
        on = steps.add_parser("on", help="answer again")
        on.add_argument("service", choices=SERVICES)
        on.add_argument("--reason", default="")

    def handle(self, *_args: Any, step: str, **options: Any) -> None:
        actor = Actor.of_command("services").name
        try:
            if step == "list":
                self._list(actor)
            else:
                self._switch(actor, on=step == "on", **options)
        except (AuditUnavailable, DatabaseError) as error:
            raise CommandError(f"{type(error).__name__}: nothing was done") from error
        except ValueError as error:
            raise CommandError(str(error)) from error

    def _list(self, actor: str) -> None:
        ledger.record(
            action=Action.LIST,
            actor=actor,
            purpose="HOPERAT",
            detail={"what": "services"},
        )
        for service, row in switches().items():
            if row is None or not row.off:
                self.stdout.write(f"{service}: on")
            else:
                self.stdout.write(
                    f"{service}: off since {row.since:%Y-%m-%d %H:%M} UTC by {row.by}: "
                    f"{row.reason}"
                )

    def _switch(
        self, actor: str, *, on: bool, service: str, reason: str, **_: Any
    ) -> None:
        switch(service, on=on, actor=actor, reason=reason)
        self.stdout.write(f"{service}: {'on' if on else 'off'}")
