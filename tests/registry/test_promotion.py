"""Promotion and rollback: all or nothing, recorded, and never before the server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backend.audit import ledger
from backend.audit.models import AccessEvent
from backend.registry import promotion, services
from backend.registry.assignment import retire
from backend.registry.models import Channel, ModelRelease
from backend.registry.promotion import promote, rollback, standing
from backend.registry.rows import point
from backend.twin.errors import AuditUnavailable, ModelGated, ModelUnavailable
from tests.registry.made import (
    ACTOR,
    NET,
    TREES,
    FakeServer,
    pointers,
    registered,
    release,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fitted")]
BEFORE = {(NET, "production"): 1, (TREES, "production"): 1}


def go(server: FakeServer, approver: str = "ada", **releases: int) -> None:
    promote(actor=ACTOR, releases=releases, approver=approver, models=server)


def back(*models: str, seen: dict[str, int] | None = None) -> dict[str, int]:
    return rollback(
        actor=ACTOR, models=models, seen=standing() if seen is None else seen
    )


def last_rows(count: int) -> list[tuple[str, str, dict[str, Any]]]:
    rows = AccessEvent.objects.order_by("-seq")[:count]
    return [(one.action, one.outcome, json.loads(one.detail)) for one in rows][::-1]


def test_both_models_move_together(server: FakeServer) -> None:
    registered(1, 2)
    go(server, **{NET: 2, TREES: 2})
    assert pointers() == {
        (NET, "production"): 2,
        (NET, "previous"): 1,
        (TREES, "production"): 2,
        (TREES, "previous"): 1,
    }
    waived = {"approver": "ada", "uncalibrated": 0}
    assert last_rows(2) == [
        ("PROMOTE", "SUCCESS", {"model": NET, "version": 2, **waived}),
        ("PROMOTE", "SUCCESS", {"model": TREES, "version": 2, **waived}),
    ]
    assert Channel.objects.get(model=NET, name="production").approver == "ada"


def test_the_server_holds_old_and_new_and_answers_before_the_pointer_moves(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(1, 2)
    asked = []
    case = server.canary
    monkeypatch.setattr(
        server, "canary", lambda *of: (asked.append(pointers()), case(*of))
    )
    go(server, **{NET: 2})
    assert asked == [BEFORE]
    assert server.steps[:3] == [
        ("load", NET, 1),
        ("load", NET, 2),
        ("canary", NET, 2),
    ]
    assert server.held[NET] == {1, 2}


def test_what_no_channel_names_any_more_is_let_go(server: FakeServer) -> None:
    registered(1, 2, 3)
    go(server, **{NET: 2})
    go(server, **{NET: 3})
    assert server.held[NET] == {2, 3}


@pytest.mark.parametrize("channel", ["candidate", "shadow"])
def test_a_promoted_candidate_or_shadow_is_none_any_more(
    server: FakeServer, channel: str
) -> None:
    registered(1, 2, 3)
    point(channel, release(NET, 2))
    point(channel, release(TREES, 3))
    go(server, **{NET: 2, TREES: 2})
    assert (NET, channel) not in pointers()
    assert pointers()[TREES, channel] == 3


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (9, ("unknown", "it is not registered: publish it first")),
        (2, ("retired", "it was retired")),
        (3, ("exchanged", "its weights are not those that were registered")),
        (1, ("production", "it is in production already")),
        (4, ("features+people", "it was trained on other features")),
    ],
)
def test_a_refusal_is_said_and_recorded_and_nothing_moves(
    server: FakeServer,
    monkeypatch: pytest.MonkeyPatch,
    version: int,
    said: tuple[str, str],
) -> None:
    gate, reason = said
    registered(1, 2, 3, 4)
    ModelRelease.objects.filter(version=2).update(retired_at="2026-01-01T00:00Z")
    ModelRelease.objects.filter(version=4).update(card={})
    monkeypatch.setattr(services, "_withheld", frozenset({(NET, 3)}))
    with pytest.raises(ModelGated) as refused:
        go(server, **{NET: version, TREES: 3})
    assert refused.value.reasons[0].startswith(f"{NET} version {version}: {reason}")
    assert "\n" not in str(refused.value)
    assert pointers() == BEFORE
    assert server.steps == []
    ((action, outcome, detail),) = last_rows(1)
    assert (action, outcome) == ("PROMOTE", "DENIED")
    assert detail["gates"].startswith(gate)


@pytest.mark.parametrize("approver", ["", "Ada Lovelace", "ada\n"])
def test_somebody_must_answer_for_it(server: FakeServer, approver: str) -> None:
    registered(1, 2)
    with pytest.raises(ModelGated, match="nobody approved it"):
        go(server, approver, **{NET: 2})
    assert pointers() == BEFORE


def test_uncalibrated_forecasts_need_a_word(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    registered(1, 2)
    with pytest.raises(ModelGated, match="would not be calibrated") as refused:
        go(server, **{NET: 2})
    assert f"{NET} 2, {TREES} 1" in str(refused.value)
    promote(
        actor=ACTOR,
        releases={NET: 2},
        approver="ada",
        models=server,
        calibrated=False,
    )
    assert last_rows(1)[0][2]["uncalibrated"] == 1


@pytest.mark.parametrize("where", ["broken", "unloadable"])
def test_a_server_that_fails_keeps_production(server: FakeServer, where: str) -> None:
    registered(1, 2)
    getattr(server, where)[TREES] = ModelUnavailable("dead")
    with pytest.raises(ModelUnavailable):
        go(server, **{NET: 2, TREES: 2})
    assert pointers() == BEFORE
    detail = {"model": TREES, "version": 2, "problem": "ModelUnavailable"}
    assert last_rows(1) == [("PROMOTE", "FAILED", detail)]


def test_without_its_row_no_pointer_moves(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(1, 2)
    kept = ledger.record

    def full(**words: Any) -> None:
        if words["detail"].get("model") == TREES:
            raise AuditUnavailable("no room")
        kept(**words)

    monkeypatch.setattr(ledger, "record", full)
    with pytest.raises(AuditUnavailable):
        go(server, **{NET: 2, TREES: 2})
    assert pointers() == BEFORE


def test_two_promotions_at_once_do_not_mix(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(1, 2, 3)

    def meanwhile(model: str, _version: int) -> None:
        point("production", release(model, 3))

    monkeypatch.setattr(server, "canary", meanwhile)
    with pytest.raises(ModelGated, match="production changed meanwhile"):
        go(server, **{NET: 2})
    assert pointers()[NET, "production"] == 3
    assert last_rows(1)[0][:2] == ("PROMOTE", "DENIED")


def test_what_is_retired_while_it_is_loaded_is_not_promoted(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(1, 2)

    def meanwhile(model: str, version: int) -> None:
        retire(actor=ACTOR, of=(model, version), models=FakeServer())

    monkeypatch.setattr(server, "canary", meanwhile)
    with pytest.raises(ModelGated, match=f"{NET} version 2: it was retired"):
        go(server, **{NET: 2})
    assert pointers() == BEFORE
    assert last_rows(1)[0][:2] == ("PROMOTE", "DENIED")


def test_a_model_without_production_gets_its_first(server: FakeServer) -> None:
    registered(1)
    Channel.objects.all().delete()
    go(server, **{NET: 1})
    assert pointers() == {(NET, "production"): 1}


def test_rollback_swaps_and_loads_nothing(server: FakeServer) -> None:
    registered(1, 2)
    go(server, **{NET: 2, TREES: 2})
    server.steps.clear()
    assert back(NET, TREES) == {NET: 1, TREES: 1}
    assert pointers()[NET, "production"] == 1
    assert pointers()[NET, "previous"] == 2
    assert server.steps == []
    detail = {"model": TREES, "version": 1, "left": 2}
    assert last_rows(1) == [("ROLLBACK", "SUCCESS", detail)]


def test_two_who_leave_the_same_version_go_back_once(server: FakeServer) -> None:
    registered(1, 2)
    go(server, **{NET: 2})
    seen = standing()
    back(NET, seen=seen)
    with pytest.raises(ModelGated, match=f"{NET}: production changed meanwhile"):
        back(NET, seen=seen)
    assert pointers()[NET, "production"] == 1
    assert last_rows(1)[0][:2] == ("ROLLBACK", "DENIED")


def test_what_was_left_behind_comes_back_by_a_promotion_alone(
    server: FakeServer,
) -> None:
    registered(1, 2)
    go(server, **{NET: 2})
    back(NET)
    with pytest.raises(ModelGated, match="version 2 was rolled back from: `promote`"):
        back(NET)
    assert pointers()[NET, "production"] == 1
    go(server, **{NET: 2})
    assert back(NET) == {NET: 1}


def test_nothing_goes_back_to_what_was_exchanged(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(1, 2)
    go(server, **{NET: 2})
    monkeypatch.setattr(services, "_withheld", frozenset({(NET, 1)}))
    with pytest.raises(ModelGated, match="not those that were registered"):
        back(NET)
    assert pointers()[NET, "production"] == 2


def test_without_a_predecessor_nothing_goes_back(server: FakeServer) -> None:
    registered(1, 2)
    go(server, **{NET: 2})
    with pytest.raises(ModelGated, match=f"{TREES}.* no previous version"):
        back(NET, TREES)
    assert pointers()[NET, "production"] == 2
    assert last_rows(1)[0][:2] == ("ROLLBACK", "DENIED")


def test_a_model_beside_the_blend_needs_no_calibration() -> None:
    assert promotion._calibration({"other": 1, **_fitted()}) == ()


def _fitted() -> dict[str, int]:
    from backend.twin.calibration import _table  # noqa: PLC0415

    return dict(_table()["versions"])
