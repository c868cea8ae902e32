"""What the models are asked, beside what their cards say of it."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
from django.db import DatabaseError

from backend.predictions import drift as drifting
from backend.predictions.drift import COLUMNS, MIN_WINDOWS, psi
from backend.predictions.ensemble import approved
from backend.predictions.models import InputCount, Prediction
from backend.predictions.selectors import drift
from backend.registry.models import Channel, ModelRelease
from backend.twin import features
from backend.twin.record import PatientRecord
from tests.predictions import fakes

MODEL = "symptom_transformer"
EDGES = [-12.0, -1.0, 0.0, 1.0, 12.0]


def histograms(*names, array="context"):
    one = {"edges": EDGES, "shares": [0.25] * 4, "missing": 0.0}
    return {"histograms": {"arrays": {array: {name: dict(one) for name in names}}}}


@pytest.fixture
def carded(registered):
    """Give the transformer's card these histograms."""

    def carded(**fields):
        card = fakes.card(**fields)
        ModelRelease.objects.filter(model=MODEL).update(card=card)

    return carded


@pytest.fixture
def counted(carded, now):
    """So many windows of the last day's value in the first bin; the drift of that."""

    def counted(windows, *, day=None, feature="last_z"):
        carded(**histograms("last_z"))
        counts = {"context": {feature: [windows, 0, 0, 0, 0]}}
        row = {"model": MODEL, "version": 1, "windows": windows, "counts": counts}
        InputCount.objects.create(day=day or now.date(), **row)
        return drift(today=now.date())

    return counted


def test_a_forecast_counts_what_its_models_saw(ask, ehr, carded, now):
    carded(**histograms("last_z", "mean_share"))
    ehr.record = PatientRecord(
        series=(
            fakes.diary(),
            fakes.diary(key="energy-0-10"),
            fakes.diary(3, key="stress-0-10"),
            fakes.questionnaire(8, 9),
        )
    )
    ask()
    row = InputCount.objects.get()  # the other model's card has no histograms
    assert (row.model, row.version, row.day) == (MODEL, 1, now.date())
    assert row.windows == 2  # neither few entries nor questionnaires
    assert row.counts["context"]["mean_share"] == [0, 0, 2, 0, 0]
    assert sum(row.counts["context"]["last_z"]) == 2


def test_a_stored_answer_given_again_is_not_counted_twice(ask, carded, now):
    carded(**histograms("last_z"))
    assert not ask().reused
    assert ask().reused
    assert InputCount.objects.get().windows == 1


def test_a_second_forecast_of_the_day_is_added(ask, carded, now):
    carded(**histograms("last_z"))
    ask()
    Prediction.objects.all().delete()
    ask()
    row = InputCount.objects.get()
    assert (row.windows, sum(row.counts["context"]["last_z"])) == (2, 2)


def test_every_day_of_the_history_is_a_value(ask, carded):
    carded(**histograms("observed", "value_z", array="history"))
    ask()
    counts = InputCount.objects.get().counts["history"]
    assert counts["observed"] == [0, 0, 126 - 40, 40, 0]
    assert sum(counts["value_z"]) == 126


def test_values_outside_and_missing_ones_have_their_place():
    values = np.array([-99.0, -12.0, -1.0, 0.5, 12.0, 99.0, np.nan])
    assert drifting._in_bins(values, np.array(EDGES)) == [2, 1, 1, 2, 1]


def test_the_columns_are_those_of_the_twin(ask):
    window = features.forecast_window(fakes.diary(), fakes.LAST_DAY)
    for name, columns in COLUMNS.items():
        assert getattr(window, name).shape[-1] == len(columns)


@pytest.mark.parametrize("fields", [{}, {"histograms": {}}])
def test_a_card_without_histograms_counts_nothing(ask, carded, fields):
    carded(**fields)
    assert not ask().stale
    assert not InputCount.objects.exists()


def test_a_model_promoted_meanwhile_is_left_out(carded, now):
    carded(**histograms("last_z"))
    other = ModelRelease.objects.create(
        model=MODEL, version=2, sha256="c", card=fakes.card(**histograms("last_z"))
    )
    window = features.forecast_window(fakes.diary(), fakes.LAST_DAY)
    before = approved({MODEL: 1.0})
    Channel.objects.filter(model=MODEL).update(release=other)
    drifting.count_inputs([window], before, day=now.date())
    assert not InputCount.objects.exists()


def test_a_database_that_fails_loses_no_answer(ask, carded, monkeypatch, caplog):
    def fails(*_args, **_other):
        raise DatabaseError("full of secrets")

    carded(**histograms("last_z"))
    monkeypatch.setattr(InputCount, "save", fails)
    assert not ask().reused
    assert Prediction.objects.count() == 1
    assert "DatabaseError" in caplog.text
    assert "secrets" not in caplog.text


def test_equal_shares_have_none():
    assert psi([30, 10, 0], [0.75, 0.25, 0.0]) == 0.0


def test_the_index_is_the_sum_over_the_bins():
    by_hand = 0.25 * math.log(0.75 / 0.5) + -0.25 * math.log(0.25 / 0.5)
    assert psi([75, 25], [0.5, 0.5]) == pytest.approx(by_hand)
    assert psi([25, 75], [0.5, 0.5]) == pytest.approx(by_hand)


def test_an_empty_bin_is_large_and_finite():
    assert 1.0 < psi([100, 0], [0.5, 0.5]) < 10.0


def test_the_same_people_stay_below_the_rule_of_thumb():
    made = np.random.default_rng(1)
    shares = [0.1] * 10
    most = max(psi(made.multinomial(MIN_WINDOWS, shares), shares) for _ in range(200))
    assert most < 0.25


def test_too_few_windows_are_unknown_and_not_zero(counted):
    (found,) = counted(MIN_WINDOWS - 1)
    assert (found.windows, found.psi) == (MIN_WINDOWS - 1, None)


def test_drift_is_told_per_feature(counted):
    (found,) = counted(MIN_WINDOWS)
    assert (found.model, found.version, found.array) == (MODEL, 1, "context")
    assert found.feature == "last_z"
    assert found.psi > 0.25


def test_days_of_the_month_are_added(counted, now):
    counted(150, day=now.date() - timedelta(days=29))
    (found,) = counted(150)
    assert (found.windows, found.psi is None) == (300, False)


@pytest.mark.parametrize("spoil", ["old", "left the channels", "other feature"])
def test_what_cannot_be_compared_is_left_out(counted, now, spoil):
    if spoil == "left the channels":
        Channel.objects.all().delete()
    old = now.date() - timedelta(days=30) if spoil == "old" else None
    feature = "gone" if spoil == "other feature" else "last_z"
    assert counted(300, day=old, feature=feature) == []
