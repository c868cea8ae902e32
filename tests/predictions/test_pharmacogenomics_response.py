"""The response model beside advice: asked, labelled, withheld, silent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.predictions.models import Prediction, PredictionModel
from backend.predictions.response_model import LABEL, NO_ANSWER, NONE_APPROVED
from backend.registry.models import ModelRelease
from backend.twin.errors import ModelRefused
from backend.twin.history import Certainty, ClinicalState
from backend.twin.pharmacogenomics.recommendation import STOPPED
from backend.twin.pharmacogenomics.response_inputs import (
    ANSWER,
    MODEL,
    PATIENT,
    Person,
)
from tests.predictions import treatments
from tests.predictions.treatments import GONE, Responder, condition

OK = "SUCCESS"


class Listener(Responder):
    """One that notes what it was asked with."""

    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def infer(self, model, version, inputs, *, timeout_s):
        self.seen.append(inputs)
        return super().infer(model, version, inputs, timeout_s=timeout_s)


def word(stored, medication):
    found = stored.report.recommendations
    return next(one for one in found if one.medication == medication)


def test_the_response_model_ranks_and_is_labelled(advise, ehr, deliver):
    treatments.publish()
    server = Responder(efficacy=0.6, nausea=0.2)
    stored = advise(models=server)
    assert server.asked == 1 and LABEL in stored.notices
    assert [(use.model, use.weight) for use in stored.models] == [(MODEL, 1.0)]
    used = PredictionModel.objects.get()
    assert (used.model, used.prediction_id) == (MODEL, stored.id)
    ranked = stored.report.comparison.compared
    assert "citalopram" not in ranked and "sertraline" in ranked
    told = word(stored, "sertraline").response
    assert told.efficacy == pytest.approx(0.6)
    deliver()
    document = ehr.treatments[stored.identifiers["sertraline"]]
    assert document.models == stored.models
    assert document.response["efficacy"] == told.efficacy
    assert document.response["side_effects"]["nausea"] == pytest.approx(0.2)
    assert advise(models=server).reused and server.asked == 1


def test_what_the_model_is_unsure_of_is_withheld_everywhere(advise, ehr, deliver):
    treatments.publish()
    stored = advise(models=Responder(confidence=0.2))
    assert "confidence 0.20" in word(stored, "sertraline").withheld
    deliver()
    document = ehr.treatments[stored.identifiers["sertraline"]]
    assert (document.response, document.models) == (None, ())


def test_an_installation_may_report_what_the_model_is_unsure_of(advise, advice_policy):
    treatments.publish()
    server = Responder(confidence=0.2)
    before = advise(models=server)
    bold = replace(advice_policy, least_confidence=0.1)
    after = advise(models=server, policy=bold)
    assert not after.reused and word(before, "sertraline").withheld
    assert word(after, "sertraline").response.confidence == pytest.approx(0.2)


def test_the_model_takes_no_restriction_away(advise):
    alone = advise()
    treatments.publish()
    stored = advise(models=Responder(efficacy=1.0, confidence=1.0))
    for one in alone.report.recommendations:
        assert word(stored, one.medication).action == one.action


def test_what_a_rule_stops_is_not_asked_about(advise, ehr):
    treatments.publish()
    refuted = condition("anxiety", Certainty.REFUTED)
    over = replace(condition("ptsd"), state=ClinicalState.RESOLVED)
    ehr.record = treatments.slow(diagnoses=(condition("epilepsy"), refuted, over))
    seen = []
    server = Listener(seen)
    stored = advise(medications=["bupropion", "sertraline"], models=server)
    if word(stored, "bupropion").is_stopped:
        assert word(stored, "bupropion").withheld == STOPPED
    (inputs,) = seen
    assert len(inputs["drug"]) == len(stored.report.to_score)
    known = dict(zip(PATIENT, inputs["patient"][0], strict=True))
    assert known["age_known"] == known["female_known"] == 1.0
    assert (known["ptsd_known"], known["severity_known"]) == (0.0, 0.0)


def test_what_the_clinician_states_goes_before_the_record(advise, ehr):
    treatments.publish()
    refuted = condition("ptsd", Certainty.REFUTED)
    ehr.record = treatments.slow(diagnoses=(refuted,))
    seen = []
    for stated in (Person(), Person(female=False, conditions={"ptsd": True})):
        server = Listener(seen)
        advise(medications=["sertraline"], models=server, person=stated)
    ((told, *_), (other, *_)) = (one["patient"] for one in seen)
    place = PATIENT.index
    assert (told[place("ptsd")], other[place("ptsd")]) == (0.0, 1.0)
    assert told[place("female")] == -other[place("female")] != 0
    ehr.persons.clear()
    advise(medications=["sertraline"], models=Listener(seen))
    assert seen[-1]["patient"][0][place("female_known")] == 0.0


def test_nobody_is_asked_about_what_the_model_does_not_know(advise):
    treatments.publish()
    server = Responder()
    stored = advise(medications=["pimozide", "a herb"], models=server)
    assert server.asked == 0 and stored.models == ()
    assert NO_ANSWER not in stored.notices and LABEL not in stored.notices


def rows(fill, *, fewer=0):
    return np.full((7, len(ANSWER) - fewer), fill, np.float32)


SILENT = {
    "down": GONE,
    "refused": ModelRefused("no"),
    "other shape": rows(0.5, fewer=1),
    "no share": rows(1.5),
    "nan": rows(np.nan),
}


@pytest.mark.parametrize("says", SILENT.values(), ids=SILENT)
def test_advice_stands_without_the_model(advise, audited, says):
    alone = advise()
    treatments.publish()
    audited()
    server = Responder(says)
    stored = advise(models=server)
    assert audited() == [("PULL", OK), ("ADVISE", OK)]
    assert NO_ANSWER in stored.notices and stored.models == ()
    assert stored.report == alone.report
    assert stored.identifiers == alone.identifiers
    assert not PredictionModel.objects.exists()
    again = advise(models=server)
    assert not again.reused and again.id != stored.id and server.asked == 2


def test_a_model_without_the_output_agreed_on_is_silent(advise):
    treatments.publish()
    server = Responder()
    server.infer = lambda *_args, **_other: {"else": rows(0.5)}
    assert NO_ANSWER in advise(models=server).notices


def test_a_model_that_takes_other_inputs_is_not_asked(advise):
    treatments.publish(feature_schema_hash="0" * 64)
    server = Responder()
    assert NONE_APPROVED in advise(models=server).notices and server.asked == 0
    release = ModelRelease.objects.get()
    assert release.model == MODEL


def test_another_version_or_input_of_the_model_is_another_document(advise, ehr):
    alone = advise().identifiers["sertraline"]
    treatments.publish()
    first = advise(models=Responder()).identifiers["sertraline"]
    ehr.record = replace(ehr.record, diagnoses=(condition("anxiety"), condition("gad")))
    second = advise(models=Responder()).identifiers["sertraline"]
    assert len({alone, first, second}) == 3
    assert Prediction.objects.count() == 3
