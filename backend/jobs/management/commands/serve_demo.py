"""Leaves the sandbox EHR, the site and the worker running, with demo accounts."""

from __future__ import annotations

import json
import secrets
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from backend import wiring
from backend.jobs import demo
from backend.jobs.sandbox_process import SandboxFailed, sandbox
from backend.people.access import Actor
from backend.people.models import CareTeamMember, User
from backend.twin.simulation.demo import demo_records
from backend.twin.simulation.treatment_demo import treatment_records
from backend.twin.simulation.wearable_demo import wearable_records

LOOK_EVERY_S = 0.5  # at whether site and worker still run
SEEN_BY_CLINICIANS = ("view_patient", "view_prediction", "view_alert")


class Command(BaseCommand):
    help = "Run EHR, site and worker with demo accounts until interrupted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8080)

    def handle(self, *_args: Any, **options: Any) -> None:
        if not wiring.demo_allowed():
            raise CommandError("demo accounts are refused under these settings")
        port = options["port"]
        _refuse_taken(port)
        for name in (signal.SIGTERM, signal.SIGHUP):  # end the children like Ctrl-C
            signal.signal(name, signal.default_int_handler)
        call_command("collectstatic", interactive=False, verbosity=0)
        try:
            with suppress(KeyboardInterrupt), ExitStack() as stack:
                # An EHR and a site of its own: `make demo` may run beside it.
                url = stack.enter_context(sandbox(wiring.var() / "serve.ndjson"))
                passwords = _people(url)
                running = {
                    name: stack.enter_context(_running(command))
                    for name, command in _commands(port).items()
                }
                self._welcome(port, url, passwords)
                _wait(running)
        except SandboxFailed as error:
            raise CommandError(str(error)) from error

    def _welcome(self, port: int, url: str, passwords: dict[str, str]) -> None:
        site = f"http://127.0.0.1:{port}"
        say = self.stdout.write
        say(f"site    {site}/admin/ and {site}/api/v1/docs")
        say(f"EHR     {url} (sandbox, simulated patients)")
        for name, password in passwords.items():
            say(f"account {name}  password {password}")
        say("token   curl -s -H 'Content-Type: application/json' \\")
        account = {"username": "clinician", "password": passwords["clinician"]}
        say(f"          -d '{json.dumps(account)}' {site}/api/v1/tokens")
        say(f"then    curl -s -H 'Authorization: Token <token>' {site}/api/v1/patients")
        say("Ctrl-C ends everything; passwords are made anew at each start.")


def _people(url: str) -> dict[str, str]:
    """Simulated patients with their answers, and accounts with new passwords."""
    today = wiring.now().date()
    actor = Actor.of_command("serve_demo")
    site = demo.site_at(url, slug="serve")
    records = {
        **demo_records(today),
        **wearable_records(today),
        **treatment_records(),
    }
    people = list(demo.put_in(site, records, actor=actor, as_of=today))
    list(demo.forecast_each(people, actor=actor))
    list(demo.correlate_each(people, actor=actor))
    list(demo.advise_each(people, actor=actor))
    passwords = {
        "clinician": _account("clinician", is_superuser=False),
        "operator": _account("operator", is_superuser=True),
    }
    clinician = User.objects.get(username="clinician")
    clinician.user_permissions.set(
        Permission.objects.filter(codename__in=SEEN_BY_CLINICIANS)
    )
    for person in people:
        CareTeamMember.objects.get_or_create(patient=person.patient, user=clinician)
    return passwords


def _account(name: str, *, is_superuser: bool) -> str:
    """Make the account anew usable; returns its new password."""
    user, _ = User.objects.get_or_create(username=name)
    user.is_staff, user.is_superuser = True, is_superuser
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save()
    return password


def _commands(port: int) -> dict[str, list[str]]:
    """The processes that run beside the EHR, by name."""
    site = ["gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    # Its control socket would lie in the home folder, outside of this installation.
    site += ["--threads", "4", "--log-level", "warning", "--no-control-socket"]
    return {
        "site": [sys.executable, "-m", *site, "backend.wsgi"],
        "worker": [sys.executable, "-m", "django", "worker"],
    }


@contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command)  # noqa: S603 - our own commands
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(running: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Until Ctrl-C. Raises CommandError when a child ends: half a demo misleads."""
    while True:
        for name, process in running.items():
            if process.poll() is not None:
                raise CommandError(
                    f"the {name} ended by itself (status {process.returncode}); "
                    "its last lines above say why"
                )
        time.sleep(LOOK_EVERY_S)


def _refuse_taken(port: int) -> None:
    """Before anything is changed: a site that runs there keeps its passwords."""
    with socket.socket() as asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            asked.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandError(
                f"port {port} is taken; name another, PORT=..."
            ) from error
