"""Entries that the EHR takes back after a forecast used them; the EHR is a real one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from backend.people import access
from backend.people.access import Actor
from backend.people.models import Patient, Site
from backend.predictions import taken_back
from backend.predictions.errors import NoHistory
from backend.predictions.models import Prediction
from backend.predictions.services import forecast_symptoms
from backend.twin.record import Entry, PatientRecord, Reason, Refusal, Series
from backend.twin.scales import scale
from fhir_integration.site import FhirEhr
from tests.predictions import fakes
from tests.predictions.clinic import ITEM, MOOD, PHQ9, RETRACTED, Change, Clinic
from tests.predictions.conftest import Asking

TAKEN_BACK = "an entry it used was taken back"
AMENDED = "an entry it used was amended"


@pytest.fixture
def patient(site: Site, clinic: Clinic) -> Patient:
    command = Actor.of_command("test")
    return access.enrol(actor=command, site=site, ehr_id=clinic.patient)


@pytest.fixture
def ehr(clinic: Clinic) -> FhirEhr:
    """In place of the fake one: asking and delivering go to the clinic."""
    return clinic.site


def score(value: float) -> Change:
    return {"valueQuantity": {"value": value, "unit": "{score}"}}


@pytest.mark.parametrize(
    ("code", "change", "reason"),
    [
        (MOOD, RETRACTED, TAKEN_BACK),
        (MOOD, {"status": "cancelled"}, TAKEN_BACK),
        (PHQ9, RETRACTED, TAKEN_BACK),
        (ITEM, RETRACTED, TAKEN_BACK),
        (MOOD, {"status": "amended", **score(1)}, AMENDED),
        (MOOD, {"status": "corrected", **score(1)}, AMENDED),
        (ITEM, {"status": "amended", **score(2)}, AMENDED),
        (MOOD, score(99), AMENDED),  # outside of the scale
        (MOOD, {"status": "preliminary"}, AMENDED),
        (MOOD, {"effectiveDateTime": "2026-02-20"}, AMENDED),
        (MOOD, {"note": [{"text": "seen"}]}, ""),  # a new version that says the same
    ],
)
def test_what_used_an_entry_that_changed_is_stale(  # noqa: PLR0917 - fixtures
    ask: Asking, clinic: Clinic, reason_of, code: str, change: Change, reason: str
) -> None:
    first = ask()
    assert reason_of(first) == ""
    clinic.change(code, back=1 if code == MOOD else 0, **change)
    second = ask()
    assert not second.reused
    assert (reason_of(first), reason_of(second)) == (reason, "")


def test_what_did_not_use_the_entry_stands(ask, clinic, reason_of, now) -> None:
    early = ask(as_of=now.date() - timedelta(days=20))
    late = ask()
    clinic.change(MOOD, **RETRACTED)
    ask()
    assert (reason_of(early), reason_of(late)) == ("", TAKEN_BACK)


def test_an_entry_that_is_not_asked_for_proves_nothing(
    ask, clinic, reason_of, now
) -> None:
    first = ask()
    clinic.change(MOOD, note=[{"text": "seen"}])
    ask(as_of=now.date() - timedelta(days=20))  # today's entries are of the future
    assert reason_of(first) == ""


def test_an_entry_that_is_gone_proves_nothing(ask, patient, reason_of, now) -> None:
    first = ask()
    days = (date(2000, 1, 1), now.date())
    nothing = PatientRecord(series=())
    assert taken_back.mark_taken_back(patient, nothing, days=days, now=now) == 0
    assert reason_of(first) == ""


def test_a_stale_answer_is_not_given_again(ask, ehr, reason_of):
    first = ask()
    Prediction.objects.update(stale_since=first.created, stale_reason="taken-back")
    again = ask()
    assert (again.reused, again.id == first.id) == (False, False)


def test_where_an_older_answer_is_given_again_the_newer_one_is_stale(
    ask, clinic, reason_of
):
    """With the entry taken back the record is what it was before it was made."""
    made = clinic.entries(MOOD)[-1]
    clinic.put({**made, **RETRACTED})
    first = ask()
    clinic.put(made)
    second = ask()
    clinic.put({**made, **RETRACTED})
    third = ask()
    assert (third.id, third.reused) == (first.id, True)
    assert (reason_of(first), reason_of(second)) == ("", TAKEN_BACK)


def test_the_only_entries_may_be_taken_back(ask, clinic, reason_of):
    for code in (MOOD, PHQ9):
        for entry in clinic.entries(code)[1 if code == MOOD else 0 :]:
            clinic.put({**entry, **RETRACTED})
    first = ask()
    clinic.change(MOOD, back=39, **RETRACTED)
    with pytest.raises(NoHistory):
        ask()
    assert reason_of(first) == TAKEN_BACK


def test_the_evidence_is_sealed_and_one_that_does_not_open_stops_nothing(ask, clinic):
    ask()
    evidence = bytes(Prediction.objects.get().evidence)
    assert b"Observation" not in evidence
    Prediction.objects.update(evidence=evidence[:-1] + bytes([evidence[-1] ^ 1]))
    clinic.change(MOOD, **RETRACTED)
    assert not ask().reused
    assert Prediction.objects.filter(stale_since=None).count() == 2


def test_rows_of_before_there_was_evidence_are_left_alone(ask, clinic):
    ask()
    Prediction.objects.update(evidence=None)
    clinic.change(MOOD, **RETRACTED)
    ask()
    assert not Prediction.objects.exclude(stale_since=None).exists()


def test_what_was_amended_first_may_be_taken_back_later(ask, clinic, reason_of):
    first = ask()
    clinic.change(MOOD, status="amended", **score(1))
    ask()
    since = Prediction.objects.get(pk=first.id).stale_since
    assert reason_of(first) == AMENDED
    before = clinic.change(MOOD, **RETRACTED)
    ask(now=lambda: since + timedelta(minutes=5))
    assert reason_of(first) == TAKEN_BACK
    clinic.put(before)
    ask()
    assert reason_of(first) == TAKEN_BACK  # the graver word stays
    assert Prediction.objects.get(pk=first.id).stale_since == since


def entry(source: str, value: float = 5.0) -> Series:
    return Series(scale(MOOD), (Entry(fakes.LAST_DAY, value, source),))


def refusal(source: str, reason: Reason) -> PatientRecord:
    return PatientRecord(series=(), refused=(Refusal(source, reason),))


ONE, OLD = "Observation/one", "Observation/old"
LONG_AGO = Entry(fakes.LAST_DAY - timedelta(days=200), 5.0, OLD)  # before the window


@pytest.mark.parametrize(
    ("used", "shown", "marked"),
    [
        (ONE, PatientRecord((entry("Observation/two"),)), 0),  # a copy of it
        (ONE, PatientRecord((entry(ONE, 6.0),)), 1),
        (f"{ONE}/_history/1", PatientRecord((entry(f"{ONE}/_history/2", 6.0),)), 1),
        (f"{ONE}/_history/1", PatientRecord((entry(f"{ONE}/_history/1", 6.0),)), 0),
        ("Observation", refusal("Observation", Reason.ENTERED_IN_ERROR), 0),
        (ONE, refusal(ONE, Reason.ENTERED_IN_ERROR), 1),
        (ONE, refusal("Observation/two", Reason.ENTERED_IN_ERROR), 0),
        (ONE, refusal(OLD, Reason.ENTERED_IN_ERROR), 0),
        (ONE, refusal(ONE, Reason.DUPLICATE), 1),  # by one that says something else
        (ONE, refusal(ONE, Reason.NO_SCALE), 0),
        (ONE, refusal(ONE, Reason.RESTRICTED), 0),
        (f"{ONE}/_history/1", refusal(f"{ONE}/_history/1", Reason.WRONG_UNIT), 0),
        (f"{ONE}/_history/1", refusal(f"{ONE}/_history/2", Reason.WRONG_UNIT), 1),
    ],
)
def test_what_counts_against_an_entry(  # noqa: PLR0917 - fixtures
    patient, models, policy, now, actor, used, shown, marked
):
    both = replace(entry(used), entries=(LONG_AGO, *entry(used).entries))
    fake = fakes.FakeEhr(PatientRecord((both,)))
    forecast_symptoms(
        actor=actor,
        patient_id=patient.pk,
        as_of=None,
        ehr=lambda _site: fake,
        models=models,
        now=lambda: now,
        policy=policy,
    )
    days = (date(2000, 1, 1), now.date())
    assert taken_back.mark_taken_back(patient, shown, days=days, now=now) == marked
