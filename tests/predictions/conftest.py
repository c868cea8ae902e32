"""A site, a patient, their care team, models in production and a fake EHR."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.audit.models import AccessEvent
from backend.inference.catalogue import read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.inference.keys import SHIPPED
from backend.people import access
from backend.people.access import Actor
from backend.people.models import CareTeamMember, Patient, Site, User
from backend.predictions.correlation import correlate_signals
from backend.predictions.models import OutboxItem
from backend.predictions.outbox import DeliveryReport, deliver_due
from backend.predictions.pharmacogenomics import advise_treatment
from backend.predictions.policy import AdvicePolicy, CorrelationPolicy, ForecastPolicy
from backend.predictions.selectors import get_forecast, list_forecasts
from backend.predictions.services import forecast_symptoms
from backend.predictions.stored import StoredForecast
from backend.predictions.stored_advice import StoredAdvice
from backend.predictions.stored_correlation import StoredCorrelation
from backend.registry.services import register
from backend.twin.record import PatientRecord
from fhir_integration.sandbox import Sandbox
from tests.predictions import fakes, signals, treatments
from tests.predictions.clinic import Clinic
from tests.versions import SHIPPED_MODELS

Asking = Callable[..., StoredForecast]
Correlating = Callable[..., StoredCorrelation]
Advising = Callable[..., StoredAdvice]
LEASE_S = 60


@pytest.fixture
def site(db: None) -> Site:
    return Site.objects.create(slug="north", name="North", ehr_url="http://127.0.0.1/f")


@pytest.fixture
def patient(site: Site) -> Patient:
    command = Actor.of_command("test")
    return access.enrol(actor=command, site=site, ehr_id="ehr-4711")


@pytest.fixture
def clinician(patient: Patient) -> User:
    user = User.objects.create_user("ada")
    CareTeamMember.objects.create(patient=patient, user=user)
    return user


@pytest.fixture
def actor(clinician: User) -> Actor:
    return Actor.of_user(clinician)


@pytest.fixture
def stranger(db: None) -> Actor:
    return Actor.of_user(User.objects.create_user("eve"))


@pytest.fixture
def registered(db: None) -> None:
    register(actor="system:test", versions=fakes.VERSIONS)


@pytest.fixture
def ehr() -> fakes.FakeEhr:
    return fakes.FakeEhr(PatientRecord(series=(fakes.diary(),)))


@pytest.fixture
def models(registered: None) -> fakes.FakeModels:
    return fakes.FakeModels()


@pytest.fixture
def policy() -> ForecastPolicy:
    return ForecastPolicy(
        weights={"symptom_transformer": 0.7, "symptom_xgboost": 0.3},
        lookback_days=400,
        fresh_hours=24,
        timeout_s=5.0,
    )


@pytest.fixture
def ask(  # noqa: PLR0917 - fixtures
    actor: Actor,
    patient: Patient,
    ehr: fakes.FakeEhr,
    models: fakes.FakeModels,
    policy: ForecastPolicy,
    now: datetime,
) -> Asking:
    """Ask for the patient's forecast; keywords replace what is usual."""

    def ask(**other: Any) -> StoredForecast:
        usual = {
            "actor": actor,
            "patient_id": patient.pk,
            "as_of": None,
            "ehr": lambda _site: ehr,
            "models": models,
            "now": lambda: now,
            "policy": policy,
        }
        return forecast_symptoms(**{**usual, **other})

    return ask


@pytest.fixture
def link_policy() -> CorrelationPolicy:
    return CorrelationPolicy(
        days=60, max_days=120, max_samples=50_000, fresh_hours=24, timeout_s=60.0
    )


@pytest.fixture(scope="session")
def network() -> EmbeddedServer:
    """The published models, the network of correlations among them."""
    return EmbeddedServer(SHIPPED_MODELS)


@pytest.fixture
def published(db: None) -> None:
    """They are in production, as in a fresh installation."""
    found = read_catalogue(SHIPPED_MODELS, trusted=[SHIPPED])
    register(actor="system:test", versions=found)


