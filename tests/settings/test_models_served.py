from __future__ import annotations

import pytest

from backend import wiring
from backend.registry import services
from backend.registry.models import ModelRelease
from backend.twin.errors import ModelUnavailable


@pytest.mark.django_db
def test_a_version_with_exchanged_weights_is_not_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wiring, "_server", None)
    monkeypatch.setattr(services, "_withheld", frozenset())
    ModelRelease.objects.create(
        model="symptom_xgboost", version=1, sha256="0" * 64, card={}
    )
    server = wiring.models()
    server.canary("symptom_transformer", 1)
    with pytest.raises(ModelUnavailable):
        server.canary("symptom_xgboost", 1)


def test_only_known_parts_can_be_replaced() -> None:
    with pytest.raises(TypeError, match="clock"), wiring.use(clock=None):
        pass
