"""A correlation's page: readable, audited, and never opened as a forecast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from backend.pages.correlation_answer import ENGINE, correlation_page
from backend.people.models import CareTeamMember, Patient, User
from backend.predictions.correlation_answer import CorrelationAnswer, seal_correlation
from backend.predictions.link_network import NO_ANSWER
from backend.predictions.models import OutboxItem, Prediction
from backend.predictions.remarks import remarks
from backend.twin.correlation.engine import links
from backend.twin.correlation.examination import examine
from backend.twin.correlation.from_record import from_record
from backend.twin.correlation.report import correlation_report
from backend.twin.record import PatientRecord
from backend.twin.trajectory import ModelUse
from tests.pages.conftest import Visit
from tests.predictions import fakes, signals
from tests.predictions.signals import SIGNAL, SYMPTOM
from tests.twin.correlation.made import World

DAY = fakes.LAST_DAY
NETWORK = ModelUse("biometric_correlation", 1, "a" * 64, "production", 1.0)
JUDGE = "Clinical judgement decides"


def answer_of(
    record: PatientRecord, *, models: tuple[ModelUse, ...] = (), method: str = ""
) -> CorrelationAnswer:
    """The classical statistics' answer, for a page that says whose it is."""
    found = from_record(record, DAY, days=60, max_lag_hours=72)
    report = correlation_report(
        found.window,
        links(examine(found.window)),
        left_out=found.left_out,
        by_day=found.by_day,
        clock=found.clock,
    )
    return CorrelationAnswer(
        report=report,
        models=models,
        method=method,
        identifiers={
            (i.link.biometric, i.link.symptom): uuid4() for i in report.insights
        },
        sources={},
        remarks=remarks(record, DAY),
    )


@pytest.fixture(scope="module")
def found() -> CorrelationAnswer:
    return answer_of(signals.linked(), models=(NETWORK,))


Storing = Callable[..., Prediction]


@pytest.fixture
def store(patient: Patient) -> Storing:
    def store(answer: CorrelationAnswer, service: str = "correlation") -> Prediction:
        prediction = Prediction(
            patient=patient,
            service=service,
            as_of=DAY,
            created=timezone.now(),
            actor="user:1",
            record_digest="d" * 64,
            historical=False,
        )
        prediction.payload = seal_correlation(patient, prediction.pk, answer)
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


def cells(page: str) -> str:
    return " ".join(page.split())


def test_words_numbers_and_what_they_are_not_are_on_the_page(
    found: CorrelationAnswer,
) -> None:
    page = cells(correlation_page(found))
    (insight,) = found.report.insights
    link = insight.link
    assert link.ci and link.lag_interval and link.q_value is not None
    for said in (
        insight.text,
        insight.caveat,
        f"Reliability {insight.grade.value}: ",
        "Links are associations, not causes",
        "Reports from 2026-01-01T00:00 to 2026-03-02T00:00",
        "by the local offsets that the sources state",
        f"<td>{link.coefficient:.2f} ({link.ci[0]:.2f} to {link.ci[1]:.2f})</td>",
        "<td>12 (12 to 12) hours</td>",
        f"<td>240, worth {link.n_eff:.0f}</td>",
        "<td>direct (engine)</td>",
        "Answered by biometric_correlation version 1.",
        f"<td>{SIGNAL}</td><td>ms</td>",
    ):
        assert said in page, said
    assert "Not said" not in page and "Left out" not in page


def test_silence_says_why_and_what_would_be_needed() -> None:
    silent = answer_of(signals.linked(World(days=60, r=0.0)))
    page = cells(correlation_page(silent))
    ((signal, symptom, why),) = silent.report.silences
    assert "No link is sure enough" in page and ENGINE in page
    assert f"<td>{signal}</td><td>{symptom}</td><td>{why}</td>" in page


