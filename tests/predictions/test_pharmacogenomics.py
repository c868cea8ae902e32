"""From the gate to the EHR: which medicines suit a patient, by genes and rules."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.predictions import selectors
from backend.predictions.errors import TooManyMedications
from backend.predictions.models import Prediction
from backend.predictions.outbox import DeliveryReport
from backend.predictions.response_model import NONE_APPROVED
from backend.twin.pharmacogenomics.knowledge import knowledge_digest
from backend.twin.pharmacogenomics.population import Population
from backend.twin.pharmacogenomics.report import default_options
from backend.twin.pharmacogenomics.report_json import to_dict
from backend.twin.pharmacogenomics.response_inputs import Person
from tests.predictions import fakes
from tests.predictions.treatments import GENE

OK, FAILED = "SUCCESS", "FAILED"


def words(stored):
    return {one.medication: one.action for one in stored.report.recommendations}


def test_advice_is_stored_and_told(*, advise, patient, audited, now):
    audited()
    stored = advise()
    assert audited() == [("PULL", OK), ("ADVISE", OK)]
    assert words(stored).keys() == set(default_options())
    assert words(stored)["citalopram"] == "consider_alternative"
    assert stored.current == ("citalopram",) and stored.models == ()
    assert stored.notices == (NONE_APPROVED,)
    assert stored.knowledge.digest == knowledge_digest()
    assert stored.knowledge.versions["CPIC"].startswith("2024")
    assert set(stored.delivery.values()) == {"pending"}
    assert (stored.reused, stored.stale, stored.historical) == (False, False, False)
    row = Prediction.objects.get()
    assert (row.service, row.patient) == ("pharmacogenomics", patient)
    assert (row.as_of, stored.created) == (now.date(), now)


def test_what_is_read_back_is_what_was_answered(
    *, advise, actor, now, advice_policy, audited
):
    ill = Person(severity=0.6, conditions={"ptsd": True}, trials={"sertraline": False})
    given = Population(prior_use={"carbamazepine": "naive"})
    stored = advise(given=given, person=ill)
    assert advise(given=given, person=ill).reused
    at = {"now": now, "policy": advice_policy}
    audited()
    read = selectors.read_advice(actor, stored.id, **at)
    assert read == stored and audited() == [("READ", OK)]
    assert to_dict(read.report) == to_dict(stored.report)
    (listed,) = selectors.list_advice(actor, stored.patient_id, **at)
    assert (listed.id, listed.as_of, listed.stale) == (stored.id, stored.as_of, False)
    assert audited() == [("LIST", OK)]
    old = {**at, "now": now + timedelta(hours=25)}
    assert selectors.read_advice(actor, stored.id, **old).stale
    assert selectors.list_advice(actor, stored.patient_id, **old)[0].stale


def test_an_equal_question_is_given_the_stored_answer(advise, now):
    stored = advise()
    again = advise(now=lambda: now + timedelta(hours=2))
    assert (again.id, again.reused) == (stored.id, True)
    assert again.report == stored.report


@pytest.mark.parametrize(
    "other",
    [
        {"medications": ["sertraline"]},
        {"given": Population(pregnant=True)},
        {"person": Person(severity=0.6)},
        {"as_of": fakes.LAST_DAY},
        "late",
    ],
    ids=["medicines", "facts", "illness", "day", "late"],
)
def test_another_question_or_a_later_time_is_answered_anew(advise, now, other):
    stored = advise()
    if other == "late":
        other = {"now": lambda: now + timedelta(hours=25)}
    again = advise(**other)
    assert again.id != stored.id and not again.reused


def test_one_document_per_medicine_that_asks_for_something(advise, deliver, ehr, now):
    stored = advise(medications=["Celexa", "mirtazapine", "sertraline"])
    assert set(stored.identifiers) == {"citalopram", "sertraline"}
    assert deliver() == DeliveryReport(delivered=2, failed=0, waiting=0)
    one = ehr.treatments[stored.identifiers["citalopram"]]
    assert (one.medication, one.rxnorm) == ("citalopram", "2556")
    assert one.current_order == "MedicationRequest/citalopram/_history/1"
    assert GENE in one.genotype_sources and one.ehr_patient == "ehr-4711"
    assert {line.medication for line in one.advice} == {"citalopram"}
    assert {stop.drug for stop in one.stops} <= {"citalopram"}
    assert {result.gene for result in one.results} >= {"CYP2C19"}
    assert (one.response, one.models, one.issued) == (None, (), now)
    other = ehr.treatments[stored.identifiers["sertraline"]]
    assert other.current_order is None
    advise(medications=["Celexa", "mirtazapine", "sertraline"])
    assert deliver(60) == DeliveryReport(delivered=0, failed=0, waiting=0)


def test_nothing_of_it_is_stored_in_the_clear(advise):
    advise()
    row = Prediction.objects.get()
    for blob in (row.payload, row.evidence):
        for word in (b"citalopram", b"CYP2C19", b"Observation"):
            assert word not in bytes(blob)


def test_too_many_medicines_are_refused_before_anybody_is_asked(advise, ehr):
    with pytest.raises(TooManyMedications, match="at most 20"):
        advise(medications=["sertraline"] * 21)
    assert ehr.asked == []
