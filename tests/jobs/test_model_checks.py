"""What is looked at on a server that can say what it has loaded."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from backend import wiring
from backend.audit.models import AccessEvent
from backend.inference.catalogue import read_catalogue
from backend.jobs.model_checks import check_models
from backend.registry import services
from backend.registry.models import Channel, ModelRelease
from backend.twin.errors import ModelUnavailable, ModelUntrusted
from tests.versions import shipped_version

pytestmark = pytest.mark.django_db
NET, TREES = "symptom_transformer", "symptom_xgboost"
LINKS, RESPONSES = "biometric_correlation", "treatment_response"
NUMBER = {model: shipped_version(model) for model in (NET, TREES, LINKS, RESPONSES)}
WELL = tuple((model, number, "triton", "ok") for model, number in NUMBER.items())


@pytest.fixture(autouse=True)
def _shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_withheld", frozenset())
    found = read_catalogue(wiring.model_repository(), trusted=wiring.trusted())
    services.register(actor="system:test", versions=found)


def look(
    *, loaded: bool = True, wrong: str = "", state: tuple[Any, ...] = WELL
) -> list[str]:
    def canary(model: str, _version: int) -> None:
        if model == wrong:
            raise ModelUntrusted("it differs")

    server = SimpleNamespace(
        canary=canary, ready=lambda _model, _version: loaded, state=lambda: state
    )
    with wiring.use(models=server):
        return check_models(actor="command:test@me", thorough=False)


def test_where_all_is_well_there_is_nothing_to_say() -> None:
    assert look() == []
    row = AccessEvent.objects.latest("seq")
    assert (row.action, row.outcome) == ("VERIFY", "SUCCESS")
    assert json.loads(row.detail) == {"what": "models", "problems": 0}


def test_a_version_that_is_not_loaded_is_named() -> None:
    said = [f"{m} version {n} is not loaded on Triton" for m, n in NUMBER.items()]
    assert look(loaded=False) == sorted(said)


def test_a_version_that_no_channel_names_is_named_once_loaded() -> None:
    Channel.objects.filter(model=TREES).delete()
    assert look() == [f"{TREES} version {NUMBER[TREES]} is loaded, but in no channel"]
    assert look(loaded=False) == [
        f"{model} version {NUMBER[model]} is not loaded on Triton"
        for model in (LINKS, NET, RESPONSES)
    ]


def test_a_wrong_answer_is_named() -> None:
    said = f"{NET} version {NUMBER[NET]} fails its known case: it differs"
    assert look(wrong=NET) == [said]
    assert AccessEvent.objects.latest("seq").outcome == "FAILED"


def test_who_answers_in_tritons_place_is_named() -> None:
    away = ((NET, NUMBER[NET], "embedded", "unavailable"), *WELL[1:])
    away += ((NET, 99, "embedded", "not_found"),)  # of no channel, so nobody minds
    said = f"{NET} version {NUMBER[NET]} is answered in process; Triton: unavailable"
    assert look(state=away) == [said]


def test_models_that_are_not_served_at_all_are_one_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused() -> None:
        raise ModelUnavailable("no server")

    monkeypatch.setattr(wiring, "models", refused)
    assert check_models(actor="command:test@me", thorough=False) == [
        "models are not served: no server"
    ]


def test_weights_that_were_exchanged_are_named() -> None:
    ModelRelease.objects.filter(model=NET).update(sha256="0" * 64)
    said = f"{NET} version {NUMBER[NET]} has other weights than were registered"
    assert look() == [said]
