"""Asking both models at once."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from backend.predictions.asking import Heard, HeardBut, asker
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


MODEL = "symptom_xgboost"


def windows(*values):
    """So many windows, told apart by these."""
    anchor = np.repeat(np.array(values, np.float32)[:, None], 11, axis=1)
    return {"anchor": anchor, "features": 2 * anchor}


@pytest.fixture
def heard():
    """Three windows were asked about."""
    heard = Heard(FakeModels())
    heard.infer(MODEL, 7, windows(1, 2, 3), timeout_s=1.0)
    return heard


def test_what_was_heard_is_told_again_window_by_window(heard):
    again = heard.again(MODEL, 7, windows(3, 1))["quantiles"]
    assert again.shape == (2, ROWS, 11)
    assert again[:, 0, 0] == pytest.approx([3.2, 1.2])


@pytest.mark.parametrize(
    ("version", "values"), [(8, (1,)), (7, (4,)), (7, (1, 4)), (7, ())]
)
def test_what_was_not_is_unavailable(heard, version, values):
    with pytest.raises(ModelUnavailable):
        heard.again(MODEL, version, windows(*values))


@pytest.mark.parametrize("answer", [{}, {"quantiles": np.float64(1)}])
def test_an_answer_of_another_shape_is_not_kept(answer):
    class Odd(FakeModels):
        def infer(self, *args, **kwargs):
            return answer

    heard = Heard(Odd())
    assert heard.infer(MODEL, 7, windows(1), timeout_s=1.0) is answer
    with pytest.raises(ModelUnavailable):
        heard.again(MODEL, 7, windows(1))


def test_only_the_one_version_is_asked():
    models = FakeModels()
    heard = Heard(models)
    heard.infer(MODEL, 7, windows(1), timeout_s=1.0)
    but = HeardBut(heard, (MODEL, 8))
    for version in (7, 8):
        assert but.infer(MODEL, version, windows(1), timeout_s=1.0)
    but.canary(MODEL, 9)
    assert models.asked == [(MODEL, 7), (MODEL, 8), (MODEL, 9)]
