"""What is modified, or observed of somebody else, is not read as it stands."""

from __future__ import annotations

from typing import Any

import pytest

from backend.twin.record import Reason
from fhir_integration.codes import ITEMS
from fhir_integration.dispatch import Context, Result, read_any
from fhir_integration.kinds.consent import Consented
from fhir_integration.kinds.refused import Refused
from fhir_integration.kinds.wearable import Sample
from fhir_integration.observation import Reading
from fhir_integration.subject import Subject
from tests.fhir_integration.every_kind import (
    consent,
    form,
    genotype,
    medication,
    of_each_kind,
    resource,
)
from tests.fhir_integration.kinds.body import coded, quantity, signal
from tests.fhir_integration.made import SINCE, UNTIL, Json, diary, observation, safety

CONTEXT = Context(
    Subject.at("", "p1"),
    since=SINCE,
    until=UNTIL,
    lookup={"Medication/s50": medication()},
)
RULES = {"implicitRules": "urn:rules"}
MODIFIER = {"modifierExtension": [{"url": "urn:not", "valueBoolean": True}]}
OTHER = {"subject": {"reference": "Patient/p2"}}
RESTRICTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "code": "R",
}
NAMED = {"identifier": [{"system": "urn:x", "value": "1"}]}
FETUS = {"focus": [{"reference": "Patient/fetus"}]}
ITEM_9 = "44260-8"


def results(one: Json) -> tuple[Result, ...]:
    return read_any(one, CONTEXT).results


def refusals(one: Json) -> list[tuple[Reason, bool]]:
    return [(x.reason, x.safety) for x in results(one) if isinstance(x, Refused)]


@pytest.mark.parametrize("one", of_each_kind())
@pytest.mark.parametrize("changes", [MODIFIER, RULES])
def test_what_is_modified_is_not_read(one: Json, changes: Json) -> None:
    assert [reason for reason, _ in refusals({**one, **changes})] == [Reason.MODIFIED]


def test_a_type_that_nobody_reads_stays_so() -> None:
    unread = resource("Encounter", "e1", **RULES)
    assert refusals(unread) == [(Reason.NOT_READ, False)]


def test_a_denial_is_heard_whatever_modifies_it() -> None:
    for changes in (MODIFIER, {"provision": [{"type": "deny"}]}):
        [found] = results({**consent(), **changes})
        assert isinstance(found, Consented)
        assert found.denies
    assert refusals(consent(provision=[{"type": "permit"}])) == [
        (Reason.WRONG_VERSION, False)
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"modifierExtension": []},
        {"focus": [{"reference": "Patient/p1"}]},
        {"extension": MODIFIER["modifierExtension"]},
    ],
)
def test_what_changes_nothing_is_read(changes: Json) -> None:
    assert refusals({**observation(), **changes}) == []


@pytest.mark.parametrize("one", [observation(), signal(), genotype()])
def test_what_is_observed_of_another_is_not_the_patients(one: Json) -> None:
    assert refusals({**one, **FETUS}) == [(Reason.WRONG_PATIENT, False)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (MODIFIER, (Reason.MODIFIED, True)),
        ({"status": "entered-in-error", **MODIFIER}, (Reason.MODIFIED, False)),
        ({**OTHER, **MODIFIER}, (Reason.MODIFIED, False)),
        (FETUS, (Reason.WRONG_PATIENT, False)),
        ({"focus": [{"reference": "RelatedPerson/1"}]}, (Reason.WRONG_PATIENT, False)),
        ({"focus": [{"display": "who?"}]}, (Reason.WRONG_PATIENT, True)),
    ],
)
def test_an_answer_may_be_lost_with_it(
    changes: Json, expected: tuple[Reason, bool]
) -> None:
    assert refusals(safety("s1", **changes)) == [expected]


def test_what_another_patient_may_not_share_stands_in_for_nothing() -> None:
    for changes in (MODIFIER, {"meta": {"security": [RESTRICTED]}}):
        one = observation(**NAMED, **changes)
        assert read_any(one, CONTEXT).business
        assert not read_any({**one, **OTHER}, CONTEXT).business


def item(code: str, **changes: Any) -> Json:
    return {"linkId": f"/{code}", "answer": [{"valueInteger": 1}], **changes}


ANSWERED = [{"valueInteger": 1, **MODIFIER}]
LOST = (Reason.MODIFIED, True)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([item("44261-6", **MODIFIER)], [(Reason.MODIFIED, False)]),
        ([item("44261-6", answer=ANSWERED)], [(Reason.MODIFIED, False)]),
        ([item(ITEM_9, **MODIFIER)], [LOST]),
        ([{"linkId": "1", "item": [item(ITEM_9)], **MODIFIER}], [LOST]),
        ([{"linkId": "1", "answer": [{"item": [item(ITEM_9)], **MODIFIER}]}], [LOST]),
        (
            [*map(item, ITEMS["phq9"]), item("44261-6", **MODIFIER)],
            [(Reason.MODIFIED, False)],  # a total is there: none is added up
        ),
        (
            [*map(item, ITEMS["phq9"][:8]), item(ITEM_9, **MODIFIER)],
            [LOST, (Reason.NO_VALUE, False)],
        ),
    ],
)
def test_parts_of_a_form_are_modified_with_what_holds_them(
    asked: list[Json], expected: list[tuple[Reason, bool]]
) -> None:
    assert refusals(form(item=asked)) == expected
    assert not any(
        isinstance(x, Reading) and x.summed for x in results(form(item=asked))
    )


RATE = {"code": coded("9279-1"), "valueQuantity": quantity(16, "/min")}


@pytest.mark.parametrize(
    "one",
    [
        signal(valueQuantity={**quantity(72, "/min"), **MODIFIER}),
        signal(valueQuantity=None, component=[{**RATE, **MODIFIER}]),
    ],
)
def test_a_signals_part_may_be_modified(one: Json) -> None:
    assert (Reason.MODIFIED, False) in refusals(one)
    assert not any(isinstance(x, Sample) for x in results(one))


def test_a_component_is_modified_alone() -> None:
    answer = {"code": coded(ITEM_9), "valueInteger": 1, **MODIFIER}
    assert refusals(observation(component=[answer])) == [LOST]
    assert len(results(observation(component=[answer]))) == 2


def test_ends_that_are_modified_are_no_ends() -> None:
    one = diary("d1")
    one["referenceRange"] = [{**one["referenceRange"][0], **MODIFIER}]
    assert refusals(one) == [(Reason.NO_SCALE, False)]
