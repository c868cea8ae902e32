"""Registering versions and asking which of them is in production."""

from __future__ import annotations

import math

import pytest

from backend.audit import ledger
from backend.audit.models import AccessEvent
from backend.registry import services
from backend.registry.models import Channel, ModelRelease
from backend.registry.services import (
    available,
    exchanged,
    production,
    register,
    withheld,
)
from backend.twin.errors import AuditUnavailable
from tests.predictions.fakes import VERSIONS, Version, card

pytestmark = pytest.mark.django_db
NET = "symptom_transformer"


def put(*versions):
    return register(actor="system:test", versions=versions)


def test_on_an_empty_registry_the_highest_verified_version_is_production():
    put(
        Version(NET, 1, "a" * 64, card()),
        Version(NET, 2, "b" * 64, card()),
        Version(NET, 3, "c" * 64, card(), verified=False),
    )
    use = production()[NET].use
    assert (use.version, use.sha256, use.channel) == (2, "b" * 64, "production")
    assert use.weight == 0.0
    assert ModelRelease.objects.count() == 2


def test_a_newer_version_waits_for_its_promotion():
    put(Version(NET, 1, "a" * 64, card()))
    put(Version(NET, 1, "a" * 64, card()), Version(NET, 2, "b" * 64, card()))
    assert production()[NET].use.version == 1


def test_a_new_model_gets_its_own_production():
    put(*VERSIONS[:1])
    put(*VERSIONS)
    assert sorted(production()) == ["symptom_transformer", "symptom_xgboost"]


def test_to_register_again_changes_and_records_nothing():
    put(*VERSIONS)
    rows = AccessEvent.objects.count()
    assert put(*VERSIONS).releases == []
    assert AccessEvent.objects.count() == rows == 2
    assert Channel.objects.count() == 2


def test_each_new_version_is_recorded_with_its_actor():
    put(*VERSIONS)
    row = AccessEvent.objects.earliest("seq")
    assert (row.action, row.actor) == ("REGISTER", "system:test")
    assert row.detail == '{"model":"symptom_transformer","version":1}'


def test_a_known_version_with_another_digest_is_left_out_and_reported():
    put(Version(NET, 1, "a" * 64, card()))
    both = (Version(NET, 1, "f" * 64, card()), Version(NET, 2, "b" * 64, card()))
    assert exchanged(both) == {(NET, 1)}
    done = put(*both)
    assert [one.version for one in done.releases] == [2]
    assert done.exchanged == withheld() == {(NET, 1)}
    assert production()[NET].use.sha256 == "a" * 64


def test_an_exchanged_version_is_recorded_as_denied():
    put(Version(NET, 1, "a" * 64, card()))
    put(Version(NET, 1, "f" * 64, card()))
    row = AccessEvent.objects.latest("seq")
    assert (row.action, row.outcome) == ("REGISTER", "DENIED")
    assert row.detail == '{"model":"symptom_transformer","version":1}'


def test_what_was_put_back_is_served_again():
    put(Version(NET, 1, "a" * 64, card()))
    put(Version(NET, 1, "f" * 64, card()))
    put(Version(NET, 1, "a" * 64, card()))
    assert withheld() == frozenset()


@pytest.mark.parametrize(
    ("model", "number", "said"),
    [
        (
            NET,
            2,
            {"metrics": {"x": math.nan}},
        ),  # the database's JSON has no such number
        (NET, 2**63, {}),
        ("other", 1, {"metrics": {"x": math.inf}}),
    ],
)
def test_a_version_that_the_database_refuses_keeps_no_other_out(model, number, said):
    bad = Version(model, number, "b" * 64, card() | said)
    put(Version(NET, 1, "a" * 64, card()))
    for _ in range(2):
        done = put(bad, Version(NET, 3, "c" * 64, card()), *VERSIONS[1:])
        assert done.refused == {(model, number)}
        row = AccessEvent.objects.latest("seq")
        assert (row.action, row.outcome) == ("REGISTER", "FAILED")
        assert row.detail == f'{{"model":"{model}","version":{number}}}'
    assert available() == {(NET, 1), (NET, 3), ("symptom_xgboost", 1)}
    assert set(production()) == {NET, "symptom_xgboost"}


def test_what_another_process_registered_meanwhile_is_recorded_once(monkeypatch):
    put(*VERSIONS)
    rows = AccessEvent.objects.count()
    monkeypatch.setattr(services, "digests", dict)
    assert len(put(*VERSIONS).releases) == AccessEvent.objects.count() == rows


def test_without_its_row_nothing_is_registered(monkeypatch):
    kept = ledger.record

    def full(**words):
        if words["detail"]["version"] == 2:
            raise AuditUnavailable("no room")
        kept(**words)

    monkeypatch.setattr(ledger, "record", full)
    with pytest.raises(AuditUnavailable):
        put(Version(NET, 1, "a" * 64, card()), Version(NET, 2, "b" * 64, card()))
    assert not ModelRelease.objects.exists()
    assert not AccessEvent.objects.exists()


def test_nothing_is_exchanged_where_nothing_is_known():
    assert exchanged((Version(NET, 1, "f" * 64, card()),)) == frozenset()


def test_an_exchanged_file_that_does_not_verify_is_left_to_the_server():
    put(Version(NET, 1, "a" * 64, card()))
    done = put(Version(NET, 1, "f" * 64, {}, verified=False))
    assert done == ([], frozenset(), frozenset())
    assert production()[NET].use.sha256 == "a" * 64


@pytest.mark.parametrize(
    ("said", "holds"),
    [({"daily": True}, True), ({"daily": False}, False), ({}, False), (None, False)],
)
def test_a_model_beats_the_climatology_only_where_its_card_says_so(said, holds):
    put(Version(NET, 1, "a" * 64, {} if said is None else {"beats_climatology": said}))
    assert production()[NET].beats_climatology("daily") is holds


def test_rows_are_named_by_model_and_version():
    (release,) = put(Version(NET, 1, "a" * 64, card())).releases
    assert str(release) == "symptom_transformer version 1"
    assert str(release.channels.get()) == "symptom_transformer production"
