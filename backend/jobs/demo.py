"""The steps of the demo, each a plain call of what the service itself uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from backend import wiring
from backend.jobs import imports
from backend.people import access
from backend.people.access import Actor
from backend.people.models import Patient, Site
from backend.predictions import outbox
from backend.predictions.correlation import StoredCorrelation, correlate_signals
from backend.predictions.pharmacogenomics import StoredAdvice, advise_treatment
from backend.predictions.services import StoredForecast, forecast_symptoms
from backend.twin.errors import InsufficientData, RecordClosed
from backend.twin.pharmacogenomics.response_inputs import Person as Illness
from backend.twin.record import PatientRecord
from fhir_integration.client import FhirClient
from fhir_integration.codes import PREDICTION
from fhir_integration.seed import Put, await_shown, put

Outcome = StoredForecast | InsufficientData | RecordClosed
LinkOutcome = StoredCorrelation | InsufficientData | RecordClosed
AdviceOutcome = StoredAdvice | InsufficientData | RecordClosed

LINK_DAYS = 90  # looked at for links, up to the day as of which it is
# What is asked about beside the usual options: each shows something else.
OPTIONS = ("citalopram", "sertraline", "mirtazapine", "venlafaxine", "carbamazepine")
# What a clinician would state of the illness, for the response model alone.
STATED = Illness(
    severity=18 / 27, episode_months=4, failures=1, trials={"fluoxetine": False}
)
OWNER = "demo"
BATCH = 50  # deliveries claimed at once
# An EHR may find what it was given only a while later; longer than this is a fault.
PATIENCE_S, PAUSE_S = 120.0, 1.0


@dataclass(frozen=True, slots=True)
class Person:
    """One person: the label printed, our patient, the day to forecast as of.

    `diary`: there are entries to forecast from. `wearables`: there are values of body
    signals of theirs, so links may be found. `genes`: a laboratory looked at them.
    """

    label: str
    patient: Patient
    as_of: date
    diary: bool = True
    wearables: bool = False
    genes: bool = False


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
    """Put each record into the EHR and enrol its patient; `as_of` None: last entry.

    It ends when the EHR shows all of it: a pull before that would be short in silence.

    `source` tells apart people of one label in different files, and a file from its
    corrected successor.
    """
    done: list[Put] = []
    with closing(_patient_client(site)) as client:
        for label, record in records.items():
            name = uuid5(NAMESPACE_URL, f"{source}|{label}")
            done.append(put(client, str(name), record))
            ehr_id = done[-1].patient
            patient = access.enrol(actor=actor, site=site, ehr_id=ehr_id)
            yield Person(
                label,
                patient,
                as_of or max(series.entries[-1].day for series in record.series),
                diary=bool(record.series),
                wearables=bool(record.streams),
                genes=bool(record.genotypes),
            )
        await_shown(client, done, patience_s=PATIENCE_S)


def put_in_files(
    site: Site, files: Path, *, actor: Actor, today: date, say: imports.Say
) -> list[Person]:
    """Put a folder of FHIR into the EHR and enrol each Patient of it.

    Gives those with symptom entries, each as of their last one, and those with results
    of genes; labels are numbers, since names and ids are the EHR's. Raises
    NothingToRead and EhrError.
    """
    done = imports.filled(files, site.ehr_url, today=today, say=say)
    people = []
    for number, ehr_id in enumerate(sorted(done.patients), start=1):
        patient = access.enrol(actor=actor, site=site, ehr_id=ehr_id)
        person = Person(
            label=f"patient-{number}",
            patient=patient,
            as_of=done.last_entries.get(ehr_id, today),
            diary=ehr_id in done.last_entries,
            wearables=ehr_id in done.wearables & done.last_entries.keys(),
            genes=ehr_id in done.genes,
        )
        if person.diary or person.genes:
            people.append(person)
    for line in imports.outcome(files, today=today):
        say(f"   {line}")
    say(f"   {done.sent} resources of {len(done.patients)} patients in the EHR")
    asked = sum(one.diary for one in people)
    say(f"   {asked} patients have symptom entries; as of the last one each")
    if tested := sum(one.genes for one in people):
        say(f"   {tested} patients have results of genes")
    if strangers := (done.genes | done.last_entries.keys()) - done.patients:
        say(
            f"   {len(strangers)} more have one of these, but the files hold no "
            "Patient of theirs: add it"
        )
    return people


def forecast_each(
    people: list[Person], *, actor: Actor
) -> Iterator[tuple[Person, Outcome]]:
    """Pull and forecast each who has a diary, as the API would; or say why not."""
    for person in people:
        if not person.diary:
            continue
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
        except (InsufficientData, RecordClosed) as error:
            yield person, error
        else:
            yield person, stored


def correlate_each(
    people: list[Person], *, actor: Actor
) -> Iterator[tuple[Person, LinkOutcome]]:
    """Pull and look for links of each who has wearables, or say why there is none."""
    for person in people:
        if not person.wearables:
            continue
        try:
            stored = correlate_signals(
                actor=actor,
                patient_id=person.patient.pk,
                as_of=person.as_of,
                days=LINK_DAYS,
                ehr=wiring.ehr_of,
                models=wiring.models(),
                now=wiring.now,
                policy=wiring.correlation_policy(),
            )
        except (InsufficientData, RecordClosed) as error:
            yield person, error
        else:
            yield person, stored


def advise_each(
    people: list[Person], *, actor: Actor
) -> Iterator[tuple[Person, AdviceOutcome]]:
    """Pull and advise on medicines, of each whose genes are known, or say why not."""
    for person in people:
        if not person.genes:
            continue
        try:
            stored = advise_treatment(
                actor=actor,
                patient_id=person.patient.pk,
                as_of=person.as_of,
                medications=OPTIONS,
                person=STATED,
                ehr=wiring.ehr_of,
                models=wiring.models(),
                now=wiring.now,
                policy=wiring.pharmacogenomics_policy(),
            )
        except (InsufficientData, RecordClosed) as error:
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


def held_by_ehr(
    site: Site, identifiers: list[UUID], *, kind: str = "Observation"
) -> dict[UUID, list[str]]:
    """By identifier, the EHR's references to what it shows; each list has one.

    What it does not show is asked for again for a while, in case it is slow to find it.
    """
    held: dict[UUID, list[str]] = {}
    with closing(_patient_client(site)) as client:
        until = client.deadline(PATIENCE_S)
        for one in identifiers:
            held[one] = _references(client, one, kind)
            while not held[one] and client.pause(PAUSE_S, until=until):
                held[one] = _references(client, one, kind)
    return held


def _references(client: FhirClient, identifier: UUID, kind: str) -> list[str]:
    found = client.search(kind, {"identifier": f"{PREDICTION}|{identifier}"})
    return [f"{kind}/{resource['id']}" for resource in found]


def _patient_client(site: Site) -> FhirClient:
    """A client with the patience that filling an EHR takes."""
    return FhirClient(site.ehr_url, timeout_s=30.0, deadline_s=600.0)
