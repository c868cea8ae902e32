from __future__ import annotations

from typing import Any

import pytest

from backend import wiring
from backend.inference.catalogue import latest_verified, read_catalogue
from backend.inference.keys import SHIPPED
from backend.registry import services
from backend.registry.models import ModelRelease
from backend.twin.errors import ModelUnavailable

SOUND, EXCHANGED = "symptom_transformer", "symptom_xgboost"


@pytest.mark.django_db
def test_a_version_with_exchanged_weights_is_not_served(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(wiring, "_server", None)
    monkeypatch.setattr(services, "_withheld", frozenset())
    found = latest_verified(
        read_catalogue(settings.MINDTWIN["MODEL_REPOSITORY"], trusted=[SHIPPED])
    )
    sound, exchanged = (found[name].version for name in (SOUND, EXCHANGED))
    ModelRelease.objects.create(
        model=EXCHANGED, version=exchanged, sha256="0" * 64, card={}
    )
    server = wiring.models()
    server.canary(SOUND, sound)
    with pytest.raises(ModelUnavailable):
        server.canary(EXCHANGED, exchanged)


def test_only_known_parts_can_be_replaced() -> None:
    with pytest.raises(TypeError, match="clock"), wiring.use(clock=None):
        pass
