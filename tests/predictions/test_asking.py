"""Asking both models at once."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from backend.predictions.asking import asker
from backend.twin.ensemble import ROWS
from backend.twin.errors import ModelRefused, ModelUnavailable
from backend.twin.trajectory import ModelUse
from tests.predictions.fakes import FakeModels

USES = {
    name: ModelUse(name, version, "a" * 64, "production", 0.5)
    for name, version in (("symptom_transformer", 3), ("symptom_xgboost", 7))
}
INPUTS = {name: {"anchor": np.zeros((2, 11), np.float32)} for name in USES}


def test_each_model_is_asked_at_its_pinned_version():
    models = FakeModels()
    answers = asker(models, USES, timeout_s=1.0)(INPUTS)
    assert sorted(models.asked) == [("symptom_transformer", 3), ("symptom_xgboost", 7)]
    assert answers["symptom_xgboost"].shape == (2, ROWS, 11)
    assert answers["symptom_xgboost"][0, 0, 0] == pytest.approx(0.2)


def test_an_error_is_an_answer_and_spares_the_other_model():
    models = FakeModels()
    models.broken["symptom_xgboost"] = ModelUnavailable("gone")
    answers = asker(models, USES, timeout_s=1.0)(INPUTS)
    assert isinstance(answers["symptom_xgboost"], ModelUnavailable)
    assert isinstance(answers["symptom_transformer"], np.ndarray)


def test_an_answer_without_quantiles_is_refused():
    class Mute(FakeModels):
        def infer(self, *args, **kwargs):
            return {"other": np.zeros(1)}

    answers = asker(Mute(), USES, timeout_s=1.0)(INPUTS)
    assert all(isinstance(one, ModelRefused) for one in answers.values())


def test_the_models_work_at_the_same_time():
    both = threading.Barrier(2, timeout=10)

    class Meeting(FakeModels):
        """Answers only when the other model is asked as well."""

        def infer(self, *args, **kwargs):
            both.wait()
            return super().infer(*args, **kwargs)

    assert len(asker(Meeting(), USES, timeout_s=1.0)(INPUTS)) == 2


def test_without_models_nothing_is_asked():
    assert asker(FakeModels(), {}, timeout_s=1.0)({}) == {}
