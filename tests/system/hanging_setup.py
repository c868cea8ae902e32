"""Makes a clinician, a patient and a stored forecast; then the site's EHR moves.

A program of its own, so that it runs under the installation's settings. Arguments: the
EHR that works and the one that hangs. Prints a token, our patient and the forecast.
"""

from __future__ import annotations

import json
import sys

import django

django.setup()

from knox.models import AuthToken  # noqa: E402

from backend import wiring  # noqa: E402
from backend.jobs import demo  # noqa: E402
from backend.people.access import Actor  # noqa: E402
from backend.people.models import CareTeamMember, User  # noqa: E402
from backend.twin.simulation.demo import demo_records  # noqa: E402


def main(working: str, hanging: str) -> None:
    """One of the demo's patients is enough."""
    actor, today = Actor.of_command("setup"), wiring.now().date()
    label, record = next(iter(demo_records(today).items()))
    site = demo.site_at(working, slug="hanging")
    people = list(demo.put_in(site, {label: record}, actor=actor, as_of=today))
    ((person, stored),) = demo.forecast_each(people, actor=actor)
    user = User.objects.create_user("clinician", password="correct-horse-battery")
    CareTeamMember.objects.create(patient=person.patient, user=user)
    _, token = AuthToken.objects.create(user)
    demo.site_at(hanging, slug="hanging")
    made = {"token": token, "patient": person.patient.pk, "forecast": stored.id}
    print(json.dumps({name: str(value) for name, value in made.items()}))


main(*sys.argv[1:])
