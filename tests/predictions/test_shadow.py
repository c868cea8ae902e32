"""A version in the shadow: asked beside production, seen by nobody."""

from __future__ import annotations

from uuid import UUID, uuid4

import orjson
import pytest
from django.db import DatabaseError

from backend.people import crypto
from backend.predictions import shadow
from backend.predictions.models import Prediction, ShadowAnswer
from backend.predictions.selectors import shadow_summary
from backend.predictions.shadow import is_covered
from backend.registry.models import Channel, ModelRelease
from backend.twin.errors import ModelUnavailable
from backend.twin.record import PatientRecord
from tests.predictions import fakes

MODEL = "symptom_transformer"


class Versioned(fakes.FakeModels):
    """Version 2 of the transformer answers `further` z units above version 1."""

    def __init__(self, *, further: float = 0.5) -> None:
        super().__init__()
        self.further, self.fault, self.given_s = further, None, []

    def infer(self, model, version, inputs, *, timeout_s):
        answer = super().infer(model, version, inputs, timeout_s=timeout_s)
        if version != 2:
            return answer
        self.given_s.append(timeout_s)
        if self.fault:
            raise self.fault
        return {"quantiles": answer["quantiles"] + self.further}


@pytest.fixture
def models(registered):
    return Versioned()


@pytest.fixture
def shadowed(registered):
    """Put version 2 into the shadow of so many per cent of the patients."""

    def shadowed(percent=100, **card):
        release = ModelRelease.objects.create(
            model=MODEL, version=2, sha256="c" * 64, card=fakes.card(**card)
        )
        Channel.objects.create(
            model=MODEL, name="shadow", release=release, percent=percent
        )

    return shadowed


def test_the_answer_is_what_it_is_without_a_shadow(ask, shadowed):
    without = ask()
    Prediction.objects.all().delete()
    shadowed()
    assert ask().instruments == without.instruments
    kept = ShadowAnswer.objects.get()
    assert (kept.model, kept.version, kept.sha256) == (MODEL, 2, "c" * 64)
    # 0.7 of the blend moved by 0.5, then put on whole answers, which lie 0.7 sd apart
    assert 0.2 < kept.mean_difference < 0.5
    assert kept.median_difference == pytest.approx(0.7, abs=0.02)
    assert kept.mean_difference < kept.max_difference < 0.75


def test_a_version_that_says_the_same_differs_by_nothing(ask, shadowed, models):
    models.further = 0.0
    shadowed()
    ask()
    kept = ShadowAnswer.objects.get()
    assert kept.mean_difference == kept.max_difference == kept.median_difference == 0.0
    assert (kept.width_ratio, kept.windows) == (1.0, 1)


def test_intervals_without_width_have_no_ratio(ask, shadowed, models, monkeypatch):
    monkeypatch.setattr(shadow, "_width", lambda _quantiles: 0.0)
    shadowed()
    ask()
    assert ShadowAnswer.objects.get().width_ratio is None


def test_what_it_said_is_sealed_for_its_row(ask, shadowed, patient):
    shadowed()
    ask()
    kept = ShadowAnswer.objects.get()
    plain = crypto.unseal(
        patient, table=shadow.TABLE, column="payload", row=kept.pk, blob=kept.payload
    )
    (quantiles,) = orjson.loads(plain).values()
    assert (len(quantiles), len(quantiles[0])) == (14, 11)


@pytest.mark.parametrize("hindrance", ["no percent", "other features", "none to ask"])
def test_who_is_not_asked_has_no_row(*, ask, shadowed, models, ehr, hindrance):
    other = {"feature_schema_hash": "x"} if hindrance == "other features" else {}
    shadowed(0 if hindrance == "no percent" else 100, **other)
    if hindrance == "none to ask":
        ehr.record = PatientRecord(series=(fakes.questionnaire(8, 9),))
    ask()
    assert (MODEL, 2) not in models.asked
    assert not ShadowAnswer.objects.exists()


