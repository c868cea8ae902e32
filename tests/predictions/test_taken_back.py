"""Entries that the EHR takes back after a forecast used them; the EHR is a real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.people import access
from backend.people.access import Actor
from backend.people.models import Patient, Site
from backend.predictions import taken_back
from backend.predictions.errors import NoHistory
from backend.predictions.models import OutboxItem, Prediction
from backend.predictions.outbox import requeue_failed
from backend.predictions.policy import ForecastPolicy
from backend.predictions.selectors import get_forecast, list_forecasts
from backend.predictions.services import forecast_symptoms
from backend.predictions.stored import StoredForecast
from backend.twin.record import Entry, PatientRecord, Reason, Refusal, Series
from backend.twin.scales import scale
from fhir_integration.codes import PREDICTION
from fhir_integration.sandbox import Sandbox
from fhir_integration.seed import seed
from fhir_integration.site import FhirEhr
from tests.predictions import fakes
from tests.predictions.conftest import Asking

TAKEN_BACK = "an entry it used was taken back"
AMENDED = "an entry it used was amended"
MOOD, PHQ9, ITEM = "mood-0-10", "44261-6", "44260-8"
Change = dict[str, Any]


class Clinic:
    """The sandbox EHR with one patient; what a nurse does to an entry there."""

    def __init__(self, base_url: str, record: PatientRecord) -> None:
        self.base_url, self.site = base_url, FhirEhr(base_url)
        self.http = httpx.Client(trust_env=False)
        self.patient = seed(self.site.client, "one", record)

    def close(self) -> None:
        self.http.close()
        self.site.close()

    def entries(self, code: str) -> list[Change]:
        """Its entries of this code, oldest first."""
        found = self.site.client.search("Observation", {"patient": self.patient})
        own = [r for r in found if r["code"]["coding"][0]["code"] == code]
        return sorted(own, key=lambda resource: resource["effectiveDateTime"])

    def change(self, code: str, *, back: int = 0, **changes: Any) -> Change:
        """The entry so many before the newest, changed there; returns it as it was."""
        resource = self.entries(code)[-1 - back]
        self.put({**resource, **changes})
        return resource

    def put(self, resource: Change) -> None:
        path = f"{self.base_url}/Observation/{resource['id']}"
        self.http.put(path, json=resource).raise_for_status()


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    last = fakes.LAST_DAY
    record = PatientRecord(
        series=(fakes.diary(last=last), fakes.questionnaire(8, 9, last=last)),
        safety=(fakes.self_harm(last, value=0.0),),
    )
    with Sandbox(tmp_path / "ehr.ndjson") as running:
        made = Clinic(running.base_url, record)
        yield made
        made.close()


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


RETRACTED: Change = {"status": "entered-in-error"}


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


def test_only_what_rests_on_the_entry_is_kept_from_the_ehr(ask, clinic, deliver):
    first = ask()
    clinic.change(MOOD, **RETRACTED)
    second = ask()
    mood, phq9 = (item.identifier for item in first.instruments)
    assert second.instruments[1].identifier == phq9  # nothing changed for it
    anew = second.instruments[0].identifier
    states = dict(OutboxItem.objects.values_list("pk", "state"))
    assert states == {mood: "cancelled", phq9: "pending", anew: "pending"}
    assert OutboxItem.objects.get(pk=mood).last_error == "taken-back"
    assert deliver().delivered == 2
    assert requeue_failed(now=second.created) == 0
    assert second.no_longer_standing == ()
    assert {str(i) for i in held(clinic)} == {str(anew), str(phq9)}


def held(clinic: Clinic) -> list[str]:
    found = clinic.site.client.search("Observation", {"identifier": f"{PREDICTION}|"})
    return [resource["identifier"][0]["value"] for resource in found]


def test_what_failed_is_not_tried_anew(ask, clinic):
    first = ask()
    OutboxItem.objects.update(state="failed")
    clinic.change(MOOD, **RETRACTED)
    ask()
    assert requeue_failed(now=first.created) == 0
    states = dict(OutboxItem.objects.values_list("pk", "state"))
    assert states[first.instruments[0].identifier] == "cancelled"


def test_what_was_delivered_is_named_as_no_longer_standing(  # noqa: PLR0917 - fixtures
    ask, actor, clinic, deliver, now, policy
):
    first = ask()
    deliver()
    clinic.change(MOOD, **RETRACTED)
    second = ask()
    mood = first.instruments[0].identifier
    for stored in (first, second):
        read = get_forecast(actor, stored.id, now=now, policy=policy)
        assert read.no_longer_standing == (mood,)
    assert get_forecast(actor, first.id, now=now, policy=policy).delivery[mood] == (
        "delivered"
    )


def test_a_delivery_under_way_ends_as_delivered_and_no_longer_standing(
    ask, clinic, deliver
):
    first = ask()
    mood = first.instruments[0].identifier

    class Meanwhile:
        """The entry is taken back while a worker talks to the EHR."""

        def write_forecast(self, document):
            receipt = clinic.site.write_forecast(document)
            if document.identifier == mood:
                clinic.change(MOOD, **RETRACTED)
                self.second = ask()
            return receipt

    site = Meanwhile()
    deliver(ehr=lambda _site: site, limit=1)
    item = OutboxItem.objects.get(pk=mood)
    assert (item.state, item.stands) == ("delivered", False)
    assert ask().no_longer_standing == (mood,)


def test_an_entry_that_is_there_again_revives_its_delivery(ask, clinic, deliver):
    first = ask()
    before = clinic.change(MOOD, **RETRACTED)
    ask()
    clinic.put(before)
    third = ask()
    assert third.id != first.id
    assert set(third.delivery.values()) == {"pending"}
    assert deliver().failed == 0


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