@pytest.fixture
def correlate(  # noqa: PLR0917 - fixtures
    actor: Actor,
    patient: Patient,
    ehr: fakes.FakeEhr,
    published: None,
    network: EmbeddedServer,
    link_policy: CorrelationPolicy,
    now: datetime,
) -> Correlating:
    """Ask for the patient's links; keywords replace what is usual."""
    ehr.record = signals.linked()

    def correlate(**other: Any) -> StoredCorrelation:
        usual = {
            "actor": actor,
            "patient_id": patient.pk,
            "as_of": None,
            "days": None,
            "ehr": lambda _site: ehr,
            "models": network,
            "now": lambda: now,
            "policy": link_policy,
        }
        return correlate_signals(**{**usual, **other})

    return correlate


@pytest.fixture
def advice_policy() -> AdvicePolicy:
    return AdvicePolicy(
        lookback_days=400,
        max_medications=20,
        least_confidence=0.7,
        fresh_hours=24,
        timeout_s=5.0,
    )


@pytest.fixture
def advise(  # noqa: PLR0917 - fixtures
    actor: Actor,
    patient: Patient,
    ehr: fakes.FakeEhr,
    advice_policy: AdvicePolicy,
    now: datetime,
) -> Advising:
    """Ask which medicines suit the patient; keywords replace what is usual."""
    ehr.record, ehr.persons = treatments.slow(), {"ehr-4711": treatments.PERSON}

    def advise(**other: Any) -> StoredAdvice:
        usual = {
            "actor": actor,
            "patient_id": patient.pk,
            "as_of": None,
            "medications": None,
            "ehr": lambda _site: ehr,
            "models": treatments.Responder(),
            "now": lambda: now,
            "policy": advice_policy,
        }
        return advise_treatment(**{**usual, **other})

    return advise


@pytest.fixture
def audited(db: None) -> Callable[[], list[tuple[str, str]]]:
    """(action, outcome) of the audit rows since the last call, oldest first."""
    seen = 0

    def audited() -> list[tuple[str, str]]:
        nonlocal seen
        rows = AccessEvent.objects.filter(seq__gt=seen).order_by("seq")
        found = [(row.action, row.outcome) for row in rows]
        assert all(row.actor for row in rows)
        seen += len(found)
        return found

    return audited


@pytest.fixture
def deliver(ehr: fakes.FakeEhr, now: datetime) -> Callable[..., DeliveryReport]:
    """Deliver at a time so many seconds after the frozen clock."""

    def deliver(after_s: float = 0.0, **other: Any) -> DeliveryReport:
        usual = {
            "ehr": lambda _site: ehr,
            "now": lambda: now + timedelta(seconds=after_s),
            "lease_s": LEASE_S,
            "limit": 10,
            "owner": "worker-1",
        }
        return deliver_due(**{**usual, **other})

    return deliver


@pytest.fixture
def item(ask: Asking) -> OutboxItem:
    ask()
    return OutboxItem.objects.get()


@pytest.fixture
def reason_of(
    actor: Actor, now: datetime, policy: ForecastPolicy
) -> Callable[[StoredForecast], str]:
    """Why a stored forecast is stale by now; the same when read and when listed."""

    def reason_of(stored: StoredForecast) -> str:
        read = get_forecast(actor, stored.id, now=now, policy=policy)
        listed = list_forecasts(actor, stored.patient_id, now=now, policy=policy)
        (one,) = (one for one in listed if one.id == stored.id)
        assert (read.stale, read.stale_reason) == (one.stale, one.stale_reason)
        assert read.stale == (read.stale_reason != "")
        return read.stale_reason

    return reason_of


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    """A running EHR, for modules that want a real one."""
    with Sandbox(tmp_path / "ehr.ndjson") as running:
        made = Clinic(running.base_url)
        yield made
        made.close()
