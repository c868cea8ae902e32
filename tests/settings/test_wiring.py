from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from backend import wiring
from backend.people.models import Site
from backend.twin.errors import EhrRefused
from fhir_integration.bulkhead import Bulkhead
from fhir_integration.site import FhirEhr

KEPT = {"north": {"origin": "https://ehr.example", "token": "canary-token"}}
TOKEN = "canary-token"


@pytest.fixture
def own(settings: Any) -> Iterator[dict[str, Any]]:
    """The settings of wiring, to change."""
    settings.MINDTWIN = {**settings.MINDTWIN, "EHR_TOKENS": KEPT}
    wiring.configure()
    yield settings.MINDTWIN
    wiring.close()
    wiring._places = None


def site(url: str, slug: str = "north") -> Site:
    return Site(slug=slug, name="", ehr_url=url)


def token_held(ehr: Any) -> str | None:
    held = ehr.client._connection._token
    return held and str(held.current())


@pytest.mark.parametrize(
    "url",
    [
        "https://ehr.example/fhir",
        "https://ehr.example:443/other",
        "https://EHR.example/fhir",
    ],
)
def test_the_token_goes_to_its_own_server(own: Any, url: str) -> None:
    assert token_held(wiring.ehr_of(site(url))) == TOKEN


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/fhir",
        "http://ehr.example/fhir",
        "https://ehr.example:8443/fhir",
        "https://ehr.example.evil.example/fhir",
        "https://ehr.example@evil.example/fhir",
        "https://evil.example/https://ehr.example/",
    ],
)
def test_the_token_goes_nowhere_else(own: Any, url: str) -> None:
    with pytest.raises(EhrRefused, match="not on the server") as refused:
        wiring.ehr_of(site(url))
    assert "canary" not in str(refused.value)


def test_another_site_has_no_token(own: Any) -> None:
    ehr = wiring.ehr_of(site("https://ehr.example/fhir", slug="south"))
    assert token_held(ehr) is None


@pytest.mark.parametrize("url", ["http://ehr.example/fhir", "ftp://ehr.example/", ""])
def test_an_address_of_another_scheme_is_not_spoken_to(own: Any, url: str) -> None:
    own["EHR_SCHEMES"] = ("https",)
    with pytest.raises(EhrRefused, match="must begin with https"):
        wiring.ehr_of(site(url, slug="south"))


def test_an_address_that_is_no_url_is_refused(own: Any) -> None:
    with pytest.raises(EhrRefused, match="no URL"):
        wiring.ehr_of(site("http://[::1", slug="south"))


@pytest.mark.parametrize("lease_s", [60, 120, 149])
def test_a_lease_that_may_end_before_its_delivery_is_refused(
    own: Any, lease_s: float
) -> None:
    own["EHR_DEADLINE_S"], own["LEASE_S"] = 120.0, lease_s
    with pytest.raises(ImproperlyConfigured, match="LEASE_S must be at least"):
        wiring.configure()


def test_only_a_web_process_has_a_short_deadline_and_few_places(own: Any) -> None:
    patient = wiring.ehr_of(site("https://ehr.example/fhir"))
    assert isinstance(patient, FhirEhr)
    assert patient.client._deadline_s == 120.0
    wiring.configure(web=True)
    first, second = (
        wiring.ehr_of(site("https://ehr.example/fhir")),
        wiring.ehr_of(site("https://ehr.example/fhir", slug="south")),
    )
    assert isinstance(first, Bulkhead)
    assert isinstance(second, Bulkhead)
    assert first._ehr.client._deadline_s == 8.0
    assert first._places is second._places


def test_a_sites_own_codes_come_from_its_concept_map(own: Any, tmp_path: Path) -> None:
    target = {"code": "44261-6", "equivalence": "equal"}
    group = {
        "source": "urn:north",
        "target": "http://loinc.org",
        "element": [{"code": "PHQ", "target": [target]}],
    }
    path = tmp_path / "north.json"
    path.write_text(json.dumps({"resourceType": "ConceptMap", "group": [group]}))
    own["CONCEPT_MAPS"] = {"north": path}
    north = wiring.ehr_of(site("https://ehr.example/fhir"))
    south = wiring.ehr_of(site("https://ehr.example/fhir", slug="south"))
    assert isinstance(north, FhirEhr)
    assert isinstance(south, FhirEhr)
    assert north._site_codes == {("urn:north", "PHQ"): ("http://loinc.org", "44261-6")}
    assert south._site_codes == {}


@pytest.mark.parametrize("text", ["{}", "no json", '{"resourceType": "Patient"}'])
def test_a_concept_map_that_is_none_is_refused(
    own: Any, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "north.json"
    path.write_text(text)
    own["CONCEPT_MAPS"] = {"north": path}
    with pytest.raises(ImproperlyConfigured, match="the ConceptMap of north"):
        wiring.ehr_of(site("https://ehr.example/fhir"))


def test_what_an_installation_sets_of_correlations_is_heeded(own: Any) -> None:
    own |= {"CORRELATION_MAX_SAMPLES": 1000, "CORRELATION_DAYS": 14}
    policy = wiring.correlation_policy()
    assert (policy.days, policy.max_days, policy.max_samples) == (14, 120, 1000)
    assert policy.fresh_for == timedelta(hours=24)
    assert policy.timeout_s == wiring.forecast_policy().timeout_s
    reader: Any = wiring.ehr_of(site("https://ehr.example/fhir"))
    assert reader._most_values == 1000
