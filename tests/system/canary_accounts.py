"""Makes tables, a site, patients and an account for the canary test; prints our ids.

A program of its own, so that it runs under the installation's settings. It reads the
names in the EHR and the password from its input, never from its arguments.
"""

from __future__ import annotations

import json
import sys

import django

django.setup()

from django.contrib.auth.models import Permission  # noqa: E402
from django.core.management import call_command  # noqa: E402

from backend.jobs.demo import site_at  # noqa: E402
from backend.people.access import Actor, enrol  # noqa: E402
from backend.people.models import CareTeamMember, User  # noqa: E402


def main() -> None:
    """One clinician with one patient of their own, and a patient who is not theirs."""
    given = json.load(sys.stdin)
    call_command("migrate", verbosity=0)
    site = site_at(given["ehr"], slug="canary")
    actor = Actor.of_command("accounts")
    own, foreign = (enrol(actor=actor, site=site, ehr_id=one) for one in given["ids"])
    user = User.objects.create_user(
        "clinician", password=given["password"], is_staff=True
    )
    seen = ("view_patient", "view_alert", "view_prediction", "view_accessevent")
    user.user_permissions.set(Permission.objects.filter(codename__in=seen))
    CareTeamMember.objects.create(patient=own, user=user)
    made = {"own": own.pk, "foreign": foreign.pk, "clinician": user.pk}
    print(json.dumps({name: str(own_id) for name, own_id in made.items()}))


main()
