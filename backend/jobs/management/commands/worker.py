"""Delivers what the outbox holds, for as long as it runs."""

from __future__ import annotations

import os
import signal
import socket
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from backend import wiring
from backend.predictions import outbox

BATCH = 20
PAUSE_S = 1.0


class Command(BaseCommand):
    help = "Deliver stored forecasts to the EHRs; --once ends when nothing is due."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        stop = threading.Event()
        if threading.current_thread() is threading.main_thread():
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, lambda *_: stop.set())
        owner = f"{socket.gethostname()}:{os.getpid()}"
        while not stop.is_set():
            report = outbox.deliver_due(
                ehr=wiring.ehr_of,
                now=wiring.now,
                lease_s=wiring.lease_s(),
                limit=BATCH,
                owner=owner,
            )
            if report.delivered or report.failed:
                self.stdout.write(
                    f"delivered {report.delivered}, failed {report.failed}, "
                    f"waiting {report.waiting}"
                )
            elif options["once"]:
                return
            else:
                stop.wait(PAUSE_S)
