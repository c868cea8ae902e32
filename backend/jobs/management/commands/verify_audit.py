"""`manage.py verify_audit`: is the access log as it was written?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend.audit import chain, ledger
from backend.audit.ledger import Action, Outcome
from backend.audit.verify import Report, verify
from backend.people.access import Actor
from backend.twin.errors import AuditUnavailable


class Command(BaseCommand):
    help = "Read the whole access log and report every edit, deletion and cut tail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--anchor-again",
            action="store_true",
            help=(
                "Write the anchor file anew from the database as it is. Only after a "
                "restore that you made yourself; the log keeps a row that says so."
            ),
        )

    def handle(self, *_: Any, anchor_again: bool, **__: Any) -> None:
        report = verify()
        for problem in report.problems:
            self.stdout.write(f"PROBLEM  {problem}")
        if anchor_again:
            chain.anchor_again(ledger.current().anchor)
            self.stdout.write("The anchor was written anew.")
        self._record(report, anchored_again=anchor_again)
        self.stdout.write(
            f"{report.rows} rows read, {report.unanchored} not anchored yet"
        )
        if report.problems:
            raise CommandError(f"{len(report.problems)} problems in the access log")
        self.stdout.write(self.style.SUCCESS("The access log is whole."))

    def _record(self, report: Report, *, anchored_again: bool) -> None:
        """The check is an event too; a broken log must not keep its report back."""
        try:
            ledger.record(
                action=Action.VERIFY,
                actor=Actor.of_command("verify_audit").name,
                outcome=Outcome.FAILED if report.problems else Outcome.SUCCESS,
                purpose="HOPERAT",
                detail={
                    "rows": report.rows,
                    "problems": len(report.problems),
                    "anchored_again": int(anchored_again),
                },
            )
        except AuditUnavailable as error:
            self.stderr.write(str(error))
