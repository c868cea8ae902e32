"""What the API says of each medicine, and of the genes behind it."""

from __future__ import annotations

import pytest

from backend.predictions.response_model import LABEL, NONE_APPROVED
from backend.twin.record import Reason, Refusal
from tests.predictions import treatments
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
