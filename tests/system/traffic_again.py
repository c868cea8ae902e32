"""Makes forecasts anew with the models in this process; stores nothing.

A program of its own, so that it runs under the installation's settings. The argument
is a file of [patient, day]; prints the quantiles of every instrument.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import UUID

os.environ.pop("MINDTWIN_TRITON_URL", None)

import django

django.setup()

from django.db import transaction  # noqa: E402

from backend import wiring  # noqa: E402
from backend.people.access import Actor  # noqa: E402
from backend.predictions.services import forecast_symptoms  # noqa: E402


def again(patient: str, day: str) -> list[object]:
    """One request; the stored answer is not good enough here."""
    policy = replace(wiring.forecast_policy(), fresh_hours=0)
    made = forecast_symptoms(
        actor=Actor.of_command("again"),
        patient_id=UUID(patient),
        as_of=date.fromisoformat(day),
        ehr=wiring.ehr_of,
        models=wiring.models(),
        now=wiring.now,
        policy=policy,
    )
    return [one.forecast.quantiles for one in made.instruments]


def main(asked: str) -> None:
    """All of it, in a transaction that is undone."""
    with transaction.atomic():
        pairs = json.loads(Path(asked).read_text())
        print(json.dumps([again(patient, day) for patient, day in pairs]))
        transaction.set_rollback(True)


main(sys.argv[1])
