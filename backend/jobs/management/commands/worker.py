"""Delivers what the outbox holds, and looks after the models, while it runs."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error, close_old_connections

from backend import wiring
from backend.jobs.model_checks import check_models
from backend.people.access import Actor
from backend.predictions import outbox
from backend.predictions.outbox import DeliveryReport
from backend.twin.errors import AuditUnavailable

BATCH = 20
PAUSE_S = 1.0  # while nothing is due
CHECK_S = 3600.0  # between two looks at what is served
LONGEST_PAUSE_S = 30.0  # while the database or the access log is down

log = logging.getLogger("mindtwin.worker")


class Command(BaseCommand):
    help = "Deliver stored forecasts to the EHRs; --once ends when nothing is due."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true")
        parser.add_argument(
            "--retry-failed",
            action="store_true",
            help="first have all that an EHR refused tried anew, also what had failed",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        stop = threading.Event()
        if threading.current_thread() is threading.main_thread():
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, lambda *_: stop.set())
        if options["retry_failed"]:
            self._requeue()
        pause_s = PAUSE_S
        self._check_at = time.monotonic()
        while not stop.is_set():
            try:
                self._check(once=options["once"])
                report = _deliver()
            except (AuditUnavailable, Error) as error:
                # Nothing left without its row; the lease brings the delivery back.
                self._down(error, once=options["once"])
                stop.wait(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                continue
            pause_s = PAUSE_S
            if report.delivered or report.failed:
                self._say(report)
            elif options["once"]:
                return
            else:
                stop.wait(PAUSE_S)

    def _check(self, *, once: bool) -> None:
        """At first and every hour: files, channels, known answers; a line a problem."""
        if once or time.monotonic() < self._check_at:
            return
        self._check_at = time.monotonic() + CHECK_S
        actor = Actor.of_command("worker").name
        for problem in check_models(actor=actor, thorough=False):
            log.error("models: %s", problem)

    def _requeue(self) -> None:
        """Somebody asked for this and is there to see that it failed."""
        try:
            count = outbox.requeue_failed(now=wiring.now())
        except (AuditUnavailable, Error) as error:
            raise CommandError(f"cannot retry: {type(error).__name__}") from error
        self.stdout.write(f"to be tried anew: {count}")

    def _down(self, error: Exception, *, once: bool) -> None:
        """The class alone: a database's words may quote what it was given."""
        what = f"cannot deliver: {type(error).__name__}"
        if once:
            raise CommandError(what) from error
        self.stderr.write(what)
        close_old_connections()  # the next round connects anew where one is broken

    def _say(self, report: DeliveryReport) -> None:
        self.stdout.write(
            f"delivered {report.delivered}, failed {report.failed}, "
            f"waiting {report.waiting}"
        )


def _deliver() -> DeliveryReport:
    return outbox.deliver_due(
        ehr=wiring.ehr_of,
        now=wiring.now,
        lease_s=wiring.lease_s(),
        limit=BATCH,
        owner=f"{socket.gethostname()}:{os.getpid()}",
    )
