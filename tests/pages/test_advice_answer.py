"""Advice on its page: readable, sourced, audited, and closed where records are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from backend.pages.advice_answer import SOURCES, advice_page
from backend.people.models import CareTeamMember, Patient, User
from backend.predictions.models import OutboxItem, Prediction
from backend.predictions.response_model import LABEL, NO_ANSWER
from backend.predictions.treatment_answer import (
    Asked,
    Knowledge,
    TreatmentAnswer,
    seal_advice,
)
from backend.predictions.treatment_basis import basis_of
from backend.twin.pharmacogenomics.knowledge import knowledge_versions
from backend.twin.pharmacogenomics.population import Population
from backend.twin.pharmacogenomics.recommendation import DISCLAIMER
from backend.twin.pharmacogenomics.report import report, scored
from backend.twin.pharmacogenomics.response import Response, SideEffect
from backend.twin.pharmacogenomics.response_inputs import Person
from backend.twin.record import PatientRecord
from backend.twin.trajectory import ModelUse
from tests.pages.conftest import Visit
from tests.predictions import fakes
from tests.predictions.treatments import GENE, call, order, slow

DAY = fakes.LAST_DAY
MODEL = ModelUse("treatment_response", 1, "a" * 64, "production", 1.0)
ASKED = ("citalopram", "sertraline", "atomoxetine", "carbamazepine", "snake oil")
TAKEN = (order("citalopram"), order("fluoxetine"))


def answer_of(record: PatientRecord, **changes: Any) -> TreatmentAnswer:
    """What sources and stops say."""
    given = Population()
    basis = basis_of(record, DAY, medications=ASKED, given=given)
    made = TreatmentAnswer(
        report=report(basis.case),
        asked=Asked(ASKED, given, Person()),
        current=basis.case.current,
        models=(),
        method="",
        knowledge=Knowledge("d" * 64, knowledge_versions()),
        told=(),
        kept=(),
        remarks=basis.remarks,
    )
    return replace(made, **changes)


def with_model(answer: TreatmentAnswer) -> TreatmentAnswer:
    """The same with a sure estimate and an unsure one."""
    effects = (SideEffect("weight_gain", 0.2),)
    sure, unsure = Response(0.5, 0.4, 0.9, effects), Response(0.5, 0.5, 0.1)
    said = {"sertraline": sure, "atomoxetine": unsure}
    return replace(answer, report=scored(answer.report, said), models=(MODEL,))


@pytest.fixture(scope="module")
def found() -> TreatmentAnswer:
    return answer_of(slow(medications=TAKEN))


Storing = Callable[[TreatmentAnswer], Prediction]


@pytest.fixture
def store(patient: Patient) -> Storing:
    def store(answer: TreatmentAnswer) -> Prediction:
        prediction = Prediction(
            patient=patient,
            service="pharmacogenomics",
            as_of=DAY,
            created=timezone.now(),
            actor="user:1",
            record_digest="d" * 64,
            historical=False,
        )
        prediction.payload = seal_advice(patient, prediction.pk, answer)
        prediction.save()
        return prediction

    return store


@pytest.fixture
def clinician(patient: Patient) -> User:
    """One of the care team who may look and no more."""
    user = User.objects.create_user("c", password="correct-horse", is_staff=True)
    may = Permission.objects.filter(codename__in=["view_prediction", "view_outboxitem"])
    user.user_permissions.set(may)
    CareTeamMember.objects.create(patient=patient, user=user)
    return user


def of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(pk: UUID) -> str:
    return reverse("admin:predictions_prediction_change", args=[pk])


def test_words_sources_genes_and_stops_are_on_the_page(found: TreatmentAnswer) -> None:
    page = advice_page(found)
    for said in (
        DISCLAIMER,
        SOURCES,
        "Taken: citalopram, fluoxetine.",
        "<td>citalopram</td><td>consider alternative</td><td>high</td>",
        "<td>citalopram</td><td>CPIC</td><td>general</td><td>consider alternative</td>",
        "<td>Strong</td><td>CYP2C19 Poor Metabolizer</td>",
        "PA166127638",
        "20 mg/day",
        "<td>CYP2C19</td><td>*2/*2</td><td>Poor Metabolizer (score n/a, diplotype)",
        "<td>HLA-B</td><td>–</td><td>No Result (score n/a, none)</td><td>–</td>",
        "a result for HLA-B*15:02",
        "<td>snake oil</td><td>unknown</td><td>high</td>",
        "CC BY-SA 4.0",
        "Dutch Pharmacogenetics Working Group of the KNMP",
    ):
        assert said in page, said
    assert "Not used" not in page


def test_what_medication_makes_of_a_gene_stands_beside_it(
    found: TreatmentAnswer,
) -> None:
    page = advice_page(found)
    assert "<td>Normal Metabolizer (score 2.0, diplotype)</td>" in page
    assert "<td>Poor Metabolizer (fluoxetine" in page
    assert "CYP2D6 0.0 (by the genes alone: CYP2D6 2.0)" in page


def test_an_estimate_has_its_label_and_one_withheld_its_reason(
    found: TreatmentAnswer,
) -> None:
    page = advice_page(with_model(found))
    assert f"Estimates by treatment_response version 1. {escape(LABEL)}" in page
    assert "response 50% (percentile 40%, confidence 0.90); weight gain 20%" in page
    assert "confidence 0.10 is below" in page and SOURCES not in page


def test_what_is_not_known_or_not_used_is_said() -> None:
    odd = (call("CYP2D6", "what", "Observation/odd"), call("SLC6A4", "L/S", "x"))
    lost = answer_of(slow(genotypes=odd, treatment_known=False), kept=("citalopram",))
    page = advice_page(lost)
    assert "What is taken is not known." in page
    assert "<caption>Not used</caption>" in page and "<td>SLC6A4</td>" in page
    assert "Not told to the EHR" in page and "citalopram." in page


def test_a_medicine_that_is_taken_and_not_known_is_named(
    found: TreatmentAnswer,
) -> None:
    made = replace(found.report, unknown_current=("<b>odd</b>",))
    page = advice_page(replace(found, report=made))
    assert "not in the catalogue: &lt;b&gt;odd&lt;/b&gt;." in page


@pytest.mark.django_db
def test_the_team_reads_it_with_a_row_and_nobody_else_does(
    visit: Visit, store: Storing, found: TreatmentAnswer, clinician: User
) -> None:
    prediction = store(found)
    seen = visit(address(prediction.pk), client=of(clinician))
    assert "consider alternative" in seen.answer.content.decode()
    assert seen.told == [("SUCCESS", "object", 1)]
    assert seen.patients == [prediction.patient_id]
    outside = visit(address(prediction.pk))  # a superuser of no care team
    assert "citalopram" not in outside.answer.content.decode()
    assert outside.told == [("DENIED", "object", 0)]


@pytest.mark.django_db
def test_who_did_not_answer_comes_first(store: Storing, clinician: User) -> None:
    prediction = store(answer_of(slow(genotypes=()), method=NO_ANSWER))
    page = of(clinician).get(address(prediction.pk)).content.decode()
    first = [page.index("no genetic result"), page.index(escape(NO_ANSWER))]
    assert max(first) < page.index("clinical judgment remains essential")


@pytest.mark.django_db
def test_closed_records_show_why_and_nothing_else(
    store: Storing, found: TreatmentAnswer, clinician: User
) -> None:
    prediction = store(found)
    Patient.objects.update(opted_out=True)
    page = of(clinician).get(address(prediction.pk)).content.decode()
    assert "Closed: the patient opted out." in page
    assert "citalopram" not in page and GENE not in page


@pytest.mark.django_db
def test_advice_that_stands_no_more_says_why(
    store: Storing, found: TreatmentAnswer, clinician: User
) -> None:
    prediction = store(found)
    Prediction.objects.update(stale_reason="taken-back", stale_since=timezone.now())
    page = of(clinician).get(address(prediction.pk)).content.decode()
    assert "an entry it used was taken back" in page


@pytest.mark.django_db
def test_lists_name_the_service(
    store: Storing, found: TreatmentAnswer, clinician: User
) -> None:
    prediction = store(found)
    now = prediction.created
    OutboxItem.objects.create(
        id=uuid4(),
        prediction=prediction,
        patient=prediction.patient,
        position=0,
        created=now,
        next_attempt=now + timedelta(minutes=1),
    )
    for name, wanted in (
        ("prediction", "?service__exact=pharmacogenomics"),
        ("outboxitem", "?prediction__service=pharmacogenomics"),
    ):
        url = reverse(f"admin:predictions_{name}_changelist")
        page = of(clinician).get(url + wanted).content.decode()
        assert '<td class="field-service">pharmacogenomics</td>' in page, name
