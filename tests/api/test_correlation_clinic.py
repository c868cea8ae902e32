"""HTTP on both sides: asked by a clinician, read from and written to a real EHR."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend import wiring
from backend.people import access
from backend.people.access import Actor
from backend.people.models import Patient, Site
from fhir_integration.codes import PREDICTION
from fhir_integration.sandbox import Sandbox
from fhir_integration.seed import seed
from fhir_integration.site import FhirEhr
from tests.predictions import signals


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with Sandbox(tmp_path / "ehr.ndjson") as running:
        yield running.base_url


@pytest.fixture
def ehr(address: str) -> Iterator[FhirEhr]:
    """In place of the fake one."""
    site = FhirEhr(address)
    yield site
    site.close()


@pytest.fixture
def patient(site: Site, ehr: FhirEhr) -> Patient:
    seeded = seed(ehr.client, "one", signals.linked())
    return access.enrol(actor=Actor.of_command("test"), site=site, ehr_id=seeded)


@pytest.fixture
def models(published, network):
    """The published network, in place of sums."""
    return network


def test_what_the_api_says_is_what_the_ehr_gets(api, patient, ehr, deliver):
    path = f"/api/v1/patients/{patient.pk}/correlations"
    answer = api.post(path, {"days": 60}, format="json")
    assert answer.status_code == 201
    (insight,) = answer.json()["insights"]
    assert deliver().delivered == 1
    again = api.get(answer["Location"]).json()
    assert again["insights"][0]["delivery"] == "delivered"
    named = {"identifier": f"{PREDICTION}|{insight['identifier']}"}
    (written,) = ehr.client.search("Observation", named)
    assert insight["text"] in written["note"][0]["text"]
    (pair,) = answer.json()["pairs"]
    assert written["valueQuantity"]["value"] == pytest.approx(
        pair["coefficient"], abs=1e-4
    )


def test_more_values_than_one_pull_reads_is_told_as_such(api, patient, address):
    few = FhirEhr(address, most_values=1000)
    with wiring.use(ehr_of=lambda _site: few):
        path = f"/api/v1/patients/{patient.pk}/correlations"
        much = api.post(path, {"days": 60}, format="json")
        less = api.post(path, {"days": 20}, format="json")
    few.close()
    assert (much.status_code, less.status_code) == (422, 201)
    assert much.json()["type"] == "urn:mindtwin:problem:too-many-values"
