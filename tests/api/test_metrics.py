"""The figures: guarded, readable for Prometheus, and nobody's data in them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from backend import wiring
from backend.predictions import beside
from backend.predictions.models import InputCount, OutcomeScore, Prediction
from backend.predictions.models import ShadowAnswer as Shadow
from backend.registry.models import Channel, ModelRelease
from backend.registry.switches import switch
from backend.twin.errors import ModelUntrusted
from backend.twin.record import PatientRecord
from tests.predictions import fakes

TOKEN = "t" * 32


@pytest.fixture
def token(settings):
    settings.MINDTWIN = {**settings.MINDTWIN, "METRICS_TOKEN": TOKEN}


@pytest.fixture
def scrape(anonymous, token):
    """Every sample: {name: {labels: value}}, labels as a sorted tuple of values."""

    def scrape():
        answer = anonymous.get("/metrics", HTTP_AUTHORIZATION=f"Bearer {TOKEN}")
        assert answer.status_code == 200
        found = {}
        for family in text_string_to_metric_families(answer.content.decode()):
            found[family.name] = {
                tuple(sorted(sample.labels.values())): sample.value
                for sample in family.samples
            }
        return found

    return scrape


@pytest.fixture
def stored(api, patient, ehr):
    ehr.record = PatientRecord(
        series=(fakes.diary(),), safety=(fakes.self_harm(fakes.LAST_DAY),)
    )
    api.post(f"/api/v1/patients/{patient.pk}/forecasts", {}, format="json")
    return Prediction.objects.get()


def test_without_a_token_in_the_settings_there_is_no_such_page(anonymous, settings):
    settings.MINDTWIN = {**settings.MINDTWIN, "METRICS_TOKEN": None}
    for sent in ("", "Bearer ", "Bearer None"):
        assert anonymous.get("/metrics", HTTP_AUTHORIZATION=sent).status_code == 404


@pytest.mark.parametrize(
    "sent", ["", "Bearer", "Bearer x", TOKEN, f"bearer {TOKEN}", f"Bearer {TOKEN}é"]
)
def test_another_token_is_refused(anonymous, token, sent):
    answer = anonymous.get("/metrics", HTTP_AUTHORIZATION=sent)
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_clinicians_token_opens_nothing(api, token):
    assert api.get("/metrics").status_code == 401


def test_nothing_can_be_written_there(anonymous, token):
    asked = {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}
    assert anonymous.post("/metrics", **asked).status_code == 405


def test_an_empty_installation_has_figures(scrape, db):
    found = scrape()
    assert found["mindtwin_predictions"] == {}
    assert found["mindtwin_outbox_oldest_seconds"] == {(): 0.0}
    assert found["mindtwin_service_on"][("forecast",)] == 1.0
    assert found["mindtwin_answers"] == {}


def test_predictions_deliveries_alerts_and_switches_are_counted(
    scrape, stored, clock, now
):
    clock[0] = now + timedelta(days=2)
    switch("forecast", on=False, actor="user:1", reason="odd")
    found = scrape()
    uses = found["mindtwin_predictions"]
    one = ("1", "production", "symptom_xgboost")
    assert uses[("1", "1d", *one[1:])] == 0.0
    assert uses[("1", "7d", *one[1:])] == uses[("1", "30d", *one[1:])] == 1.0
    assert found["mindtwin_outbox_deliveries"][("pending",)] == 1.0
    assert found["mindtwin_outbox_oldest_seconds"][()] == 2 * 86400.0
    assert found["mindtwin_alerts_open"][()] == 1.0
    assert found["mindtwin_service_on"][("forecast",)] == 0.0


def test_answers_are_counted_by_service_and_by_who_gave_them(
    *, scrape, stored, api, patient, clock, now
):
    clock[0] = now + timedelta(days=2)
    for service in ("correlations", "pharmacogenomics"):
        api.post(f"/api/v1/patients/{patient.pk}/{service}", {}, format="json")
    answers = scrape()["mindtwin_answers"]
    assert answers == {
        ("1d", "forecast", "models"): 0.0,
        ("7d", "forecast", "models"): 1.0,
        ("30d", "forecast", "models"): 1.0,
        ("1d", "correlation", "no model"): 1.0,
        ("7d", "correlation", "no model"): 1.0,
        ("30d", "correlation", "no model"): 1.0,
        ("1d", "no model", "pharmacogenomics"): 1.0,
        ("7d", "no model", "pharmacogenomics"): 1.0,
        ("30d", "no model", "pharmacogenomics"): 1.0,
    }


def test_requests_are_counted_by_service_and_outcome(
    *, scrape, api, other, anonymous, patient
):
    before = scrape()["mindtwin_requests"]
    path = f"/api/v1/patients/{patient.pk}/correlations"
    for client in (api, api, other, anonymous):
        client.post(path, {}, format="json")
        client.get(path)
    api.post(path, {"days": 0}, format="json")
    api.post(path, {"days": "x"}, format="json")
    advice = f"/api/v1/patients/{patient.pk}/pharmacogenomics"
    for asked in ({}, {}, {"medications": ["x"] * 61}, {"medications": "x"}):
        api.post(advice, asked, format="json")
    switch("forecast", on=False, actor="user:1", reason="odd")
    api.post(f"/api/v1/patients/{patient.pk}/forecasts", {}, format="json")
    found = scrape()["mindtwin_requests"]
    grown = {key: found[key] - before.get(key, 0) for key in found}
    assert {key: number for key, number in grown.items() if number} == {
        ("correlation", "new"): 1.0,
        ("correlation", "stored"): 1.0,
        ("correlation", "not-found"): 1.0,
        ("correlation", "not-authenticated"): 1.0,
        ("correlation", "days-out-of-range"): 1.0,
        ("correlation", "invalid-request"): 1.0,
        ("new", "pharmacogenomics"): 1.0,
        ("pharmacogenomics", "stored"): 1.0,
        ("pharmacogenomics", "too-many-medications"): 1.0,
        ("invalid-request", "pharmacogenomics"): 1.0,
        ("forecast", "service-off"): 1.0,
    }


def test_outcomes_drift_and_shadows_are_told(scrape, stored, now):
    OutcomeScore.objects.create(
        prediction=stored,
        position=0,
        method="ensemble",
        versions="a:1",
        days=4,
        inside_80=3,
        inside_95=4,
        error=2.0,
        loss=1.0,
        updated=now,
    )
    histogram = {"edges": [0, 1, 2], "shares": [0.5, 0.5], "missing": 0.0}
    card = fakes.card(histograms={"arrays": {"anchor": {"q0.5": histogram}}})
    ModelRelease.objects.update(card=card)
    for model, windows in (("symptom_transformer", 300), ("symptom_xgboost", 3)):
        counts = {"anchor": {"q0.5": [windows, 0, 0]}}
        row = {"version": 1, "day": now.date(), "windows": windows, "counts": counts}
        InputCount.objects.create(model=model, **row)
    differences = ("mean_difference", "max_difference", "median_difference")
    one = {"model": "a", "version": 2, "sha256": "c" * 64, "payload": b"", "windows": 1}
    Shadow.objects.create(
        prediction=stored, created=now, **one, **dict.fromkeys(differences, 0.5)
    )
    found = scrape()
    assert found["mindtwin_outcome_coverage"][("0.80", "a:1", "ensemble")] == 0.75
    assert found["mindtwin_outcome_error"][("a:1", "ensemble", "sd")] == 0.5
    assert found["mindtwin_outcome_patients"][("a:1", "ensemble")] == 1.0
    ((labels, psi),) = found["mindtwin_input_psi"].items()
    assert "symptom_transformer" in labels
    assert psi > 1.0
    assert found["mindtwin_input_windows"][("1", "symptom_xgboost")] == 3.0
    assert found["mindtwin_shadow_predictions"][("2", "a")] == 1.0
    assert found["mindtwin_shadow_difference"][("2", "a", "p95")] == 0.5


def test_calls_are_those_of_the_server_that_counts(scrape, models):
    models.calls = {("symptom_xgboost", 1, "triton", "ok"): 7}
    ((labels, value),) = scrape()["mindtwin_model_calls"].items()
    assert (set(labels), value) == ({"symptom_xgboost", "1", "triton", "ok"}, 7.0)


def test_work_that_was_lost_beside_answers_is_counted(scrape, monkeypatch):
    monkeypatch.setattr(beside, "lost", lambda: {("shadows", "dropped"): 3})
    ((labels, value),) = scrape()["mindtwin_beside_lost"].items()
    assert (labels, value) == (("dropped", "shadows"), 3.0)


def test_models_that_cannot_be_served_hide_no_other_figure(scrape, monkeypatch, db):
    def refused():
        raise ModelUntrusted("unreadable key")

    monkeypatch.setattr(wiring, "models", refused)
    assert scrape()["mindtwin_model_calls"] == {}


def test_no_patient_is_in_it(*, anonymous, token, stored, patient, clinician):
    assert Channel.objects.exists()
    page = anonymous.get("/metrics", HTTP_AUTHORIZATION=f"Bearer {TOKEN}").content
    text = page.decode()
    assert "symptom_transformer" in text
    for secret in (patient.pk, stored.pk, "ehr-4711", "mood", "north", clinician):
        assert str(secret) not in text
