"""Leaves NVIDIA's Triton running on this installation's models."""

from __future__ import annotations

import secrets
import signal
import time
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backend import wiring
from backend.inference.catalogue import read_catalogue
from backend.inference.triton_process import TritonOptions, TritonProcess, verified
from backend.twin.errors import ModelError

ROOT = Path(__file__).resolve().parents[4]
LOOK_EVERY_S = 0.2


class Command(BaseCommand):
    help = "NVIDIA's Triton on the verified models, on loopback, until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8001, help="of gRPC")
        parser.add_argument("--metrics-port", type=int, default=8002)
        parser.add_argument("--venv", type=Path, default=ROOT / ".triton")
        parser.add_argument("--admin-key", help="for model control; default: a new one")

    def handle(self, *_args: Any, **options: Any) -> None:
        # End the server like Ctrl-C, which a shell has its background jobs ignore.
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.default_int_handler)
        key = options["admin_key"] or secrets.token_urlsafe(24)
        repository = wiring.model_repository().absolute()
        try:
            found = read_catalogue(repository, trusted=wiring.trusted())
            server = TritonProcess(
                TritonOptions(
                    repository=repository,
                    venv=options["venv"].absolute(),
                    folder=wiring.var() / "triton",
                    models=verified(found),
                    grpc_port=options["port"],
                    metrics_port=options["metrics_port"],
                    admin_key=key,
                )
            )
            for one in found:
                if not one.verified:
                    self.stderr.write(f"not loaded: {one.problem}")
            with suppress(KeyboardInterrupt), server:
                self._welcome(server, key)
                while server.runs:
                    time.sleep(LOOK_EVERY_S)
                raise CommandError(f"Triton ended by itself; {server.log} says why")
        except (ModelError, ValueError) as error:
            raise CommandError(str(error)) from error

    def _welcome(self, server: TritonProcess, key: str) -> None:
        say = self.stdout.write
        say(f"Triton  {server.grpc_url} (gRPC)")
        say(f"metrics {server.metrics_url}")
        for model, versions in server.options.models.items():
            say(f"serves  {model} {', '.join(map(str, versions))}")
        say("use it  in another shell, before any other command of MindTwin:")
        say(f"          export MINDTWIN_TRITON_URL={server.grpc_url}")
        say(f"          export MINDTWIN_TRITON_ADMIN_KEY={key}")
        say("The key loads and unloads models; every local user can see it in the")
        say("process list. Ctrl-C ends Triton.")
