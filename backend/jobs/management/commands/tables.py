"""`manage.py tables`: are the tables of genes and medicines whole, and what changed?"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend.jobs.table_history import text_at
from backend.twin.pharmacogenomics.checked_table import TableReport
from backend.twin.pharmacogenomics.table_check import check_tables


class Command(BaseCommand):
    help = "Check the tables that advice on medicines is looked up in; 1 if not whole."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", default="HEAD", help="print the rows that changed since a commit"
        )

    def handle(self, *_: Any, since: str, **__: Any) -> None:
        reports = check_tables(partial(text_at, since))
        for report in reports:
            self._write(report, since)
        wrong = sum(len(report.problems) for report in reports)
        if wrong:
            raise CommandError(f"{wrong} problems in the tables")
        self.stdout.write(self.style.SUCCESS("The tables are whole."))

    def _write(self, report: TableReport, since: str) -> None:
        versions = ", ".join(report.versions)
        self.stdout.write(f"{report.name}: {report.rows} rows, version {versions}")
        for problem in report.problems:
            self.stdout.write(f"  PROBLEM  {problem}")
        if report.came is None:
            self.stdout.write(f"  not in {since}: all rows are new")
        for row in report.went or ():
            self.stdout.write(f"  - {row}")
        for row in report.came or ():
            self.stdout.write(f"  + {row}")
