"""What becomes of advice whose genes or other facts are taken back or amended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.predictions import selectors
from backend.predictions.models import OutboxItem, Prediction
from backend.predictions.outcomes import score_outcomes
from backend.twin.errors import NotVisible
from backend.twin.record import Reason, Refusal
from tests.predictions import fakes, signals, treatments
from tests.predictions.treatments import GENE, order

TAKEN_BACK = "an entry it used was taken back"
AMENDED = "an entry it used was amended"
RETRACTED = (Refusal("Observation/g-2c19", Reason.ENTERED_IN_ERROR),)


@pytest.fixture
def state_of(actor, now, advice_policy):
    def state_of(stored):
        at = {"now": now, "policy": advice_policy}
        read = selectors.read_advice(actor, stored.id, **at)
        listed = selectors.list_advice(actor, stored.patient_id, **at)
        (one,) = (one for one in listed if one.id == stored.id)
        assert (one.stale, one.stale_reason) == (read.stale, read.stale_reason)
        return read.stale_reason, set(read.delivery.values())

    return state_of


def without_gene(record):
    kept = tuple(one for one in record.genotypes if one.source != GENE)
    return replace(record, genotypes=kept, refused=RETRACTED)


def amended(record):
    first, *others = record.genotypes
    source = "Observation/g-2c19/_history/2"
    changed = replace(first, diplotype="*1/*1", source=source)
    return replace(record, genotypes=(changed, *others))


@pytest.mark.parametrize(
    ("change", "reason"), [(without_gene, TAKEN_BACK), (amended, AMENDED)]
)
def test_a_result_taken_back_cancels_what_rests_on_it(
    *, advise, ehr, state_of, change, reason
):
    first = advise(medications=["citalopram"])
    ehr.record = change(ehr.record)
    second = advise(medications=["citalopram"])
    assert not second.reused
    assert state_of(first) == (reason, {"cancelled"})
    assert state_of(second)[0] == ""


def test_what_rests_on_another_gene_alone_is_told_all_the_same(advise, ehr):
    genes = (treatments.call("CYP2D6", "*4/*4", "Observation/d"),)
    ehr.record = treatments.slow(genotypes=(*ehr.record.genotypes[:1], *genes))
    stored = advise(medications=["sertraline", "paroxetine"])
    ehr.record = without_gene(ehr.record)
    advise(medications=["mirtazapine"])
    states = dict(OutboxItem.objects.values_list("pk", "state"))
    assert states[stored.identifiers["sertraline"]] == "cancelled"
    assert states[stored.identifiers["paroxetine"]] == "pending"


@pytest.mark.parametrize(
    ("field", "source"),
    [
        ("medications", "MedicationRequest/citalopram"),
        ("diagnoses", "Condition/depression"),
        ("lab_facts", "Observation/egfr-20"),
    ],
)
def test_any_other_fact_taken_back_makes_it_stale(
    *, advise, ehr, state_of, field, source
):
    first = advise()
    gone = (Refusal(source, Reason.ENTERED_IN_ERROR),)
    ehr.record = treatments.slow(refused=gone, **{field: ()})
    advise()
    assert state_of(first)[0] == TAKEN_BACK


def test_a_medicine_that_ends_takes_nothing_back(advise, ehr, state_of):
    first = advise()
    ehr.record = treatments.slow(medications=(order("citalopram", days_ago=3),))
    assert not advise().reused
    assert state_of(first)[0] == ""


def test_an_old_result_that_is_not_shown_proves_nothing(advise, ask, ehr, state_of):
    """A forecast pulls no genes."""
    first = advise()
    ehr.record = replace(ehr.record, series=(fakes.diary(),))
    genes, ehr.record = ehr.record.genotypes, replace(ehr.record, genotypes=())
    ask()
    assert state_of(first)[0] == ""
    ehr.record = replace(ehr.record, genotypes=genes)


def test_what_was_delivered_is_said_to_stand_no_longer(advise, deliver, ehr):
    first = advise(medications=["citalopram"])
    deliver()
    ehr.record = without_gene(ehr.record)
    second = advise(medications=["citalopram"])
    assert second.no_longer_standing == tuple(first.identifiers.values())


def test_a_result_that_comes_back_is_told_again(advise, ehr):
    before = advise(medications=["citalopram"])
    whole = ehr.record
    ehr.record = without_gene(whole)
    advise(medications=["citalopram"])
    ehr.record = whole
    again = advise(medications=["citalopram"])
    assert again.identifiers == before.identifiers and not again.reused
    (identifier,) = again.identifiers.values()
    assert OutboxItem.objects.get(pk=identifier).stands
    assert again.delivery == {identifier: "pending"}


@pytest.fixture
def three(ask, correlate, advise, ehr):
    """A forecast, a correlation and advice of the same record."""
    ehr.record = replace(
        treatments.slow(),
        series=(fakes.diary(), *signals.linked().series),
        streams=signals.linked().streams,
    )
    return ask(), correlate(), advise()


def test_no_service_opens_the_others_answers(  # noqa: PLR0917 - fixtures
    three, actor, now, policy, link_policy, advice_policy
):
    forecast, links, advice = three
    at = {"now": now, "policy": advice_policy}
    for other in (forecast, links):
        with pytest.raises(NotVisible):
            selectors.read_advice(actor, other.id, **at)
    with pytest.raises(NotVisible):
        selectors.get_forecast(actor, advice.id, now=now, policy=policy)
    with pytest.raises(NotVisible):
        selectors.read_correlation(actor, advice.id, now=now, policy=link_policy)
    listed = selectors.list_advice(actor, advice.patient_id, **at)
    assert [one.id for one in listed] == [advice.id]
    old = selectors.list_forecasts(actor, advice.patient_id, now=now, policy=policy)
    assert [one.id for one in old] == [forecast.id]


def test_no_pull_of_one_service_takes_back_anothers_facts(three, advise, ask):
    assert not Prediction.objects.exclude(stale_since=None).exists()
    advise(medications=["sertraline"])
    assert not Prediction.objects.exclude(stale_since=None).exists()


def test_all_are_delivered_each_as_what_it_is(three, deliver, ehr):
    forecast, links, advice = three
    assert deliver().failed == 0
    assert set(ehr.links) == set(links.identifiers.values())
    assert set(ehr.treatments) == set(advice.identifiers.values())
    assert set(ehr.written) == {one.identifier for one in forecast.instruments}


def test_advice_is_not_scored_as_a_forecast(advise, patient, ehr, now):
    advise()
    assert score_outcomes(patient, ehr.record, until=now.date(), now=now) == 0
