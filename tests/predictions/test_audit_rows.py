"""A walk over every public function of the room: what it leaves in the audit."""

from __future__ import annotations

import inspect

import pytest
from auditlog.models import LogEntry

from backend.audit.models import AccessedPatient, AccessEvent
from backend.predictions import (
    alerts,
    correlation,
    outbox,
    pharmacogenomics,
    selectors,
    services,
)
from backend.predictions.models import Alert, OutboxItem, Prediction
from backend.twin.record import PatientRecord
from tests.predictions import fakes
from tests.predictions.fakes import FakeEhr

SILENT = {"raise_alerts", "enqueue"}  # steps inside a function that is recorded
# their rows are looked at in test_correlation.py
OF_LINKS = {"correlate_signals", "list_correlations", "read_correlation"}
# and of these in test_pharmacogenomics.py
OF_MEDICINES = {"advise_treatment", "list_advice", "read_advice"}
EXPECTED = {
    "forecast_symptoms": [("PULL", 1), ("FORECAST", 1)],
    "list_forecasts": [("LIST", 1)],
    "get_forecast": [("READ", 1)],
    "latest_forecast": [("READ", 1)],
    "list_alerts": [("LIST", 1)],
    "acknowledge": [("ACKNOWLEDGE", 1)],
    "deliver_due": [("DELIVER", 1), ("DELIVER", 1)],
    "requeue_failed": [("ADMIN", 1)],
}


def public(module):
    return {
        name
        for name, one in inspect.getmembers(module, inspect.isfunction)
        if one.__module__ == module.__name__ and not name.startswith("_")
    }


@pytest.fixture
def stored(ask, ehr):
    """An answer with two instruments and an alert."""
    ehr.record = PatientRecord(
        series=(fakes.diary(), fakes.questionnaire(8, 9)),
        safety=(fakes.self_harm(fakes.LAST_DAY),),
    )
    return ask()


@pytest.fixture
def calls(ask, actor, policy, stored):
    at = {"now": stored.created, "policy": policy}
    patient_id = stored.patient_id
    deliver = {
        "ehr": lambda _site: FakeEhr(PatientRecord(series=())),
        "now": lambda: stored.created,
        "lease_s": 60,
        "limit": 10,
        "owner": "worker",
    }
    return {
        "forecast_symptoms": ask,
        "list_forecasts": lambda: selectors.list_forecasts(actor, patient_id, **at),
        "get_forecast": lambda: selectors.get_forecast(actor, stored.id, **at),
        "latest_forecast": lambda: selectors.latest_forecast(actor, patient_id, **at),
        "list_alerts": lambda: alerts.list_alerts(actor),
        "acknowledge": lambda: alerts.acknowledge(
            actor, Alert.objects.get().pk, now=stored.created
        ),
        "deliver_due": lambda: outbox.deliver_due(**deliver),
        "requeue_failed": lambda: requeue(now=stored.created),
    }


def requeue(*, now):
    OutboxItem.objects.update(state="failed")
    assert outbox.requeue_failed(now=now) == 2


def test_the_walk_misses_no_function():
    rooms = (services, correlation, pharmacogenomics, selectors, alerts, outbox)
    found = set().union(*map(public, rooms))
    assert found == EXPECTED.keys() | SILENT | OF_LINKS | OF_MEDICINES


@pytest.mark.parametrize("name", EXPECTED)
def test_each_function_leaves_exactly_its_rows(name, calls, stored):
    before = AccessEvent.objects.latest("seq").seq
    calls[name]()
    rows = AccessEvent.objects.filter(seq__gt=before).order_by("seq")
    assert [(row.action, row.patients.count()) for row in rows] == EXPECTED[name]
    assert all(row.actor and row.outcome == "SUCCESS" for row in rows)
    touched = AccessedPatient.objects.filter(event__in=rows)
    assert {one.patient for one in touched} == {stored.patient_id}


def test_change_diffs_hold_no_sealed_column(stored):
    entries = LogEntry.objects.get_for_model(
        Prediction
    ) | LogEntry.objects.get_for_model(Alert)
    assert entries.count() == 2
    for entry in entries:
        assert not {"payload", "finding", "key"} & set(entry.changes)
