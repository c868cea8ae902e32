"""The steps of the demo, each a plain call of what the service itself uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from uuid import NAMESPACE_URL, UUID, uuid5

from backend import wiring
from backend.people import access
from backend.people.access import Actor
from backend.people.models import Patient, Site
from backend.predictions import outbox
from backend.predictions.services import StoredForecast, forecast_symptoms
from backend.twin.errors import InsufficientData
from backend.twin.record import PatientRecord
from fhir_integration.client import FhirClient
from fhir_integration.codes import PREDICTION
from fhir_integration.seed import seed

OWNER = "demo"
BATCH = 50  # deliveries claimed at once


@dataclass(frozen=True, slots=True)
class Person:
    """One person: the label printed, our patient, the day to forecast as of."""

    label: str
    patient: Patient
    as_of: date


def site_at(url: str, *, slug: str) -> Site:
    """The demo's site, wherever its EHR listens this time."""
    site, _ = Site.objects.update_or_create(
        slug=slug, defaults={"name": f"Demo ({slug})", "ehr_url": url}
    )
    return site


def put_in(
    site: Site,
    records: Mapping[str, PatientRecord],
    *,
    actor: Actor,
    as_of: date | None,
    source: str = "simulated",
) -> Iterator[Person]:
    """Seed each record into the EHR and enrol its patient; `as_of` None: last entry.

    `source` tells apart people of one label in different files, and a file from its
    corrected successor.
    """
    with closing(_patient_client(site)) as client:
        for label, record in records.items():
            name = uuid5(NAMESPACE_URL, f"{source}|{label}")
            ehr_id = seed(client, str(name), record)
            patient = access.enrol(actor=actor, site=site, ehr_id=ehr_id)
            last = max(series.entries[-1].day for series in record.series)
            yield Person(label=label, patient=patient, as_of=as_of or last)


def forecast_each(
    people: list[Person], *, actor: Actor
) -> Iterator[tuple[Person, StoredForecast | InsufficientData]]:
    """Pull and forecast each person, as the API would."""
    for person in people:
        try:
            stored = forecast_symptoms(
                actor=actor,
                patient_id=person.patient.pk,
                as_of=person.as_of,
                ehr=wiring.ehr_of,
                models=wiring.models(),
                now=wiring.now,
                policy=wiring.forecast_policy(),
            )
        except InsufficientData as error:
            yield person, error
        else:
            yield person, stored


def deliver_all() -> Counter[str]:
    """Deliver until nothing more is due."""
    counts: Counter[str] = Counter()
    while True:
        report = outbox.deliver_due(
            ehr=wiring.ehr_of,
            now=wiring.now,
            lease_s=wiring.lease_s(),
            limit=BATCH,
            owner=OWNER,
        )
        counts.update(delivered=report.delivered, failed=report.failed)
        if not report.delivered and not report.failed:
            return counts


def held_by_ehr(site: Site, identifiers: list[UUID]) -> dict[UUID, list[str]]:
    """By identifier, the EHR's references to what it holds; each list has one."""
    with closing(_patient_client(site)) as client:
        return {
            one: [
                f"Observation/{resource['id']}"
                for resource in client.search(
                    "Observation", {"identifier": f"{PREDICTION}|{one}"}
                )
            ]
            for one in identifiers
        }


def _patient_client(site: Site) -> FhirClient:
    """A client with the patience that filling an EHR takes."""
    return FhirClient(site.ehr_url, timeout_s=30.0, deadline_s=600.0)
