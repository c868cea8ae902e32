"""When there is little to go by, and what stays here."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from backend.predictions.errors import DayOutOfRange
from backend.predictions.outbox import DeliveryReport
from backend.predictions.stored_advice import NOT_TOLD
from backend.predictions.treatment_basis import NO_GENES, NO_MEDICINES
from backend.twin.history import CourseState
from backend.twin.pharmacogenomics.gene_result import NO_RESULT
from backend.twin.pharmacogenomics.population import Population
from backend.twin.record import PatientRecord, Reason, Refusal
from tests.predictions import fakes, treatments
from tests.predictions.treatments import condition, order

OK = "SUCCESS"


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
