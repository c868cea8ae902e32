"""Asking which medicines suit a patient and reading it again, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from backend.api.advice_answer import DISCLAIMER
from backend.predictions.models import Prediction
from backend.predictions.treatment_basis import NO_GENES, NO_MEDICINES
from backend.twin.errors import EhrRefused, EhrUnavailable
from backend.twin.pharmacogenomics.knowledge import knowledge_digest
from backend.twin.pharmacogenomics.report import default_options
from backend.twin.record import PatientRecord, Reason, Refusal
from tests.predictions import fakes, treatments
from tests.predictions.treatments import GENE, Responder, slow

ASKED = {"medications": ["Celexa", "mirtazapine", "sertraline"]}


@pytest.fixture
def ehr(ehr):
    """With genes, a medicine and a date of birth, in place of symptoms."""
    ehr.record = slow()
    ehr.persons = {"ehr-4711": treatments.PERSON}
    return ehr


@pytest.fixture
def models(db):
    """Nobody has approved a response model."""
    return Responder()


@pytest.fixture
def path(patient):
    return f"/api/v1/patients/{patient.pk}/pharmacogenomics"


@pytest.fixture
def created(api, path, ehr):
    return api.post(path, ASKED, format="json")


def of(body, medication):
    (one,) = (one for one in body["medications"] if one["medication"] == medication)
    return one


def gene_of(body, gene):
    (one,) = (one for one in body["genes"] if one["gene"] == gene)
    return one


def test_a_new_answer_is_created_and_says_where_it_is(api, created, path, patient):
    assert created.status_code == 201
    body = created.json()
    assert (body["patient"], body["as_of"]) == (str(patient.pk), "2026-03-02")
    assert created["Location"] == body["links"]["pharmacogenomics"]
    assert body["links"]["all"] == path
    assert api.get(created["Location"]).json() == body


def test_what_the_record_lacks_is_said(api, path, ehr):
    ehr.record = PatientRecord(series=(), treatment_known=False)
    body = api.post(path, {}, format="json").json()
    assert {NO_GENES, NO_MEDICINES} <= set(body["notices"])
    assert body["current_medications"] is None
    assert body["quality"]["level"] == "none"
    assert all(one["is_current"] is None for one in body["medications"])
    assert {one["result"] for one in body["quality"]["genes"]} == {"missing"}


def test_the_tables_are_named_with_their_licences(created):
    knowledge = created.json()["knowledge"]
    assert knowledge["digest"] == knowledge_digest()[:12]
    assert {"CPIC", "DPWG", "CYP2D6", "HLA-B"} <= set(knowledge["versions"])
    by = {one["source"]: one for one in knowledge["sources"]}
    assert by["CPIC"]["licence"].startswith("CC0 1.0")
    assert by["DPWG"]["licence"].startswith("CC BY-SA 4.0")
    assert "KNMP" in by["DPWG"]["by"] and "shared alike" in by["DPWG"]["by"]
    assert all(one["guidelines"] and one["advice"] for one in by.values())


def test_the_disclaimer_clears_nothing(created):
    said = created.json()["disclaimer"]
    assert "clinical judgment remains essential" in said
    assert said.endswith(DISCLAIMER)


def test_what_the_ehr_gets_has_a_state(api, created, deliver):
    body = created.json()
    told = {
        one["medication"]: one["delivery"]
        for one in body["medications"]
        if one["identifier"]
    }
    assert told == {"citalopram": "pending", "sertraline": "pending"}
    assert of(body, "mirtazapine")["delivery"] is None
    deliver()
    again = api.get(created["Location"]).json()
    assert of(again, "citalopram")["delivery"] == "delivered"


def test_an_equal_question_gives_the_stored_answer(api, path, created):
    again = api.post(path, ASKED, format="json")
    assert (again.status_code, again.json()["reused"]) == (200, True)
    assert again.json()["id"] == created.json()["id"]
    other = api.post(path, {**ASKED, "population": {"pregnant": True}}, format="json")
    assert other.status_code == 201


def test_the_usual_options_are_looked_at_unless_asked(api, path, ehr):
    for asked in ({}, {"medications": None, "as_of": None, "population": None}):
        body = api.post(path, asked, format="json").json()
        named = {one["medication"] for one in body["medications"]}
        assert named == set(default_options())


def test_an_earlier_day_is_historical_and_nothing_of_it_is_delivered(api, path, ehr):
    body = api.post(path, {"as_of": "2026-02-01", **ASKED}, format="json").json()
    assert (body["as_of"], body["historical"]) == ("2026-02-01", True)
    assert {one["delivery"] for one in body["medications"]} == {None}


@pytest.mark.parametrize(
    ("error", "status"),
    [(EhrRefused("no", status=403), 502), (EhrUnavailable("down"), 503)],
)
def test_what_is_stored_stays_readable_without_the_ehr(
    *, api, path, created, ehr, clock, error, status
):
    ehr.down = error
    clock[0] += timedelta(hours=25)
    assert api.post(path, ASKED, format="json").status_code == status
    (listed,) = api.get(path).json()
    assert (listed["link"], listed["stale"]) == (created["Location"], True)
    stored = api.get(listed["link"]).json()
    assert (stored["age_seconds"], stored["stale"]) == (25 * 3600, True)
    assert stored["stale_reason"] == listed["stale_reason"]


def test_advice_on_a_result_that_was_taken_back_says_so(api, path, ehr, deliver):
    body = api.post(path, ASKED, format="json").json()
    deliver()
    rest = tuple(one for one in ehr.record.genotypes if one.source != GENE)
    ehr.record = replace(
        ehr.record,
        genotypes=rest,
        refused=(Refusal(GENE, Reason.ENTERED_IN_ERROR),),
    )
    again = api.post(path, ASKED, format="json").json()
    named = {one["identifier"] for one in body["medications"] if one["identifier"]}
    assert set(again["no_longer_standing"]) == named
    before = api.get(body["links"]["pharmacogenomics"]).json()
    assert before["stale_reason"] == "an entry it used was taken back"


def test_every_request_leaves_its_audit_rows(*, api, path, ehr, other, audited):
    audited()
    link = api.post(path, ASKED, format="json")["Location"]
    assert audited() == [("PULL", "SUCCESS"), ("ADVISE", "SUCCESS")]
    api.get(path)
    assert audited() == [("LIST", "SUCCESS")]
    api.get(link)
    assert audited() == [("READ", "SUCCESS")]
    other.get(link)
    assert audited() == [("READ", "DENIED")]


def test_unknown_and_forbidden_give_one_body(other, path, created):
    unknown = f"/api/v1/patients/{uuid4()}/pharmacogenomics"
    for method in (other.get, other.post):
        forbidden, absent = method(path), method(unknown)
        assert forbidden.status_code == absent.status_code == 404
        assert forbidden.content == absent.content
    forbidden = other.get(created["Location"])
    absent = other.get(f"/api/v1/pharmacogenomics/{uuid4()}")
    assert forbidden.content == absent.content


def test_one_service_does_not_open_the_others_answers(api, patient, ehr, created):
    ehr.record = PatientRecord(series=(fakes.diary(),))
    asked = api.post(f"/api/v1/patients/{patient.pk}/correlations", {}, format="json")
    link, advice = asked.json()["id"], created.json()["id"]
    assert api.get(f"/api/v1/pharmacogenomics/{link}").status_code == 404
    assert api.get(f"/api/v1/correlations/{advice}").status_code == 404
    assert api.get(f"/api/v1/forecasts/{advice}").status_code == 404


def test_a_tampered_answer_is_not_given(api, created):
    broken = bytes(Prediction.objects.get().payload)[:-1] + b"x"
    Prediction.objects.update(payload=broken)
    answer = api.get(created["Location"])
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:mindtwin:problem:seal-broken"
