"""Users, sites and patients to ask the gate for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import pytest
from django.conf import settings

from backend.audit.models import AccessedPatient, AccessEvent
from backend.people import access, crypto
from backend.people.access import Actor
from backend.people.models import CareTeamMember, Patient, Site, User
from backend.twin.errors import EhrNotFound
from backend.twin.person import Person
from backend.twin.record import PatientRecord

DAYS = (date(2026, 1, 1), date(2026, 3, 1))
TODAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def _keys() -> Iterator[None]:
    own = settings.MINDTWIN
    crypto.configure(master_keys=own["MASTER_KEYS"], index_key=own["INDEX_KEY"])
    yield
    crypto.configure(master_keys=own["MASTER_KEYS"], index_key=own["INDEX_KEY"])


@pytest.fixture
def site() -> Site:
    return Site.objects.create(slug="north", name="North", ehr_url="http://127.0.0.1/f")


@pytest.fixture
def operator() -> Actor:
    return Actor.of_command("tests")


@pytest.fixture
def patient(site: Site, operator: Actor) -> Patient:
    return access.enrol(actor=operator, site=site, ehr_id="ehr-1")


@pytest.fixture
def clinician() -> User:
    return User.objects.create_user("clinician", password="a long password")


@dataclass
class FakeEhr:
    """Gives the record it was made with, or raises; knows `persons` by EHR id.

    Without any it knows everybody, and nothing about them.
    """

    record: PatientRecord = field(default_factory=lambda: PatientRecord(series=()))
    error: BaseException | None = None
    persons: dict[str, Person] = field(default_factory=dict)
    asked: list[tuple] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    days: set[date] = field(default_factory=set)

    def read_person(self, ehr_patient: str, *, on: date):
        self.met.append(ehr_patient)
        self.days.add(on)
        if self.persons and ehr_patient not in self.persons:
            raise EhrNotFound("none", status=404)
        return self.persons.get(ehr_patient, Person())

    def read_symptoms(self, ehr_patient: str, *, since: date, until: date, also=()):
        self.asked.append((ehr_patient, since, until, *also))
        if self.error:
            raise self.error
        return self.record


@pytest.fixture
def fake_ehr() -> type[FakeEhr]:
    return FakeEhr


@pytest.fixture
def pull(operator, patient, fake_ehr):
    """Pull from an EHR that says this of its patients; "1" is our patient there."""

    def pull(actor: Actor = operator, of: Patient = patient, **persons: Person):
        ehr = fake_ehr(persons={f"ehr-{key[1:]}": one for key, one in persons.items()})
        try:
            found = access.open_record(
                actor, of.pk, purpose="TREAT", ehr=lambda _: ehr, days=DAYS, today=TODAY
            )
        finally:
            pull.ehr = ehr
        return found

    return pull


@pytest.fixture
def clerk(clinician, patient) -> Actor:
    """A clinician of the patient's care team."""
    CareTeamMember.objects.create(user=clinician, patient=patient)
    return Actor.of_user(clinician)


def other(operator, site, number: int) -> Patient:
    return access.enrol(actor=operator, site=site, ehr_id=f"ehr-{number}")


def into(number: int) -> Person:
    return Person(replaced_by=f"ehr-{number}")


def last_row() -> tuple[str, str, dict, list]:
    row = AccessEvent.objects.filter(action="PULL").latest("seq")
    named = AccessedPatient.objects.filter(event=row).order_by("position")
    found = [one.patient for one in named]
    return row.action, row.outcome, json.loads(row.detail), found
