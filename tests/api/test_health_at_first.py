"""Health of an installation in which nothing has happened yet."""

from __future__ import annotations

import pytest

from tests.predictions import fakes


@pytest.fixture
def models(db):
    """Nothing is registered, so nothing is audited either."""
    return fakes.FakeModels()


def test_an_empty_log_needs_no_anchor_yet(anonymous):
    body = anonymous.get("/api/v1/health").json()
    assert (body["audit"], body["status"]) == ("ok", "degraded")
    assert body["models"] == []
