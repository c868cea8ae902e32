"""Outcomes per set of versions, and how sure one may be of them."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from uuid import uuid4

import numpy as np
import pytest

from backend.people import access
from backend.people.access import Actor
from backend.predictions.live_scores import RECENT, share
from backend.predictions.models import OutcomeScore, Prediction
from backend.predictions.selectors import live_scores


@pytest.fixture
def scored(ask, site, now):
    """Add a score of a patient; numbers of patients as they come."""
    ask()
    template = Prediction.objects.get()
    numbers = count(1)

    def scored(inside, days, *, patient=None, **other):
        command = Actor.of_command("test")
        name = patient or f"ehr-new-{next(numbers)}"
        template.patient = access.enrol(actor=command, site=site, ehr_id=name)
        template.pk, template._state.adding = uuid4(), True
        template.save(force_insert=True)
        usual = {
            "prediction": template,
            "position": 0,
            "method": "ensemble",
            "versions": "a:1 b:1",
            "error": float(days),
            "loss": days / 2,
            "updated": now,
        }
        numbers_of = {"days": days, "inside_80": inside, "inside_95": days}
        return OutcomeScore.objects.create(**{**usual, **numbers_of, **other})

    return scored


def test_days_and_patients_are_counted_per_method_and_versions(scored, now):
    scored(8, 10, patient="one")
    scored(6, 10, patient="one")
    scored(10, 10)
    scored(1, 2, versions="a:2 b:1")
    scored(1, 2, method="irregular", versions="")
    found = {(one.method, one.versions): one for one in live_scores(now=now)}
    assert len(found) == 3
    first = found["ensemble", "a:1 b:1"]
    assert (first.patients, first.days, first.unit) == (2, 30, "sd")
    assert first.coverage_80.value == pytest.approx(0.8)
    assert (first.error, first.loss) == (1.0, 0.5)
    assert found["irregular", ""].unit == "width"


@pytest.mark.parametrize("why", ["old", "taken back", "no days"])
def test_what_does_not_count_is_left_out(scored, now, why):
    row = scored(1, 0 if why == "no days" else 2)
    if why == "taken back":
        Prediction.objects.filter(pk=row.prediction_id).update(stale_since=now)
    moment = now + RECENT + timedelta(days=1) if why == "old" else now
    assert live_scores(now=moment) == []


def test_one_patient_gives_no_interval():
    assert share([8], np.array([10])) == (0.8, None, None)


def test_all_alike_counts_each_patient_once():
    found = share([100] * 5, np.array([100] * 5))
    assert found.value == 1.0
    assert found.low == pytest.approx(0.566, abs=0.001)  # Wilson, 5 of 5
    assert found.high == 1.0


def test_independent_days_have_wilsons_interval():
    inside = np.array([4, 4, 4, 4, 4])
    found = share(inside, np.array([5] * 5))  # no more spread than by chance
    assert found.low == pytest.approx(0.609, abs=0.001)  # Wilson, 20 of 25
    assert found.high == pytest.approx(0.911, abs=0.001)


def test_the_interval_holds_its_share_where_days_of_a_patient_are_alike():
    """200 made worlds of 60 patients whose own coverage differs: 95 % within noise."""
    made = np.random.default_rng(1)
    held, plain = 0, 0
    for _ in range(200):
        own = made.beta(4, 1, size=60)  # mean 0.8
        days = made.integers(5, 30, size=60)
        inside = made.binomial(days, own)
        found = share(inside, days)
        held += found.low <= 0.8 <= found.high
        half = 1.96 * np.sqrt(0.16 / days.sum())
        plain += abs(inside.sum() / days.sum() - 0.8) <= half
    assert 0.90 <= held / 200 <= 0.99
    assert plain / 200 < 0.8  # what it would be without patients as clusters
