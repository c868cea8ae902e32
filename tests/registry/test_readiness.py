"""Holding what channels point at on a server that others load into, too."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from backend.registry.readiness import hold
from backend.registry.rows import point
from backend.twin.errors import ModelError, ModelUnavailable
from tests.registry.made import NET, TREES, registered, release

pytestmark = pytest.mark.django_db


class Shared:
    """States by model, and what it was asked to load; `down` is raised instead."""

    def __init__(self, **states: dict[int, str]) -> None:
        self.known = states
        self.loaded: dict[str, set[int]] = {}
        self.down: dict[str, ModelError] = {}

    def states(self, model: str) -> dict[int, str]:
        if model in self.down:
            raise self.down[model]
        return self.known.get(model, {})

    def load(self, model: str, versions: Collection[int]) -> None:
        self.loaded[model] = set(versions)


def test_what_lacks_is_loaded_beside_what_others_loaded() -> None:
    registered(1, 2)
    point("candidate", release(NET, 2))
    states = {1: "READY", 2: "UNAVAILABLE", 7: "READY"}
    server = Shared(**{NET: states, TREES: {1: "READY"}})
    hold(server)
    assert server.loaded == {NET: {1, 2, 7}}


def test_a_server_that_is_away_is_left_alone() -> None:
    registered(1)
    server = Shared()
    server.down[NET] = ModelUnavailable("away")
    hold(server)
    assert server.loaded == {TREES: {1}}
