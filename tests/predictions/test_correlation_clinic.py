"""With a real EHR: signals and reports are read, links written, reports retracted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backend.people import access
from backend.people.access import Actor
from backend.people.models import Patient, Site
from backend.predictions import selectors
from fhir_integration.codes import CORRELATION, PREDICTION
from fhir_integration.sandbox import Sandbox
from fhir_integration.seed import seed
from fhir_integration.site import FhirEhr
from tests.predictions import signals
from tests.predictions.signals import SIGNAL, SYMPTOM


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
    """One with a link in their record there."""
    seeded = seed(ehr.client, "one", signals.linked())
    command = Actor.of_command("test")
    return access.enrol(actor=command, site=site, ehr_id=seeded)


def written(ehr):
    found = ehr.client.search("Observation", {"identifier": f"{PREDICTION}|"})
    return [one for one in found if one["code"]["coding"][0]["system"] == CORRELATION]


def test_a_link_is_found_written_once_and_retracted(  # noqa: PLR0917 - fixtures
    correlate, deliver, ehr, address, actor, patient, now, link_policy
):
    first = correlate()
    (insight,) = first.report.insights
    assert (insight.link.biometric, insight.link.symptom) == (SIGNAL, SYMPTOM)
    low, high = insight.link.lag_interval
    assert low <= 12 <= high
    assert deliver().delivered == 1 and deliver(60).delivered == 0
    (shown,) = written(ehr)
    (identifier,) = first.identifiers.values()
    assert shown["identifier"][0]["value"] == str(identifier)
    assert correlate().reused  # what we wrote is no part of the record

    params = {"patient": access.ehr_id_of(patient), "code": SYMPTOM}
    reports = ehr.client.search("Observation", params)
    report = max(reports, key=lambda one: one["effectiveDateTime"])
    retracted = {**report, "status": "entered-in-error"}
    path = f"{address}/Observation/{report['id']}"
    httpx.put(path, json=retracted, trust_env=False).raise_for_status()
    assert not correlate().reused
    read = selectors.read_correlation(actor, first.id, now=now, policy=link_policy)
    assert read.stale_reason == "an entry it used was taken back"
    assert read.no_longer_standing == (identifier,)
