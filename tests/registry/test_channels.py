from __future__ import annotations

import pytest
from django.db import IntegrityError
from django.utils import timezone

from backend.registry.models import ModelRelease
from backend.registry.rows import point
from backend.registry.services import (
    available,
    channels,
    digests,
    needed,
    register,
)
from tests.registry.made import NET, TREES, pointers, registered, release, versions

pytestmark = pytest.mark.django_db


def test_every_channel_says_what_it_points_at() -> None:
    registered(1, 2)
    point("shadow", release(NET, 2), percent=10)
    found = channels()
    assert set(found) == {NET, TREES}
    assert set(found[NET]) == {"production", "shadow"}
    shadow = found[NET]["shadow"]
    assert (shadow.use.version, shadow.use.channel, shadow.percent) == (2, "shadow", 10)
    assert shadow.use.sha256 == f"{2:064x}"
    assert shadow.beats_climatology("daily")


def test_a_server_needs_what_any_channel_points_at() -> None:
    registered(1, 2, 3)
    point("candidate", release(NET, 3))
    assert needed() == {NET: {1, 3}, TREES: {1}}


def test_retired_releases_keep_their_digest_and_do_not_come_back() -> None:
    registered(1, 2)
    ModelRelease.objects.filter(version=2).update(retired_at=timezone.now())
    for _ in range(2):
        assert available() == {(NET, 1), (TREES, 1)}
        assert digests()[NET, 2] == f"{2:064x}"
        assert register(actor="system:test", versions=versions(1, 2)).releases == []


def test_no_channel_gets_more_than_everybody() -> None:
    registered(1)
    with pytest.raises(IntegrityError):
        point("shadow", release(NET, 1), percent=101)


def test_a_channel_points_at_one_release() -> None:
    registered(1, 2)
    point("production", release(NET, 2))
    assert pointers() == {(NET, "production"): 2, (TREES, "production"): 1}
