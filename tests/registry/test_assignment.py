from __future__ import annotations

import json
from contextlib import nullcontext

import pytest

from backend.audit.models import AccessEvent
from backend.registry.assignment import assign, clear, retire
from backend.registry.models import Channel, ModelRelease
from backend.registry.promotion import promote
from backend.registry.rows import point
from backend.registry.services import register
from backend.twin.correlation import model_inputs
from backend.twin.errors import ModelGated, ModelUntrusted
from backend.twin.features import schema_hash
from backend.twin.pharmacogenomics import response_inputs
from tests.predictions.fakes import Version
from tests.registry.made import ACTOR, NET, FakeServer, pointers, registered, release

pytestmark = pytest.mark.django_db


def shadow(server: FakeServer, version: int = 2, percent: int = 25) -> None:
    assign(
        actor=ACTOR, channel="shadow", of=(NET, version), models=server, percent=percent
    )


def test_a_shadow_is_held_answers_its_case_and_has_its_share(
    server: FakeServer,
) -> None:
    registered(1, 2)
    shadow(server)
    assert server.held[NET] == {1, 2}
    assert ("canary", NET, 2) in server.steps
    assert Channel.objects.get(name="shadow").percent == 25
    row = AccessEvent.objects.latest("seq")
    assert (row.action, row.outcome) == ("ASSIGN", "SUCCESS")
    assert json.loads(row.detail) == {
        "model": NET,
        "version": 2,
        "channel": "shadow",
        "percent": 25,
    }


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_share_is_of_a_hundred(server: FakeServer, percent: int) -> None:
    registered(1, 2)
    with pytest.raises(ValueError, match="0 to 100"):
        shadow(server, percent=percent)


def test_production_is_not_assigned(server: FakeServer) -> None:
    registered(1, 2)
    with pytest.raises(ValueError, match="candidate"):
        assign(actor=ACTOR, channel="production", of=(NET, 2), models=server)
    with pytest.raises(ValueError, match="candidate"):
        clear(actor=ACTOR, channel="production", model=NET, models=server)


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (9, "not registered"),
        (1, "in production already"),
        (3, "trained on other features"),
    ],
)
def test_what_is_not_to_be_asked_is_refused(
    server: FakeServer, version: int, reason: str
) -> None:
    registered(1, 2, 3)
    ModelRelease.objects.filter(version=3).update(card={})
    with pytest.raises(ModelGated, match=reason):
        shadow(server, version)
    assert (NET, "shadow") not in pointers()
    assert AccessEvent.objects.latest("seq").outcome == "DENIED"


LINKS = {"model": model_inputs.MODEL, "feature_schema_hash": model_inputs.schema_hash()}
FORECASTS = {**LINKS, "feature_schema_hash": schema_hash()}
RESPONSES = {
    "model": response_inputs.MODEL,
    "feature_schema_hash": response_inputs.schema_hash(),
}


@pytest.mark.parametrize(
    ("channel", "card", "reason"),
    [
        ("candidate", LINKS, ""),
        ("candidate", FORECASTS, "trained on other features"),
        ("shadow", LINKS, "correlations ask no shadow"),
        ("candidate", RESPONSES, ""),
        ("shadow", RESPONSES, "treatment comparisons ask no shadow"),
    ],
)
def test_what_is_no_forecast_may_be_a_candidate_and_no_shadow(
    server: FakeServer, channel: str, card: dict[str, str], reason: str
) -> None:
    model = card["model"]
    for versions in ((1,), (1, 2)):
        found = [Version(model, n, f"{n:064x}", card) for n in versions]
        register(actor="system:test", versions=found)
    of = (model, 2)
    told = pytest.raises(ModelGated, match=reason) if reason else nullcontext()
    with told:
        assign(actor=ACTOR, channel=channel, of=of, models=server)
    assert ((model, channel) in pointers()) == (not reason)


def test_a_shadow_that_fails_its_case_is_none(server: FakeServer) -> None:
    registered(1, 2)
    server.broken[NET] = ModelUntrusted("differs")
    with pytest.raises(ModelUntrusted):
        shadow(server)
    assert (NET, "shadow") not in pointers()


def test_what_is_retired_while_it_is_loaded_is_no_shadow(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(1, 2)

    def meanwhile(model: str, version: int) -> None:
        retire(actor=ACTOR, of=(model, version), models=FakeServer())

    monkeypatch.setattr(server, "canary", meanwhile)
    with pytest.raises(ModelGated, match="it was retired"):
        shadow(server)
    assert (NET, "shadow") not in pointers()
    assert AccessEvent.objects.latest("seq").outcome == "DENIED"


def test_a_shadow_is_switched_off_once(server: FakeServer) -> None:
    registered(1, 2)
    shadow(server)
    clear(actor=ACTOR, channel="shadow", model=NET, models=server)
    assert (NET, "shadow") not in pointers()
    assert server.held[NET] == {1}
    with pytest.raises(ModelGated, match=f"{NET} has no shadow"):
        clear(actor=ACTOR, channel="shadow", model=NET, models=server)


@pytest.mark.usefixtures("fitted")
def test_what_a_channel_uses_is_not_retired(server: FakeServer) -> None:
    registered(1, 2, 3)
    promote(actor=ACTOR, releases={NET: 2}, approver="ada", models=server)
    shadow(server, 3)
    for version, use in ((2, "production"), (3, "shadow")):
        with pytest.raises(ModelGated, match=f"it is {use}"):
            retire(actor=ACTOR, of=(NET, version), models=server)
    assert not ModelRelease.objects.exclude(retired_at=None).exists()
    retire(actor=ACTOR, of=(NET, 1), models=server)
    assert (NET, "previous") not in pointers()


def test_a_retired_candidate_is_let_go_and_may_be_retired_again(
    server: FakeServer,
) -> None:
    registered(1, 2)
    point("candidate", release(NET, 2))
    retire(actor=ACTOR, of=(NET, 2), models=server)
    first = release(NET, 2).retired_at
    assert first is not None
    assert (NET, "candidate") not in pointers()
    assert server.held[NET] == {1}
    retire(actor=ACTOR, of=(NET, 2), models=server)
    assert release(NET, 2).retired_at == first


def test_what_nobody_knows_is_not_retired(server: FakeServer) -> None:
    with pytest.raises(ModelGated, match="not registered"):
        retire(actor=ACTOR, of=(NET, 2), models=server)
