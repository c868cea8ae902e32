"""Health by canary inference."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from backend import wiring
from backend.api import health
from backend.registry import services
from backend.registry.models import Channel, ModelRelease
from backend.twin.correlation import model_inputs
from backend.twin.errors import ModelUnavailable, ModelUntrusted
from backend.twin.features import schema_hash
from backend.twin.pharmacogenomics.response_inputs import MODEL as RESPONSE
from tests.predictions import fakes, treatments


@pytest.fixture
def look(anonymous):
    def look():
        health.forget()
        return anonymous.get("/api/v1/health")

    return look


def test_all_is_well(look):
    answer = look()
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "database": "ok",
        "audit": "ok",
        "models": [
            {
                "model": name,
                "version": 1,
                "state": "ok",
                "problem": "",
                "sha256": letter * 12,
                "served": "in process",
                "why": "Triton is not set up",
                "checked": "2026-03-02T09:00:00Z",
            }
            for name, letter in (("symptom_transformer", "a"), ("symptom_xgboost", "b"))
        ],
        "features": schema_hash()[:12],
        "fallback": None,
        "correlation": "engine",  # no network is in production here
        "pharmacogenomics": "sources",  # nor a response model
    }


def test_a_model_that_fails_its_known_case_is_named(look, models):
    models.broken["symptom_xgboost"] = ModelUntrusted("changed")
    answer = look()
    assert answer.status_code == 503
    body = answer.json()
    assert (body["status"], body["fallback"]) == ("degraded", "other models")
    assert body["models"][1]["problem"] == "ModelUntrusted"


def test_a_model_of_other_features_is_named(look):
    ModelRelease.objects.filter(model="symptom_xgboost").update(card={})
    assert look().json()["models"][1]["problem"] == "OtherFeatures"


def test_exchanged_weights_are_named(look, monkeypatch):
    exchanged = frozenset({("symptom_xgboost", 1)})
    monkeypatch.setattr(services, "_withheld", exchanged)
    body = look().json()
    assert [one["problem"] for one in body["models"]] == ["", "Exchanged"]
    assert (body["status"], body["fallback"]) == ("degraded", "other models")


def test_where_no_model_answers_stored_forecasts_do(look, models):
    for name in ("symptom_transformer", "symptom_xgboost"):
        models.broken[name] = ModelUnavailable("dead")
    assert look().json()["fallback"] == "stored forecasts"


def test_who_answers_in_place_of_triton_is_said(look, models, monkeypatch):
    failing = ("symptom_transformer", 1, "embedded", "unavailable")
    well = ("symptom_xgboost", 1, "triton", "ok")
    monkeypatch.setattr(models, "state", lambda: (failing, well), raising=False)
    answer = look()
    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["fallback"]) == ("ok", "in process")
    assert [(one["served"], one["why"]) for one in body["models"]] == [
        ("in process", "unavailable"),
        ("triton", ""),
    ]
    monkeypatch.setattr(models, "state", tuple)
    assert look().json()["fallback"] is None


def test_without_models_the_fallback_is_all_there_is(look):
    Channel.objects.all().delete()
    body = look().json()
    assert (body["status"], body["models"]) == ("degraded", [])
    assert body["fallback"] == "climatology"


def test_a_repository_that_is_refused_is_said(look, ehr, monkeypatch):
    def refused():
        raise ModelUntrusted("published twice")

    monkeypatch.setattr(wiring, "models", refused)
    body = look().json()
    assert body["models"][0]["problem"] == "ModelUntrusted"
    assert (body["correlation"], body["pharmacogenomics"]) == (None, "sources")


@pytest.fixture
def network(models):
    """A network of links in production beside the forecasts' models."""
    card = {"feature_schema_hash": model_inputs.schema_hash()}
    version = fakes.Version(model_inputs.MODEL, 1, "c" * 64, card)
    services.register(actor="system:test", versions=(version,))
    return version


def test_who_judges_links_is_said(look, network):
    body = look().json()
    assert (body["status"], body["fallback"]) == ("ok", None)
    assert body["models"][0]["model"] == network.model
    assert body["correlation"] == "network"


def test_a_network_that_fails_takes_no_forecast_along(look, models, network):
    models.broken[network.model] = ModelUnavailable("dead")
    body = look().json()
    assert (body["status"], body["fallback"]) == ("degraded", None)
    assert body["correlation"] == "engine"


def test_forecasts_that_fail_take_no_network_along(look, models, network):
    for name in ("symptom_transformer", "symptom_xgboost"):
        models.broken[name] = ModelUnavailable("dead")
    body = look().json()
    assert (body["status"], body["fallback"]) == ("degraded", "stored forecasts")
    assert body["correlation"] == "network"


def test_a_network_of_other_inputs_judges_nothing(look, network):
    ModelRelease.objects.filter(model=network.model).update(card={})
    assert look().json()["correlation"] == "engine"


def test_a_network_alone_forecasts_nothing(look, network):
    Channel.objects.exclude(model=network.model).delete()
    body = look().json()
    assert (body["status"], body["fallback"]) == ("degraded", "climatology")
    assert body["correlation"] == "network"


@pytest.fixture
def responder(models):
    """A response model in production beside the forecasts' models."""
    treatments.publish()


def test_whether_the_response_model_answers_is_said(look, models, responder):
    body = look().json()
    assert (body["status"], body["fallback"]) == ("ok", None)
    assert body["pharmacogenomics"] == "sources and model"
    models.broken[RESPONSE] = ModelUnavailable("dead")
    body = look().json()
    assert (body["status"], body["fallback"]) == ("degraded", None)
    assert (body["pharmacogenomics"], body["correlation"]) == ("sources", "engine")


def test_a_response_model_of_other_inputs_says_nothing(look, responder):
    ModelRelease.objects.filter(model=RESPONSE).update(card={})
    assert look().json()["pharmacogenomics"] == "sources"


def test_a_response_model_alone_forecasts_nothing(look, responder):
    Channel.objects.exclude(model=RESPONSE).delete()
    body = look().json()
    assert (body["status"], body["fallback"]) == ("degraded", "climatology")
    assert body["pharmacogenomics"] == "sources and model"


def test_a_spoilt_anchor_is_a_failure(look, patient, tmp_path):
    (tmp_path / "audit.anchor").write_bytes(b"spoilt")
    body = look().json()
    assert (body["status"], body["audit"]) == ("failed", "failed")


def test_an_anchor_that_is_gone_is_a_failure(look, patient, tmp_path):
    (tmp_path / "audit.anchor").unlink()
    assert look().json()["audit"] == "failed"


def test_a_database_that_is_gone_is_a_failure(look):
    def gone(*_args):
        raise OperationalError("gone")

    with connection.execute_wrapper(gone):
        body = look().json()
    assert (body["status"], body["database"], body["audit"]) == ("failed",) * 3
    assert (body["models"], body["correlation"]) == ([], None)
    assert body["pharmacogenomics"] is None


def test_asking_often_asks_the_models_once(anonymous, models):
    for _ in range(20):
        anonymous.get("/api/v1/health")
    assert len(models.asked) == 2
