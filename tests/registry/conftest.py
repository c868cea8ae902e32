from __future__ import annotations

import pytest

from backend.registry import services
from tests.registry.made import FakeServer


@pytest.fixture(autouse=True)
def _nothing_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_withheld", frozenset())


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody fitted a calibration for whatever versions a test promotes."""
    monkeypatch.setattr("backend.registry.promotion.uncalibrated", lambda _: None)
