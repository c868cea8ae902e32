"""Totals that were added up from items, when an item is not what it was any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from backend.people import access
from backend.people.access import Actor
from backend.people.models import Patient, Site
from backend.predictions import taken_back
from backend.predictions.models import OutboxItem
from backend.twin.record import Entry, PatientRecord, Reason, Refusal, Series
from backend.twin.scales import scale
from fhir_integration.site import FhirEhr
from tests.predictions import fakes
from tests.predictions.clinic import LOINC, PHQ9, RETRACTED, Change, Clinic
from tests.predictions.conftest import Asking

TAKEN_BACK = "an entry it used was taken back"
AMENDED = "an entry it used was amended"
DAY = fakes.LAST_DAY - timedelta(days=7)  # the totals of other days are stated
ITEM, PANEL = "i0", "panel"


@pytest.fixture
def patient(site: Site, clinic: Clinic) -> Patient:
    command = Actor.of_command("test")
    return access.enrol(actor=command, site=site, ehr_id=clinic.patient)


@pytest.fixture
def ehr(clinic: Clinic) -> FhirEhr:
    """In place of the fake one, with a form of which nobody states the total."""
    clinic.fill_in(DAY.isoformat(), [1] * 9)
    return clinic.site


@pytest.mark.parametrize(
    ("own_id", "change", "reason"),
    [
        (ITEM, RETRACTED, TAKEN_BACK),
        (ITEM, {"status": "cancelled"}, TAKEN_BACK),
        (ITEM, {"status": "amended", "valueInteger": 3}, AMENDED),
        (ITEM, {"status": "amended", "valueInteger": 1}, ""),
        (PANEL, RETRACTED, TAKEN_BACK),
        (PANEL, {"note": [{"text": "seen"}]}, ""),
        (PANEL, {"hasMember": []}, AMENDED),
    ],
)
def test_a_sum_is_what_its_items_are(  # noqa: PLR0917 - fixtures
    ask: Asking, clinic: Clinic, reason_of, own_id: str, change: Change, reason: str
) -> None:
    first = ask()
    mood, phq9 = (item.identifier for item in first.instruments)
    clinic.update(own_id, **change)
    second = ask()
    assert (reason_of(first), reason_of(second)) == (reason, "")
    states = dict(OutboxItem.objects.values_list("pk", "state"))
    assert (states[mood], states[phq9]) == (
        "pending",
        "cancelled" if reason else "pending",
    )


@pytest.mark.parametrize("total", [9, 12])
def test_a_total_that_is_stated_later_stands_for_the_sum(ask, clinic, reason_of, total):
    first = ask()
    clinic.put(
        {
            "resourceType": "Observation",
            "id": "stated",
            "status": "final",
            "subject": {"reference": f"Patient/{clinic.patient}"},
            "effectiveDateTime": f"{DAY}T09:00:00Z",
            "code": {"coding": [{"system": LOINC, "code": PHQ9}]},
            "valueInteger": total,
        }
    )
    ask()
    assert reason_of(first) == AMENDED


def test_a_sum_that_was_not_asked_for_proves_nothing(ask, clinic, reason_of, now):
    first = ask()
    clinic.update(ITEM, **RETRACTED)
    ask(as_of=DAY - timedelta(days=3))
    assert reason_of(first) == ""


ONE = "Observation/one/_history/1"
SUM = Entry(DAY, 9.0, ONE, summed=True)


def record(*entries: Entry, refused: Reason | None = None) -> PatientRecord:
    return PatientRecord(
        (Series(scale("phq9"), entries),) if entries else (),
        refused=(Refusal(ONE, refused),) if refused else (),
    )


@pytest.mark.parametrize(
    ("used", "shown", "marked"),
    [
        (SUM, record(), 1),
        (replace(SUM, summed=False), record(), 0),
        (SUM, record(replace(SUM, value=8.0)), 1),
        (replace(SUM, summed=False), record(replace(SUM, value=8.0)), 0),  # our reading
        (SUM, record(replace(SUM, source="Observation/two")), 0),  # a second panel
        (
            SUM,
            record(replace(SUM, source="Observation/two"), refused=Reason.DUPLICATE),
            0,
        ),
        (SUM, record(refused=Reason.RESTRICTED), 0),
        (SUM, record(refused=Reason.UNKNOWN_CODE), 1),  # a member was not sent
        (SUM, record(replace(SUM, day=DAY - timedelta(days=7))), 1),
    ],
)
def test_what_counts_against_a_sum(  # noqa: PLR0917 - fixtures
    ask, patient, now, used, shown, marked
):
    fake = fakes.FakeEhr(record(used))
    ask(ehr=lambda _site: fake)
    days = (date(2000, 1, 1), now.date())
    assert taken_back.mark_taken_back(patient, shown, days=days, now=now) == marked
