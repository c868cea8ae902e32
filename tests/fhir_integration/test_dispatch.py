from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.genes import GeneCall
from backend.twin.history import Diagnosis, MedicationEvent
from backend.twin.person import Person
from backend.twin.record import Reason
from fhir_integration.codes import AI_LABEL, LOINC
from fhir_integration.dispatch import Context, ReadResource, concept_of, read_any
from fhir_integration.kinds.consent import Consented
from fhir_integration.kinds.refused import Refused
from fhir_integration.kinds.wearable import Sample
from fhir_integration.observation import Answer, Reading
from fhir_integration.subject import Subject
from tests.fhir_integration.every_kind import (
    condition,
    consent,
    form,
    genotype,
    medication,
    of_each_kind,
    patient,
    request,
    resource,
)
from tests.fhir_integration.kinds.body import coded, lasting, quantity, signal
from tests.fhir_integration.made import SINCE, UNTIL, Json, observation, safety
from tests.fhir_integration.test_reader_properties import JUNK

CONTEXT = Context(
    Subject.at("", "p1", also=["p0"]),
    since=SINCE,
    until=UNTIL,
    lookup={"Medication/s50": medication()},
)
RESTRICTED = {
    "security": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
            "code": "R",
        }
    ]
}
ITEM = observation(code=coded("44250-9"), valueQuantity=None, valueInteger=2)


def read(one: Json, context: Context = CONTEXT) -> ReadResource:
    return read_any(one, context)


def reasons(one: Json, context: Context = CONTEXT) -> list[Reason]:
    return [x.reason for x in read(one, context).results if isinstance(x, Refused)]


@pytest.mark.parametrize(
    ("one", "kind", "concept"),
    [
        (observation(), Reading, "phq9"),
        (safety("s1"), Reading, "phq9"),
        (ITEM, Answer, "phq9"),
        (form(), Reading, "phq9"),
        (signal(), Sample, "heart-rate"),
        (request(), MedicationEvent, "medication:sertraline"),
        (condition(), Diagnosis, "condition:depression"),
        (genotype(), GeneCall, "gene:CYP2C19"),
        (patient(), Person, "person"),
        (consent(), Consented, "consent"),
    ],
)
def test_each_kind_has_its_reader_and_its_word(
    one: Json, kind: type, concept: str
) -> None:
    found = read(one)
    [fact] = found.results
    assert isinstance(fact, kind)
    assert not isinstance(fact, Refused)
    assert concept_of(fact) == concept
    own_id = f"{one['resourceType']}/{one['id']}"
    assert found.identity == own_id
    assert found.source.startswith(own_id)
    is_document = kind is Consented  # another one is never a copy
    assert (found.source in repr(found.content)) == is_document


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        ({}, Reason.NOT_FHIR),
        ({"resourceType": "Obs"}, Reason.NOT_FHIR),
        ({"resourceType": 7}, Reason.NOT_FHIR),
        ({"resourceType": ["Observation"]}, Reason.NOT_FHIR),
        (resource("Encounter", "e1", status="finished"), Reason.NOT_READ),
        (resource("Bundle", "b1"), Reason.NOT_READ),
        (resource("MedicationOrder", "o1"), Reason.WRONG_VERSION),
        (observation(comment="calm", status="bogus"), Reason.WRONG_VERSION),
        (observation(meta=RESTRICTED), Reason.RESTRICTED),
        (condition(meta=RESTRICTED), Reason.RESTRICTED),
        (resource("Encounter", "e1", meta=RESTRICTED), Reason.RESTRICTED),
        (observation(meta={"security": [AI_LABEL]}), Reason.WRONG_TYPE),
        (condition(meta={"security": [AI_LABEL]}), Reason.WRONG_TYPE),
        (patient("p2"), Reason.WRONG_PATIENT),
        (condition(onsetDateTime="2026-03-01"), Reason.IN_FUTURE),
        (request(authoredOn="2026-03-01"), Reason.IN_FUTURE),
        (genotype(effectiveDateTime="2026-03-01"), Reason.IN_FUTURE),
        (form(authored="2026-03-01T08:00:00Z"), Reason.IN_FUTURE),
        (signal(effectiveDateTime="2026-03-01T00:00:00Z"), Reason.IN_FUTURE),
    ],
)
def test_what_no_reader_uses_is_refused_by_reason(one: Json, reason: Reason) -> None:
    assert reasons(one) == [reason]
    assert read(one).results[0] == Refused(reason)


@pytest.mark.parametrize("one", [medication(), patient("p0")])
def test_what_others_point_at_says_nothing_of_its_own(one: Json) -> None:
    assert read(one).results == ()


OLD = {"effectiveDateTime": "2025-12-31T09:00:00Z"}


@pytest.mark.parametrize(
    "one",
    [
        observation(**OLD),
        signal(**OLD),
        signal(valueQuantity=quantity(72), **OLD),
        form(authored="2025-12-31"),
    ],
)
def test_scores_and_samples_before_the_window_were_not_asked_for(one: Json) -> None:
    assert read(one).results == ()


@pytest.mark.parametrize(
    "one",
    [
        request(authoredOn="2020-01-01"),
        condition(onsetDateTime="2020-01-01"),
        genotype(effectiveDateTime="2020-01-01"),
        request(authoredOn=None),
    ],
)
def test_what_began_before_the_window_still_holds(one: Json) -> None:
    facts = [x for x in read(one).results if not isinstance(x, Refused)]
    assert len(facts) == 1


