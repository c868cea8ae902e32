"""What stands where no model can be served."""

from __future__ import annotations

import pytest

from backend import wiring
from backend.api.unserved import models_if_any
from backend.twin.errors import ModelUntrusted


def test_the_models_are_those_of_the_installation(models):
    assert models_if_any() is models


def test_where_none_can_be_served_each_one_asked_says_why(monkeypatch):
    def refused():
        raise ModelUntrusted("published twice")

    monkeypatch.setattr(wiring, "models", refused)
    nobody = models_if_any()
    with pytest.raises(ModelUntrusted, match="published twice"):
        nobody.infer("m", 1, {}, timeout_s=1.0)
    with pytest.raises(ModelUntrusted, match="published twice"):
        nobody.canary("m", 1)
