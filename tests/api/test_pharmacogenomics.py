"""Asking which medicines suit a patient and reading it again, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from backend.api.advice_answer import DISCLAIMER
from backend.predictions.models import Prediction
from backend.predictions.response_model import LABEL, NONE_APPROVED
from backend.predictions.treatment_basis import NO_GENES, NO_MEDICINES
from backend.twin.errors import EhrRefused, EhrUnavailable
from backend.twin.pharmacogenomics.knowledge import knowledge_digest
from backend.twin.pharmacogenomics.report import default_options
from backend.twin.record import PatientRecord, Reason, Refusal
from tests.predictions import fakes, treatments
from tests.predictions.treatments import GENE, Responder, call, order, slow

ASKED = {"medications": ["Celexa", "mirtazapine", "sertraline"]}
KEY = "CYP2C19"


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
def approved(db):
    """The response model is in production."""
    treatments.publish()


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


def test_a_gene_is_told_as_looked_up_by_itself(created):
    gene = gene_of(created.json(), KEY)
    assert (gene["diplotype"], gene["basis"]) == ("*2/*2", "diplotype")
    assert gene["genetic"] == {
        "phenotype": "Poor Metabolizer",
        "activity_score": "n/a",
        "lookup_key": "Poor Metabolizer",
    }
    assert gene["adjusted"] is None
    assert gene["keys"] == ["Poor Metabolizer"] and gene["warnings"] == []
    missing = gene_of(created.json(), "HLA-B")
    assert missing["genetic"]["phenotype"] == "No Result"
    assert (missing["diplotype"], missing["basis"]) == (None, "none")


def test_current_medication_stands_beside_the_genes_and_never_in_their_place(
    api, path, ehr
):
    ehr.record = slow(medications=(order("fluoxetine"),))
    body = api.post(path, {"medications": ["atomoxetine"]}, format="json").json()
    gene = gene_of(body, "CYP2D6")
    assert gene["genetic"]["phenotype"] == "Normal Metabolizer"
    assert gene["genetic"]["activity_score"] == "2.0"
    assert gene["adjusted"]["phenotype"] == "Poor Metabolizer"
    assert gene["adjusted"]["activity_score"] == "0.0"
    assert "fluoxetine" in gene["adjusted_because"][0]
    lines = of(body, "atomoxetine")["advice"]
    cpic = [one for one in lines if one["source"] == "CPIC"]
    assert {one["counts_by"] for one in cpic} == {"current medication"}
    assert {one["genes"]["CYP2D6"] for one in cpic} == {"0.0"}
    assert {one["genetic_keys"]["CYP2D6"] for one in cpic} == {"2.0"}


def test_every_source_stands_side_by_side_with_its_own_terms(created):
    one = of(created.json(), "citalopram")
    assert {line["source"] for line in one["advice"]} == {
        *("CPIC", "DPWG", "FDA Label", "FDA Assoc")
    }
    (cpic,) = (line for line in one["advice"] if line["source"] == "CPIC")
    assert (cpic["action"], cpic["alternate_drug"]) == ("consider_alternative", True)
    assert (cpic["classification"], cpic["guideline"]) == ("Strong", "PA166127638")
    assert cpic["guideline_version"] and "PMID" in cpic["citation"]
    assert cpic["genes"] == {KEY: "Poor Metabolizer"} and cpic["rationale"]
    (dpwg,) = (line for line in one["advice"] if line["source"] == "DPWG")
    assert "20 mg/day" in dpwg["dose_limit"]
    assert (dpwg["dose_factor"], dpwg["dose_scheme"]) == (None, None)
    assert len(one["recommendation"]["differing"]) >= 2


def test_the_overall_word_says_what_it_rests_on(created):
    one = of(created.json(), "citalopram")
    word = one["recommendation"]
    assert (word["action"], word["caution"]) == ("consider_alternative", "high")
    assert word["rationale"].startswith("Consider an alternative, by ")
    assert word["reasons"][0]["action"] == "consider_alternative"
    assert (one["rxnorm"], one["is_current"]) == ("2556", True)
    other = of(created.json(), "sertraline")
    assert other["is_current"] is False


def test_stops_have_a_source_and_name_what_is_unknown(api, path, ehr):
    body = api.post(path, {"medications": ["carbamazepine"]}, format="json").json()
    one = of(body, "carbamazepine")
    assert one["stops"] and all(stop["source"] for stop in one["stops"])
    needs = {need for stop in one["stops"] for need in stop["needs"]}
    assert any("HLA-B" in need for need in needs)
    assert {"HLA-A", "HLA-B"} <= set(one["recommendation"]["missing"])
    assert one["recommendation"]["action"] != "standard_dosing"


def test_a_medicine_that_is_stopped_is_scored_by_nobody(*, api, path, ehr, approved):
    ehr.record = slow(genotypes=(call("HLA-B", "", GENE, phenotype="*15:02 positive"),))
    asked = {"medications": ["carbamazepine", "sertraline"]}
    body = api.post(path, asked, format="json").json()
    one = of(body, "carbamazepine")
    assert one["recommendation"]["stopped"] and one["response"] is None
    assert one["withheld"]
    left_out = {one["medication"] for one in body["comparison"]["left_out"]}
    assert "carbamazepine" in left_out


def test_the_models_answer_is_labelled_wherever_it_stands(api, path, ehr, approved):
    body = api.post(path, {"medications": ["sertraline"]}, format="json").json()
    response = of(body, "sertraline")["response"]
    assert (response["efficacy"], response["confidence"]) == (
        pytest.approx(0.5),
        pytest.approx(0.9),
    )
    assert all(0 <= one["risk"] <= 1 for one in response["side_effects"])
    assert len(response["side_effects"]) >= 3
    assert response["trained_on"] == "simulated outcomes"
    assert response["published_auc"] == {"lower": 0.60, "upper": 0.67}
    assert LABEL in body["notices"]
    (use,) = body["models"]
    assert use["model"] == "treatment_response" and len(use["sha256"]) == 64


def test_an_answer_that_is_not_sure_enough_is_withheld_and_says_so(
    *, api, path, ehr, models, approved
):
    models.row = Responder(confidence=0.4).row
    body = api.post(path, {"medications": ["sertraline"]}, format="json").json()
    one = of(body, "sertraline")
    assert (one["response"], one["withheld"]) == (
        None,
        "confidence 0.40 is below 0.70",
    )
    assert body["comparison"]["optimal_balance"] is None


def test_without_a_model_nothing_is_ranked_and_it_is_said(created):
    body = created.json()
    assert (body["models"], body["notices"]) == ([], [NONE_APPROVED])
    assert all(one["response"] is None for one in body["medications"])
    assert body["comparison"]["highest_efficacy"] is None
    assert body["comparison"]["note"].startswith("Not ranked")


def test_options_are_compared_where_the_model_answers(api, path, ehr, approved):
    asked = {"medications": ["sertraline", "mirtazapine", "citalopram"]}
    comparison = api.post(path, asked, format="json").json()["comparison"]
    assert "mirtazapine" in comparison["compared"]
    assert comparison["optimal_balance"] in comparison["compared"]
    why = {one["medication"]: one["why"] for one in comparison["left_out"]}
    assert why["citalopram"] == "a source advises an alternative"


def test_an_unknown_medicine_is_an_answer_of_its_own(api, path, ehr):
    asked = {"medications": ["sertraline", "snake oil"]}
    answer = api.post(path, asked, format="json")
    body = answer.json()
    assert (answer.status_code, body["unknown_medications"]) == (201, ["snake oil"])
    one = of(body, "snake oil")
    assert (one["rxnorm"], one["advice"], one["stops"]) == (None, [], [])
    assert one["recommendation"]["action"] == "unknown"
    assert "nothing of it was checked" in one["recommendation"]["rationale"]


def test_what_the_record_lacks_is_said(api, path, ehr):
    ehr.record = PatientRecord(series=(), treatment_known=False)
    body = api.post(path, {}, format="json").json()
    assert {NO_GENES, NO_MEDICINES} <= set(body["notices"])
    assert body["current_medications"] is None
    assert body["quality"]["level"] == "none"
    assert all(one["is_current"] is None for one in body["medications"])
    assert {one["result"] for one in body["quality"]["genes"]} == {"missing"}


def test_calls_that_nobody_reads_and_genes_that_advise_nothing_are_named(
    api, path, ehr
):
    odd = call("CYP2D6", "what", "Observation/odd"), call("SLC6A4", "L/S", "x")
    ehr.record = slow(
        genotypes=odd, refused=(Refusal("Observation/1", Reason.NO_DATE),)
    )
    body = api.post(path, ASKED, format="json").json()
    (refused,) = body["refused_calls"]
    assert (refused["gene"], refused["source"]) == ("CYP2D6", "Observation/odd")
    assert refused["code"] and refused["reason"]
    (unused,) = body["unused_genes"]
    assert unused["gene"] == "SLC6A4" and unused["why"]
    assert body["refused"] == {"no-date": 1}
    (state,) = (one for one in body["quality"]["genes"] if one["gene"] == "CYP2D6")
    assert state["result"] == "unreadable"


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
