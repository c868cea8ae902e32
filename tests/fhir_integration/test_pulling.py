from __future__ import annotations

from typing import Any

import httpx
import pytest

from backend.twin.errors import EhrRefused
from fhir_integration.site import FhirEhr
from tests.fhir_integration.made import SINCE, UNTIL, bundle, observation


def form(day: str, total: int) -> dict[str, Any]:
    """A PHQ-9 form that states its total."""
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "subject": {"reference": "Patient/p1"},
        "questionnaire": "http://loinc.org/q/44249-1",
        "authored": f"{day}T10:00:00+01:00",
        "item": [{"linkId": "/44261-6", "answer": [{"valueInteger": total}]}],
    }


def test_totals_of_forms_are_read_beside_observations(ehr: FhirEhr) -> None:
    for day, total in (("2026-02-01", 9), ("2025-06-01", 12)):
        ehr.client.create(form(day, total), if_none_exist={"identifier": f"x|{day}"})
    named = {"identifier": [{"system": "urn:x", "value": "1"}]}
    ehr.client.batch_create([{**observation(effectiveDateTime="2026-02-02"), **named}])
    [series] = ehr.read_symptoms("p1", since=SINCE, until=UNTIL).series
    days = [(str(entry.day), entry.source.split("/")[0]) for entry in series.entries]
    assert days == [
        ("2026-02-01", "QuestionnaireResponse"),
        ("2026-02-02", "Observation"),
    ]


@pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
def test_an_ehr_that_gives_no_forms_is_read_without(status: int) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "QuestionnaireResponse" in request.url.path:
            return httpx.Response(status)
        return httpx.Response(200, json=bundle(observation()))

    site = FhirEhr("http://ehr.test/fhir", transport=httpx.MockTransport(answer))
    [series] = site.read_symptoms("p1", since=SINCE, until=UNTIL).series
    assert len(series.entries) == 1


def test_a_failure_at_the_forms_is_a_failure() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "QuestionnaireResponse" in request.url.path:
            return httpx.Response(401)
        return httpx.Response(200, json=bundle(observation()))

    site = FhirEhr("http://ehr.test/fhir", transport=httpx.MockTransport(answer))
    with pytest.raises(EhrRefused):
        site.read_symptoms("p1", since=SINCE, until=UNTIL)


def test_the_sites_own_codes_are_asked_for_and_read() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params).get("code", ""))
        own = {"coding": [{"system": "urn:north", "code": "PHQ"}]}
        found = [observation(code=own)] if "Observation" in request.url.path else []
        return httpx.Response(200, json=bundle(*found))

    site = FhirEhr(
        "http://ehr.test/fhir",
        transport=httpx.MockTransport(answer),
        site_codes={("urn:north", "PHQ"): ("http://loinc.org", "44261-6")},
    )
    [series] = site.read_symptoms("p1", since=SINCE, until=UNTIL).series
    assert series.scale.key == "phq9"
    assert "urn:north|PHQ" in asked[0]
