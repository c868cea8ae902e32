"""When there is little to go by, or no response model to ask."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from backend.predictions.errors import DayOutOfRange
from backend.predictions.models import Prediction, PredictionModel
from backend.predictions.outbox import DeliveryReport
from backend.predictions.response_model import LABEL, NO_ANSWER, NONE_APPROVED
from backend.predictions.stored_advice import NOT_TOLD
from backend.predictions.treatment_basis import NO_GENES, NO_MEDICINES
from backend.registry.models import ModelRelease
from backend.twin.errors import ModelRefused
from backend.twin.history import Certainty, ClinicalState, CourseState
from backend.twin.pharmacogenomics.gene_result import NO_RESULT
from backend.twin.pharmacogenomics.population import Population
from backend.twin.pharmacogenomics.recommendation import STOPPED
from backend.twin.pharmacogenomics.response_inputs import (
    ANSWER,
    MODEL,
    PATIENT,
    Person,
)
from backend.twin.record import PatientRecord, Reason, Refusal
from tests.predictions import fakes, treatments
from tests.predictions.treatments import GONE, Responder, condition, order

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


def test_no_genetic_result_is_an_answer_that_invents_nothing(advise, ehr, deliver):
    ehr.record = PatientRecord(series=())
    stored = advise()
    assert {one.lookup_key for one in stored.report.genes} == {NO_RESULT}
    assert NO_GENES in stored.notices and stored.report.quality.level == "none"
    said = {one.action for one in stored.report.recommendations}
    assert said == {"no_recommendation"}
    assert word(stored, "sertraline").missing == ("CYP2B6", "CYP2C19")
    assert stored.identifiers == stored.delivery == {}
    assert deliver() == DeliveryReport(delivered=0, failed=0, waiting=0)
    assert advise().reused


def test_an_unknown_medicine_is_an_entry_of_its_own(advise):
    stored = advise(medications=["sertraline", "nothing known"])
    assert stored.unknown == ("nothing known",)
    assert word(stored, "nothing known").caution == "high"
    assert stored.identifiers.keys() == {"sertraline"}
    assert advise().unknown == ()


def test_facts_that_nobody_knows_are_named(advise, ehr):
    ehr.persons.clear()
    ehr.record = treatments.slow(treatment_known=False, medications=())
    stored = advise(medications=["valproate", "citalopram"])
    assert stored.current is None and NO_MEDICINES in stored.notices
    assert any("age" in one for one in stored.notices)
    needs = word(stored, "valproate").needs
    assert "whether there is a pregnancy" in needs
    told = advise(
        medications=["valproate"],
        given=Population(pregnant=False, child_bearing_potential=False, age_years=30),
    )
    assert "whether there is a pregnancy" not in word(told, "valproate").needs


def test_what_may_be_taken_and_what_nobody_can_read_is_said(advise, ehr):
    held = order("fluoxetine", state=CourseState.ON_HOLD)
    lost = "MedicationRequest/lost"
    refused = (
        Refusal(lost, Reason.UNKNOWN_CODE),
        Refusal("MedicationRequest/gone", Reason.CANCELLED),
        Refusal(held.source, Reason.PARTIAL_DATE),
        Refusal("Observation/1", Reason.NO_VALUE),
    )
    ehr.record = treatments.slow(medications=(held,), refused=refused)
    stored = advise()
    assert stored.current == ()
    assert any("Not counted as taken: fluoxetine" in one for one in stored.notices)
    assert any("1 order or statement of" in one for one in stored.notices)
    assert stored.refused["unknown-code"] == 1
    two = (*refused, Refusal("MedicationStatement/2", Reason.MALFORMED))
    ehr.record = treatments.slow(medications=(held,), refused=two)
    assert any("2 orders or statements" in one for one in advise().notices)


def test_an_inhibitor_that_is_taken_changes_what_counts(advise, ehr):
    ehr.record = treatments.slow(medications=(order("paroxetine"),))
    stored = advise(medications=["risperidone", "paroxetine"])
    gene = next(one for one in stored.report.genes if one.gene == "CYP2D6")
    assert (gene.phenotype, gene.adjusted_phenotype) == (
        "Normal Metabolizer",
        "Poor Metabolizer",
    )
    assert word(stored, "risperidone").action == "reduced_dosing"
    assert word(stored, "paroxetine").action != "reduced_dosing"


def test_what_is_taken_is_told_without_its_own_inhibition(advise, ehr, deliver):
    both = (order("paroxetine"), order("quinidine"))
    genes = (treatments.call("CYP2D6", "*1/*4", "Observation/d"),)
    ehr.record = treatments.slow(medications=both[:1], genotypes=genes)
    advise(medications=["paroxetine"])
    ehr.record = treatments.slow(medications=both, genotypes=genes)
    stored = advise(medications=["paroxetine"])
    deliver()
    document = ehr.treatments[stored.identifiers["paroxetine"]]
    (gene,) = (one for one in document.results if one.gene == "CYP2D6")
    assert "quinidine" in " ".join(gene.adjusted_because)
    assert document.current_order.startswith("MedicationRequest/paroxetine")


def test_a_conflict_without_a_gene_stays_here_and_is_said(advise, ehr):
    both = (order("valproate"), order("lamotrigine"))
    pregnant = condition("pregnancy")
    pregnant = replace(pregnant, onset=fakes.LAST_DAY - timedelta(days=60))
    ehr.record = treatments.slow(medications=both, diagnoses=(pregnant,), genotypes=())
    stored = advise(medications=["valproate"])
    assert word(stored, "valproate").is_stopped
    assert NOT_TOLD.format("valproate") in stored.notices
    assert stored.identifiers == {} and advise(medications=["valproate"]).reused


@pytest.mark.parametrize("source", ["", "DiagnosticReport/1"])
def test_a_result_that_no_observation_holds_stays_here(advise, ehr, source):
    genes = (treatments.call("CYP2C19", "*2/*2", source),)
    ehr.record = treatments.slow(genotypes=genes)
    stored = advise(medications=["citalopram", "escitalopram"])
    assert word(stored, "escitalopram").action == "consider_alternative"
    assert stored.identifiers == {}
    assert NOT_TOLD.format("citalopram") in stored.notices  # the one that is ordered


@pytest.mark.parametrize("source", ["MedicationRequest/", "", "Device/1"])
def test_an_order_without_an_id_is_none_to_be_named(advise, ehr, deliver, source):
    nameless = replace(order("citalopram"), source=source)
    ehr.record = treatments.slow(medications=(nameless,))
    stored = advise(medications=["citalopram"])
    deliver()
    document = ehr.treatments[stored.identifiers["citalopram"]]
    assert document.current_order is None and stored.current == ("citalopram",)


def test_a_day_that_is_over_is_answered_and_not_told(advise, deliver, ehr):
    stored = advise(as_of=fakes.LAST_DAY - timedelta(days=30))
    assert stored.historical and stored.identifiers == {}
    assert stored.report.recommendations
    assert deliver().delivered == 0 and ehr.writes == 0
    assert not advise(as_of=fakes.LAST_DAY + timedelta(days=1)).historical


@pytest.mark.parametrize("day", [date(1899, 12, 31), date(2026, 3, 4)])
def test_days_that_no_record_reaches_are_refused(advise, ehr, day):
    with pytest.raises(DayOutOfRange):
        advise(as_of=day)
    assert ehr.asked == []


def test_a_site_that_takes_no_writes_gets_none(advise, site, deliver):
    site.write_mode = "none"
    site.save()
    stored = advise()
    assert set(stored.delivery.values()) == {"not-sent"}
    assert deliver().delivered == 0


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
