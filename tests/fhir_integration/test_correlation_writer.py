from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from backend.twin.errors import EhrRefused
from fhir_integration import codes
from fhir_integration.errors import KeptOtherwise, NotConformant
from fhir_integration.sandbox import Sandbox
from fhir_integration.site import FhirEhr
from tests.fhir_integration.made import SINCE, UNTIL, correlation, document

Json = dict[str, Any]
KINDS = ("Device", "Observation", "Provenance")


@pytest.fixture(params=["full", "flat"])
def site(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[FhirEhr]:
    made = FhirEhr(sandbox.base_url, write_mode=request.param)
    yield made
    made.close()


def held(site: FhirEhr) -> list[int]:
    return [len(list(site.client.search(kind, {}))) for kind in KINDS]


def test_writing_twice_leaves_one_of_each(site: FhirEhr) -> None:
    first, second = (site.write_correlation(correlation()) for _ in range(2))
    assert (first.created, second.created) == (True, False)
    assert replace(first, created=False) == second
    assert held(site) == [1, 1, 1]


def test_the_provenance_joins_what_was_written(site: FhirEhr) -> None:
    receipt = site.write_correlation(correlation())
    provenance = site.client.read(receipt.provenance)
    assert provenance["target"] == [{"reference": receipt.observation}]
    assert provenance["agent"][0]["who"] == {"reference": receipt.device}
    sources = [entity["what"]["reference"] for entity in provenance["entity"]]
    assert sources == list(correlation().sources)
    written = site.client.read(receipt.observation)
    assert written["device"] == {"reference": receipt.device}


def test_a_forecast_and_links_of_one_patient_stand_beside_each_other(
    ehr: FhirEhr,
) -> None:
    other = replace(correlation(biometric="heart-rate"), identifier=uuid4())
    forecast = replace(document(), identifier=uuid4())
    ehr.write_forecast(forecast)
    for one in (correlation(), other):
        ehr.write_correlation(one)
    assert held(ehr) == [2, 3, 3]


def test_a_flat_one_has_a_number_and_words_only(sandbox: Sandbox) -> None:
    site = FhirEhr(sandbox.base_url, write_mode="flat")
    kept = site.client.read(site.write_correlation(correlation()).observation)
    assert "component" not in kept
    assert kept["valueQuantity"]["value"] == 0.4123
    [note] = kept["note"]
    assert correlation().insight.evidence in note["text"]
    site.close()


def test_a_written_link_is_not_read_as_data(site: FhirEhr) -> None:
    site.write_correlation(correlation())
    record = site.read_signals("p1", since=SINCE, until=UNTIL)
    assert (record.series, record.streams, record.refused) == ((), (), ())


@pytest.mark.parametrize(
    "changes",
    [
        {"coefficient": 1.7},
        {"coefficient": None},
        {"coefficient": float("nan")},
        {"caveat": "It is the cause"},
        {"biometric": "hrv-sdnn", "window": correlation().insight.link.window[::-1]},
    ],
)
def test_nothing_is_sent_that_breaks_a_rule(site: FhirEhr, changes: Json) -> None:
    with pytest.raises(NotConformant):
        site.write_correlation(correlation(**changes))
    assert held(site) == [0, 0, 0]


def test_a_patient_that_fhir_cannot_name_is_not_written(site: FhirEhr) -> None:
    with pytest.raises(NotConformant):
        site.write_correlation(correlation("p 1"))
    assert held(site) == [0, 0, 0]


def test_a_site_that_takes_nothing_is_not_written_to(sandbox: Sandbox) -> None:
    site = FhirEhr(sandbox.base_url, write_mode="none")
    with pytest.raises(EhrRefused, match="takes no correlations"):
        site.write_correlation(correlation())
    assert held(site) == [0, 0, 0]
    site.close()


def test_a_link_taken_back_in_the_ehr_is_not_called_delivered(site: FhirEhr) -> None:
    receipt = site.write_correlation(correlation())
    kept = site.client.read(receipt.observation)
    url = site.client._connection.url(receipt.observation)
    taken_back = {**kept, "status": "entered-in-error"}
    site.client._connection._http.put(url, json=taken_back).raise_for_status()
    with pytest.raises(KeptOtherwise, match="status"):
        site.write_correlation(correlation())
    assert codes.PREDICTION in str(taken_back)