def test_what_was_not_examined_is_a_dash_and_never_zero() -> None:
    few = answer_of(signals.linked(World(days=6, per_day=2, r=-0.8, lag=12)))
    page = cells(correlation_page(few))
    assert page.count("<td>–</td>") == 4
    assert "12, worth –" in page


def test_lags_of_days_are_told_in_days_and_series_left_out_are_named() -> None:
    record = signals.linked()
    (reports,) = record.series
    dated = tuple(replace(entry, at="") for entry in reports.entries)
    asked = fakes.questionnaire(8, 9)
    whole = (replace(reports, entries=dated), asked)
    page = cells(correlation_page(answer_of(replace(record, series=whole))))
    assert " days</td>" in page and "days only" in page
    assert "<td>phq9</td><td>2</td>" in page


def test_an_empty_window_has_a_message_and_no_tables() -> None:
    page = correlation_page(answer_of(PatientRecord(series=())))
    assert "No biometric data in the window" in page
    assert "<table>" not in page


@pytest.mark.django_db
def test_the_team_reads_it_with_a_row_and_nobody_else_does(
    visit: Visit, store: Storing, found: CorrelationAnswer, clinician: User
) -> None:
    prediction = store(found)
    seen = visit(address(prediction.pk), client=of(clinician))
    assert found.report.insights[0].text in seen.answer.content.decode()
    assert seen.told == [("SUCCESS", "object", 1)]
    assert seen.patients == [prediction.patient_id]
    outside = visit(address(prediction.pk))  # a superuser of no care team
    assert SYMPTOM not in outside.answer.content.decode()
    assert outside.told == [("DENIED", "object", 0)]


@pytest.mark.django_db
def test_what_is_urgent_and_who_did_not_answer_come_first(
    store: Storing, clinician: User
) -> None:
    record = replace(signals.linked(), safety=(fakes.self_harm(DAY),))
    prediction = store(answer_of(record, method=NO_ANSWER))
    page = of(clinician).get(address(prediction.pk)).content.decode()
    places = [
        page.index(said)
        for said in ("<strong>Urgent: PHQ-9", f"<strong>{escape(NO_ANSWER)}", JUDGE)
    ]
    assert places == sorted(places)


@pytest.mark.django_db
def test_an_answer_that_stands_no_more_says_why(
    store: Storing, found: CorrelationAnswer, clinician: User
) -> None:
    prediction = store(found)
    at = address(prediction.pk), reverse("admin:predictions_prediction_changelist")
    why = "an entry it used was taken back"
    for url in at:
        assert why not in of(clinician).get(url).content.decode()
    Prediction.objects.update(stale_reason="taken-back", stale_since=timezone.now())
    for url in at:
        assert why in of(clinician).get(url).content.decode()


@pytest.mark.django_db
def test_closed_records_show_why_and_nothing_else(
    store: Storing, found: CorrelationAnswer, clinician: User
) -> None:
    prediction = store(found)
    Patient.objects.update(opted_out=True)
    page = of(clinician).get(address(prediction.pk)).content.decode()
    assert "Closed: the patient opted out." in page
    assert JUDGE not in page and SYMPTOM not in page


@pytest.mark.django_db
def test_an_answer_of_a_service_without_a_page_is_not_opened(
    store: Storing, found: CorrelationAnswer, clinician: User
) -> None:
    prediction = store(found, "another")
    page = of(clinician).get(address(prediction.pk)).content.decode()
    assert "no page for this service" in page and SYMPTOM not in page


@pytest.mark.django_db
def test_lists_name_the_service(
    store: Storing, found: CorrelationAnswer, clinician: User
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
        ("prediction", "?service__exact=correlation"),
        ("outboxitem", "?prediction__service=correlation"),
    ):
        url = reverse(f"admin:predictions_{name}_changelist")
        for query in ("", wanted):
            page = of(clinician).get(url + query).content.decode()
            assert '<td class="field-service">correlation</td>' in page, (name, query)
        other = of(clinician).get(url + wanted.replace("correlation", "forecast"))
        assert '<td class="field-service">' not in other.content.decode(), name
