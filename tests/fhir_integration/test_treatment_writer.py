from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from backend.twin.errors import EhrRefused
from fhir_integration.errors import KeptOtherwise, NotConformant
from fhir_integration.sandbox import Sandbox
from fhir_integration.site import FhirEhr
from tests.fhir_integration.advised import heeded, line, treatment
from tests.fhir_integration.made import SINCE, UNTIL

Json = dict[str, Any]
KINDS = ("Device", "Observation", "Task", "DetectedIssue", "Provenance")


@pytest.fixture(params=["full", "flat"])
def site(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[FhirEhr]:
    made = FhirEhr(sandbox.base_url, write_mode=request.param)
    yield made
    made.close()


def held(site: FhirEhr) -> list[int]:
    return [len(list(site.client.search(kind, {}))) for kind in KINDS]


def test_writing_twice_leaves_one_of_each(site: FhirEhr) -> None:
    first, second = (site.write_treatment(treatment()) for _ in range(2))
    assert (first.created, second.created) == (True, False)
    assert replace(first, created=False) == second
    assert held(site) == [2, 2, 2, 1, 2]
    kinds = [one.split("/")[0] for one in first.others]
    assert kinds == ["Task", "Task", "DetectedIssue", "Observation"]


def test_without_a_model_or_a_current_order_there_is_less(site: FhirEhr) -> None:
    of = treatment(response=None, models=(), current_order=None)
    receipt = site.write_treatment(of)
    assert held(site) == [1, 1, 2, 0, 1]
    assert [one.split("/")[0] for one in receipt.others] == ["Task", "Task"]


def test_each_maker_vouches_for_its_own(site: FhirEhr) -> None:
    receipt = site.write_treatment(treatment())
    rules = site.client.read(receipt.provenance)
    *actions, estimate = receipt.others
    targets = [one["reference"] for one in rules["target"]]
    assert targets == [receipt.observation, *actions]
    assert rules["agent"][0]["who"] == {"reference": receipt.device}
    assert "security" not in rules["meta"]
    sources = [entity["what"]["reference"] for entity in rules["entity"]]
    assert sources == list(treatment().genotype_sources)
    [by_model] = site.client.search("Provenance", {"target": estimate})
    assert by_model["meta"]["security"][0]["code"] == "AIAST"
    assert by_model["agent"][0]["who"] != {"reference": receipt.device}


def test_what_was_written_points_at_what_it_rests_on(site: FhirEhr) -> None:
    receipt = site.write_treatment(treatment())
    written = site.client.read(receipt.observation)
    derived = [one["reference"] for one in written["derivedFrom"]]
    assert derived == list(treatment().genotype_sources)
    assert written["device"] == {"reference": receipt.device}
    tasks = list(site.client.search("Task", {"patient": "p1"}))
    reasons = [one["reasonReference"]["reference"] for one in tasks]
    assert reasons == [receipt.observation] * 2
    [issue] = site.client.search("DetectedIssue", {"patient": "p1"})
    implicated = [one["reference"] for one in issue["implicated"]]
    assert implicated == [treatment().current_order, *derived, receipt.observation]


def test_a_flat_one_has_words_only(sandbox: Sandbox) -> None:
    site = FhirEhr(sandbox.base_url, write_mode="flat")
    receipt = site.write_treatment(treatment())
    for reference in (receipt.observation, receipt.others[-1]):
        assert "component" not in site.client.read(reference)
    site.close()


def test_another_medicine_shares_the_devices(site: FhirEhr) -> None:
    for name in ("citalopram", "sertraline", "paroxetine"):
        site.write_treatment(replace(treatment(name), identifier=uuid4()))
    assert held(site)[:2] == [2, 6]


def test_written_advice_is_not_read_as_data(site: FhirEhr) -> None:
    site.write_treatment(treatment())
    record = site.read_treatment("p1", since=SINCE, until=UNTIL)
    assert (record.genotypes, record.refused) == ((), ())


@pytest.mark.parametrize(
    "changes",
    [
        {"response": {"efficacy": 1.2}},
        {"response": {"efficacy": float("nan")}},
        {"response": {"side effects": 0.1, "side-effects": 0.2}},
        {"models": ()},
        {"genotype_sources": ()},
        {"current_order": "Observation/o1"},
        {"current_order": "MedicationRequest/m 1"},
        {"ehr_patient": "p 1"},
    ],
)
def test_nothing_is_sent_that_breaks_a_rule(sandbox: Sandbox, changes: Json) -> None:
    site = FhirEhr(sandbox.base_url)
    with pytest.raises(NotConformant):
        site.write_treatment(treatment(**changes))
    assert held(site) == [0, 0, 0, 0, 0]
    site.close()


def test_a_site_that_takes_nothing_is_not_written_to(sandbox: Sandbox) -> None:
    site = FhirEhr(sandbox.base_url, write_mode="none")
    with pytest.raises(EhrRefused, match="takes no advice"):
        site.write_treatment(treatment())
    assert held(site) == [0, 0, 0, 0, 0]
    site.close()


def replaced(site: FhirEhr, reference: str, **changes: Any) -> None:
    """As if somebody at the EHR had changed it."""
    kept = site.client.read(reference)
    url = site.client._connection.url(reference)
    site.client._connection._http.put(url, json={**kept, **changes}).raise_for_status()


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_what_was_taken_back_is_not_called_delivered(site: FhirEhr, at: int) -> None:
    receipt = site.write_treatment(treatment())
    reference = (receipt.observation, *receipt.others)[at]
    replaced(site, reference, status="entered-in-error")
    with pytest.raises(KeptOtherwise, match="status"):
        site.write_treatment(treatment())


def test_other_words_of_another_release_are_no_fault(site: FhirEhr) -> None:
    site.write_treatment(treatment(advice=(line(),), stops=(heeded(),)))
    reworded = treatment(
        advice=(line(rationale="Otherwise said."),), stops=(heeded(text="So."),)
    )
    assert site.write_treatment(reworded).created is False