@pytest.mark.parametrize(
    "fault",
    [ModelUnavailable("gone"), MemoryError(), OSError("secrets"), RuntimeError("x")],
)
def test_a_shadow_that_fails_does_no_harm(*, ask, shadowed, models, fault, caplog):
    shadowed()
    models.fault = fault
    assert not ask().stale
    assert Prediction.objects.count() == 1
    assert not ShadowAnswer.objects.exists()
    assert "secrets" not in caplog.text


def test_it_is_asked_after_the_answer_with_all_the_time_there_is(
    ask, shadowed, models, policy
):
    shadowed()
    left = []
    ask(beside=lambda _name, work: left.append(work))
    assert (MODEL, 2) not in models.asked
    for work in left:
        work()
    assert models.given_s == [policy.timeout_s]
    assert ShadowAnswer.objects.count() == 1


def test_the_others_of_the_blend_are_not_asked_again(ask, shadowed, models):
    shadowed()
    ask()
    assert sorted(models.asked) == [(MODEL, 1), (MODEL, 2), ("symptom_xgboost", 1)]
    assert ShadowAnswer.objects.count() == 1


def test_a_degraded_answer_is_not_compared(ask, shadowed, models):
    shadowed()
    models.broken["symptom_xgboost"] = ModelUnavailable("gone")
    ask()
    assert not ShadowAnswer.objects.exists()


def test_what_is_in_production_already_is_not_asked_twice(ask, registered, models):
    release = ModelRelease.objects.get(model=MODEL)
    Channel.objects.create(model=MODEL, name="shadow", release=release)
    ask()
    assert models.asked.count((MODEL, 1)) == 1


def test_a_database_that_fails_loses_no_answer(ask, shadowed, monkeypatch, caplog):
    def fails(*_args, **_other):
        raise DatabaseError("disk full of secrets")

    shadowed()
    monkeypatch.setattr(ShadowAnswer, "save", fails)
    assert not ask().reused
    assert Prediction.objects.count() == 1
    assert "DatabaseError" in caplog.text
    assert "secrets" not in caplog.text


def test_it_goes_with_the_patients_prediction(ask, shadowed, patient):
    shadowed()
    ask()
    patient.delete()
    assert not ShadowAnswer.objects.exists()


def test_a_share_is_a_share_and_grows():
    some = [uuid4() for _ in range(4000)]
    at = {p: {one for one in some if is_covered(one, MODEL, p)} for p in (0, 10, 60)}
    assert at[0] == set()
    assert 300 < len(at[10]) < 500
    assert 2200 < len(at[60]) < 2600
    assert at[10] <= at[60]
    assert all(is_covered(one, MODEL, 100) for one in some)
    assert at[10] != {one for one in some if is_covered(one, "symptom_xgboost", 10)}


def test_a_share_stays_the_same_over_releases():
    known = UUID("00000000-0000-0000-0000-000000000000")
    first = next(p for p in range(101) if is_covered(known, MODEL, p))
    assert first == 34


def test_the_summary_tells_mean_p95_and_greatest(ask, shadowed, now):
    shadowed()
    prediction = Prediction.objects.get(pk=ask().id)
    ShadowAnswer.objects.all().delete()
    for n in range(20):
        twin = Prediction.objects.get(pk=prediction.pk)
        twin.pk, twin._state.adding = uuid4(), True
        twin.save(force_insert=True)
        ShadowAnswer.objects.create(
            prediction=twin, model=MODEL, version=2, sha256="c", created=now,
            windows=1, mean_difference=n, max_difference=2 * n, median_difference=-n,
            width_ratio=None if n else 2.0, payload=b"",
        )  # fmt: skip
    (found,) = shadow_summary(now=now)
    assert (found.predictions, found.mean, found.p95) == (20, 9.5, 18.0)
    assert (found.greatest, found.median, found.width) == (38.0, -9.5, 2.0)
    assert shadow_summary(now=now + 2 * shadow.RECENT) == []
