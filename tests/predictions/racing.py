"""Forecasts for some patients at once, then workers that race for the deliveries.

Started by test_racing.py as its own program, on a real database that several threads
and connections share. Prints one JSON line.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

from backend import wiring  # noqa: E402
from backend.audit.verify import verify  # noqa: E402
from backend.people import access  # noqa: E402
from backend.people.access import Actor  # noqa: E402
from backend.people.models import Site  # noqa: E402
from backend.predictions.models import (  # noqa: E402
    InputCount,
    OutboxItem,
    Prediction,
    ShadowAnswer,
)
from backend.predictions.outbox import deliver_due  # noqa: E402
from backend.predictions.policy import ForecastPolicy  # noqa: E402
from backend.predictions.services import forecast_symptoms  # noqa: E402
from backend.registry.models import Channel, ModelRelease  # noqa: E402
from backend.registry.services import register  # noqa: E402
from backend.twin.record import PatientRecord  # noqa: E402
from tests.predictions import fakes  # noqa: E402

PATIENTS, WORKERS = 8, 4
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACTOR = Actor.of_command("race")
POLICY = ForecastPolicy(
    weights={"symptom_transformer": 0.7, "symptom_xgboost": 0.3},
    lookback_days=400,
    fresh_hours=24,
    timeout_s=5.0,
)


class CountingEhr(fakes.FakeEhr):
    """Counts the writes of each identifier."""

    def __init__(self) -> None:
        super().__init__(
            PatientRecord(series=(fakes.diary(), fakes.questionnaire(8, 9)))
        )
        self.count: Counter[str] = Counter()

    def write_forecast(self, document):
        self.count[str(document.identifier)] += 1
        return super().write_forecast(document)


def at_once(*works: Callable[[], object]) -> None:
    """Run each in a thread of its own; a thread's error ends the program."""
    failed: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            connections.close_all()

    crowd = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    if failed:
        raise failed[0]


def main() -> None:
    call_command("migrate", verbosity=0)
    wiring.configure(grouped_audit=True)
    register(actor="system:race", versions=fakes.VERSIONS)
    watched()
    site = Site.objects.create(slug="north", name="North", ehr_url="http://127.0.0.1/f")
    patients = [
        access.enrol(actor=ACTOR, site=site, ehr_id=f"ehr-{n}") for n in range(PATIENTS)
    ]
    ehr, models = CountingEhr(), fakes.FakeModels()

    def ask(patient) -> object:
        return forecast_symptoms(
            actor=ACTOR,
            patient_id=patient.pk,
            as_of=None,
            ehr=lambda _site: ehr,
            models=models,
            now=lambda: NOW,
            policy=POLICY,
        )

    def work(name: str) -> object:
        return deliver_due(
            ehr=lambda _site: ehr, now=lambda: NOW, lease_s=60, limit=100, owner=name
        )

    # Two ask for each patient, so that equal answers race for their outbox rows too.
    at_once(*[lambda p=patient: ask(p) for patient in patients * 2])
    at_once(*[lambda n=n: work(f"worker-{n}") for n in range(WORKERS)])
    print(json.dumps(found(ehr)))


def watched() -> None:
    """One model has a shadow, and a card to count its inputs by."""
    one = {"edges": [-12, 0, 12], "shares": [0.5, 0.5], "missing": 0.0}
    card = fakes.card(histograms={"arrays": {"context": {"last_z": one}}})
    name = {"model": "symptom_xgboost"}
    two = ModelRelease.objects.create(**name, version=2, sha256="c" * 64, card=card)
    Channel.objects.create(**name, name="shadow", release=two)
    transformers = ModelRelease.objects.filter(model="symptom_transformer")
    transformers.update(card=card)


def found(ehr: CountingEhr) -> dict[str, object]:
    """What the database and the EHR hold in the end."""
    delivered = OutboxItem.objects.filter(state="delivered")
    attempts = set(OutboxItem.objects.values_list("attempts", flat=True))
    return {
        "vendor": connection.vendor,
        "predictions": Prediction.objects.count(),
        "shadows": ShadowAnswer.objects.count(),
        "windows": InputCount.objects.get().windows,
        "items": OutboxItem.objects.count(),
        "delivered": delivered.count(),
        "attempts": sorted(attempts),
        "writes": sum(ehr.count.values()),
        "problems": list(verify().problems),
    }


if __name__ == "__main__":
    main()
