"""Which response model a file is scored by, and what happens where it is silent."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from backend import wiring
from backend.jobs import pharmacogenomics_response
from backend.jobs.pharmacogenomics_lines import Asked, read_line
from backend.jobs.pharmacogenomics_response import ResponseModel, response_model
from backend.twin.errors import ModelUnavailable
from backend.twin.pharmacogenomics.report import report
from backend.twin.pharmacogenomics.response import ResponsePolicy
from backend.twin.trajectory import ModelUse
from tests.predictions.treatments import GONE, Responder

USE = ModelUse("treatment_response", 1, "a" * 64, "production", 1.0)


def asked(*medications: str) -> Asked:
    line = {"id": 1, "medications": medications, "current_medications": ["fluoxetine"]}
    return read_line(orjson.dumps(line))


def test_the_figures_reach_the_recommendations() -> None:
    server = Responder(efficacy=0.2)
    one = asked("sertraline", "haloperidol", "a herb")
    made = ResponseModel(USE, server, 1.0).scored(one, report(one.case))
    sertraline, haloperidol, herb = made.recommendations
    assert sertraline.response is not None
    assert (sertraline.response.efficacy, sertraline.action) == (
        pytest.approx(0.2),
        "consider_alternative",
    )
    assert haloperidol.withheld == "the model does not answer for this medicine"
    assert herb.withheld == "the medicine is not known"
    assert server.asked == 1


@pytest.mark.parametrize(("least", "is_told"), [(0.9, True), (0.91, False)])
def test_what_is_too_unsure_is_withheld(least: float, *, is_told: bool) -> None:
    one = asked("sertraline")
    policy = ResponsePolicy(least_confidence=least)
    server = Responder(confidence=0.9000001)
    made = ResponseModel(USE, server, 1.0, policy).scored(one, report(one.case))
    assert (made.recommendations[0].response is not None) == is_told


def test_a_silent_model_ends_the_run() -> None:
    one = asked("sertraline")
    model = ResponseModel(USE, Responder(GONE), 1.0)
    with pytest.raises(ModelUnavailable, match="goes on where this one was"):
        model.scored(one, report(one.case))


def test_the_one_in_production_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def approved(*uses: Any) -> None:
        monkeypatch.setattr(
            pharmacogenomics_response, "approved_response_model", lambda: uses
        )

    approved(USE)
    server = Responder()
    with wiring.use(models=server):
        found = response_model(0.6)
    assert (found.use, found.server) == (USE, server)
    assert found.timeout_s > 0
    assert (found.policy.least_confidence, found.told["least_confidence"]) == (0.6, 0.6)
    assert found.told["version"] == 1
    assert "simulated outcomes" in str(found.told["label"])
    approved()
    none = "no version of it is in production"
    with wiring.use(models=server), pytest.raises(ModelUnavailable, match=none):
        response_model(0.6)


def test_what_is_shipped_is_registered_before_it_is_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registered: list[ModelUse] = []

    def models() -> Responder:
        registered.append(USE)
        return Responder()

    monkeypatch.setattr(wiring, "models", models)
    monkeypatch.setattr(
        pharmacogenomics_response, "approved_response_model", lambda: (*registered,)
    )
    assert response_model(0.6).use == USE
