"""A patient, an operator who may do everything, and visits that tell their rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from django.http import HttpResponse
from django.test import Client

from backend.audit.models import AccessedPatient, AccessEvent
from backend.people.access import Actor, enrol
from backend.people.models import Patient, Site, User


@dataclass
class Rows:
    """What one request left: outcome, view and number of rows of each audit row."""

    answer: HttpResponse
    told: list[tuple[str, str, int]] = field(default_factory=list)
    patients: list[UUID] = field(default_factory=list)


Visit = Callable[..., Rows]


@pytest.fixture
def site() -> Site:
    return Site.objects.create(slug="s", name="S", ehr_url="http://127.0.0.1:1/fhir")


@pytest.fixture
def patient(site: Site) -> Patient:
    return enrol(actor=Actor.of_command("test"), site=site, ehr_id="ehr-1")


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss", password="correct-horse-battery")


@pytest.fixture
def visit(boss: User) -> Visit:
    """Ask for a page as the operator, or as somebody else."""
    own = Client()
    own.force_login(boss)

    def asked(path: str, form: dict | None = None, client: Client = own) -> Rows:
        before = AccessEvent.objects.count()
        answer = client.get(path) if form is None else client.post(path, form)
        seen = AccessEvent.objects.order_by("seq")[before:]
        details = [json.loads(row.detail) for row in seen]
        named = AccessedPatient.objects.filter(event__in=[row.pk for row in seen])
        return Rows(
            answer,
            [
                (row.outcome, one.get("view", ""), one.get("rows", 0))
                for row, one in zip(seen, details, strict=True)
            ],
            [one.patient for one in named.order_by("event", "position")],
        )

    return asked
