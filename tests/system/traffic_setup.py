"""Makes a clinician, their token and copies of the demo's patients in the EHR given.

A program of its own, so that it runs under the installation's settings. Prints the
token, our patients and the last day that their diaries know.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import django

django.setup()

from knox.models import AuthToken  # noqa: E402

from backend import wiring  # noqa: E402
from backend.jobs import demo  # noqa: E402
from backend.people.access import Actor  # noqa: E402
from backend.people.models import CareTeamMember, User  # noqa: E402
from backend.twin.simulation.demo import demo_records  # noqa: E402

DAYS = 60
DAILY = ("patient-1", "patient-2", "patient-3", "patient-5")  # 4 has too few entries


def main(ehr: str, copies: str) -> None:
    """Patients with one daily diary each, so that every forecast needs the models."""
    actor, today = Actor.of_command("setup"), wiring.now().date()
    site = demo.site_at(ehr, slug="traffic")
    known = demo_records(today, DAYS)
    records = {
        f"{one}-{n}": replace(known[one], series=known[one].series[:1])
        for one in DAILY
        for n in range(int(copies))
    }
    user = User.objects.create_user("clinician", password="correct-horse-battery")
    people = list(demo.put_in(site, records, actor=actor, as_of=today))
    for person in people:
        CareTeamMember.objects.create(patient=person.patient, user=user)
    _, token = AuthToken.objects.create(user)
    patients = [str(person.patient.pk) for person in people]
    print(json.dumps({"token": token, "patients": patients, "day": str(today)}))


main(*sys.argv[1:])
