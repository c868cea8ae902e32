"""With a real EHR and the published models: genes, medicines and conditions are read,
advice, a proposal and a conflict written, a result retracted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backend.people import access
from backend.people.access import Actor
from backend.people.models import Patient, Site
from backend.predictions import selectors
from backend.predictions.response_model import LABEL
from backend.twin.pharmacogenomics.response_inputs import MODEL
from fhir_integration.codes import PREDICTION
from fhir_integration.sandbox import Sandbox
from fhir_integration.site import FhirEhr
from tests.fhir_integration.kinds.genetic import coded, gene

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SUBJECT = {"reference": "Patient/p1"}


def genotype(own_id, number, symbol, diplotype):
    return {
        "resourceType": "Observation",
        "id": own_id,
        "status": "final",
        "code": coded("84413-4"),
        "subject": SUBJECT,
        "effectiveDateTime": "2019-05-06",
        "valueCodeableConcept": {"text": f"{symbol} {diplotype}"},
        "component": [gene(number, symbol)],
    }


HELD = (
    {"resourceType": "Patient", "id": "p1", "birthDate": "1980-03-04"},
    genotype("g1", "HGNC:2621", "CYP2C19", "*2/*2"),
    genotype("g2", "HGNC:2625", "CYP2D6", "*1/*1"),
    {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "active",
        "intent": "order",
        "subject": SUBJECT,
        "authoredOn": "2025-11-02",
        "medicationCodeableConcept": coded("2556", RXNORM),
    },
    {
        "resourceType": "MedicationStatement",
        "id": "m2",
        "status": "active",
        "subject": SUBJECT,
        "effectiveDateTime": "2026-01-02",
        "medicationCodeableConcept": coded("32937", RXNORM),
    },
)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with Sandbox(tmp_path / "ehr.ndjson") as running:
        for resource in HELD:
            put(running.base_url, resource)
        yield running.base_url


@pytest.fixture
def ehr(address: str) -> Iterator[FhirEhr]:
    """In place of the fake one."""
    site = FhirEhr(address)
    yield site
    site.close()


@pytest.fixture
def patient(site: Site) -> Patient:
    command = Actor.of_command("test")
    return access.enrol(actor=command, site=site, ehr_id="p1")


def put(address, resource):
    path = f"{address}/{resource['resourceType']}/{resource['id']}"
    httpx.put(path, json=resource, trust_env=False).raise_for_status()


def written(ehr, kind):
    return ehr.client.search(kind, {"identifier": f"{PREDICTION}|"})


def test_advice_is_read_made_written_and_retracted(
    *, advise, network, published, deliver, ehr, address, actor, now, advice_policy
):
    asked = {"medications": ["citalopram", "risperidone"], "models": network}
    first = advise(**asked)
    assert first.current == ("citalopram", "paroxetine")
    words = {one.medication: one.action for one in first.report.recommendations}
    assert words == {
        "citalopram": "consider_alternative",
        "risperidone": "reduced_dosing",  # by what paroxetine makes of CYP2D6
    }
    assert [use.model for use in first.models] == [MODEL] and LABEL in first.notices
    assert deliver().delivered == 2 and deliver(60).delivered == 0

    told = {
        one["derivedFrom"][0]["reference"].split("/_history")[0]
        for one in written(ehr, "Observation")
    }
    assert told == {"Observation/g1", "Observation/g2"}
    (issue,) = written(ehr, "DetectedIssue")
    assert "citalopram" in issue["detail"]
    assert any("m1" in one["reference"] for one in issue["implicated"])
    assert {one["intent"] for one in written(ehr, "Task")} == {"proposal"}
    assert advise(**asked).reused  # what we wrote is no part of the record

    put(address, {**HELD[1], "status": "entered-in-error"})
    assert not advise(**asked).reused
    read = selectors.read_advice(actor, first.id, now=now, policy=advice_policy)
    assert read.stale_reason == "an entry it used was taken back"
    assert first.identifiers["citalopram"] in read.no_longer_standing