def test_samples_of_the_window_are_kept_of_a_series_that_began_before() -> None:
    packed = {"origin": quantity(0, "/min"), "period": 86_400_000, "data": "60 61 62"}
    series = signal(valueQuantity=None, valueSampledData=packed)
    series["effectiveDateTime"] = "2025-12-31T09:00:00Z"
    values = [x.value for x in read(series).results if isinstance(x, Sample)]
    assert values == [61.0, 62.0]


def test_a_restricted_answer_to_a_safety_item_is_said_to_be_lost() -> None:
    lost = Refused(Reason.RESTRICTED, safety=True)
    assert read(safety("s1", meta=RESTRICTED)).results == (lost,)
    back = safety("s1", meta=RESTRICTED, status="entered-in-error")
    others = safety("s1", meta=RESTRICTED, subject={"reference": "Patient/p2"})
    for one in (back, others):
        assert read(one).results == (Refused(Reason.RESTRICTED),)


def test_a_form_with_a_safety_item_that_is_not_read_is_said_to_be_lost() -> None:
    answered = [{"linkId": "/44260-8", "answer": [{"valueInteger": 3}]}]
    held = form(meta=RESTRICTED, item=answered)
    assert read(held).results == (Refused(Reason.RESTRICTED, safety=True),)
    old = {**form(item=None), "group": {"question": answered}}
    assert read(old).results == (Refused(Reason.WRONG_VERSION, safety=True),)
    others = {**held, "subject": {"reference": "Patient/p2"}}
    back = {**held, "status": "entered-in-error"}
    calm = form(meta=RESTRICTED, item=[{"linkId": "1"}])
    for one in (others, back, calm, request(meta=RESTRICTED)):
        assert read(one).results == (Refused(Reason.RESTRICTED),)


def test_patients_and_consents_are_read_under_any_label() -> None:
    [person] = read(patient(meta=RESTRICTED)).results
    assert isinstance(person, Person)
    assert person.restricted
    assert isinstance(read(consent(meta=RESTRICTED)).results[0], Consented)


def test_a_safety_item_beside_a_heart_rate_is_read_too() -> None:
    item = {"code": coded("44260-8"), "valueInteger": 1}
    both = read(signal(component=[item])).results
    kinds = [type(one) for one in both if not isinstance(one, Refused)]
    assert kinds == [Sample, Reading]


def test_a_sites_own_code_counts_as_what_it_stands_for() -> None:
    local = signal(code={"coding": [{"system": "urn:site", "code": "HR"}]})
    assert reasons(local) == [Reason.UNKNOWN_CODE]
    known = {("urn:site", "HR"): (LOINC, "8867-4")}
    context = Context(CONTEXT.subject, site_codes=known)
    assert isinstance(read(local, context).results[0], Sample)


def test_a_consent_counts_as_of_the_day_that_is_asked_for() -> None:
    period = {"type": "deny", "period": {"start": "2026-02-01", "end": "2026-02-10"}}
    one = consent(provision=period)
    for day, denies in [(date(2026, 2, 5), True), (date(2026, 2, 11), False)]:
        context = Context(CONTEXT.subject, until=UNTIL, on=day)
        assert read(one, context).results == (Consented(denies, "Consent/k1"),)


NAMED = {"identifier": [{"system": "urn:x", "value": "1"}]}
ONE_NAME = {"identifier": NAMED["identifier"][0]}  # a form has one at most
DAY = "2026-02-14"


@pytest.mark.parametrize(
    ("one", "last"),
    [
        (observation(**NAMED), ("44261-6", "1771056300000000")),
        (observation(effectiveDateTime=DAY, **NAMED), ("44261-6", DAY)),
        (signal(**NAMED), ("8867-4", "1771056300000000")),
        (lasting("55423-8", DAY, None, **NAMED), ("55423-8", DAY)),
        (request(**NAMED), ("36437", "2026-02-01")),
        (request(authoredOn=None, **NAMED), ("36437", "-")),
        (condition(**NAMED), ("F32.1", "2026-01-10")),
        (form(**ONE_NAME), ("-", "1770710400000000")),
        (form(**ONE_NAME, questionnaire="urn:q"), ("urn:q", "1770710400000000")),
    ],
)  # fmt: skip
def test_an_identifier_names_an_entry_by_code_and_time(
    one: Json, last: tuple[str, str]
) -> None:
    assert read(one).business == (one["resourceType"], "urn:x", "1", *last)


@pytest.mark.parametrize(
    "one",
    [
        observation(),
        observation(identifier="1"),
        observation(identifier=[{"value": "1"}]),
        observation(identifier=[{"system": "", "value": "1"}]),
        observation(effectiveDateTime="2026", **NAMED),
        observation(subject={"reference": "Patient/p2"}, **NAMED),
        request(medicationCodeableConcept=None, **NAMED),
        patient(**NAMED),
    ],
)
def test_without_one_of_these_it_has_no_business_name(one: Json) -> None:
    assert read(one).business == ()


EACH = [*of_each_kind(), consent()]
ELEMENTS = sorted({name for one in EACH for name in one})


@given(st.sampled_from(EACH), st.sampled_from(ELEMENTS), JUNK)
def test_no_object_of_any_kind_makes_it_raise(one: Json, name: str, junk: Any) -> None:
    found = read({**one, name: junk})
    assert len(found.content) == len(found.results)
