"""A process that handles a record full of canaries, then ends without tidying up."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from uuid import uuid4

import django

django.setup()

from django.contrib.auth import authenticate  # noqa: E402
from django.core.management import call_command  # noqa: E402

from backend.audit import ledger  # noqa: E402
from backend.audit.ledger import Action  # noqa: E402
from backend.people import access, crypto  # noqa: E402
from backend.people.access import Actor  # noqa: E402
from backend.people.models import Site, User  # noqa: E402
from backend.people.reads import Reads  # noqa: E402
from backend.twin.errors import EhrUnavailable, NotVisible  # noqa: E402
from backend.twin.measures import measures  # noqa: E402
from backend.twin.person import Person  # noqa: E402
from backend.twin.record import Entry, PatientRecord, Series  # noqa: E402
from backend.twin.scales import local_scale  # noqa: E402
from backend.twin.streams import Rows, stream  # noqa: E402

CANARY = sys.argv[1]
DAY = date(2026, 3, 1)


class Ehr:
    """Answers with canaries in every text of the record, or in its error."""

    def __init__(self, *, up: bool) -> None:
        self.up = up

    def read_person(self, ehr_patient: str, *, on: date):
        return Person(replaces=(f"{CANARY}-old",) if ehr_patient == CANARY else ())

    def read_symptoms(self, ehr_patient: str, *, since: date, until: date, also=()):
        assert also == (f"{CANARY}-old",)
        assert ehr_patient == CANARY
        if not self.up:
            raise EhrUnavailable(f"{CANARY} is down")
        scale = local_scale(CANARY, system=f"urn:{CANARY}", low=0, high=10)
        entry = Entry(day=since, value=4.0, source=f"Observation/{CANARY}")
        return PatientRecord(series=(Series(scale, (entry,)),))

    def read_signals(self, ehr_patient: str, *, since: date, until: date, also=()):
        found = self.read_symptoms(ehr_patient, since=since, until=until, also=also)
        rows = Rows([0], [0.0], [0], [0], [60.0], [f"Observation/{CANARY}"], [0])
        pulse, _ = stream(measures()["heart-rate"], rows)
        return replace(found, streams=(pulse,))


def main(folder: Path) -> None:
    call_command("migrate", verbosity=0)
    ledger.configure(key=b"k" * 32, anchor=folder / "audit.anchor", grouped=True)
    crypto.configure(master_keys={"m": b"m" * 32}, index_key=b"i" * 32)
    operator = Actor.of_command("canaries")
    site = Site.objects.create(slug="positive-control", ehr_url="http://127.0.0.1/")
    patient = access.enrol(actor=operator, site=site, ehr_id=CANARY)
    for up, reads in product((True, False), (Reads.SYMPTOMS, Reads.SIGNALS)):
        with suppress(EhrUnavailable):
            access.open_record(
                operator,
                patient.pk,
                purpose="TREAT",
                ehr=lambda _, up=up: Ehr(up=up),
                days=(DAY, DAY),
                today=DAY,
                reads=reads,
            )
    user = User.objects.create_user("user", password=CANARY)
    authenticate(None, username=CANARY, password=CANARY)
    with suppress(NotVisible):
        access.open_patient(Actor.of_user(user), uuid4(), action=Action.READ)
    access.list_patients(operator)
    patient.ehr_id_sealed = crypto.seal(
        patient, table="t", column="c", row=1, plain=CANARY.encode() * 50
    )
    patient.save()
    os._exit(0)  # as a kill would: the WAL stays as it is


main(Path(os.environ["MINDTWIN_VAR"]))
