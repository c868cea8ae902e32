"""Our Provenance beside those that an EHR writes of its own accord."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from fhir_integration.errors import KeptOtherwise
from fhir_integration.sandbox import Sandbox
from fhir_integration.site import FhirEhr, WriteMode
from tests.fhir_integration.made import document
from tests.peer import Peer

GATEWAY = [{"who": {"display": "EHR gateway"}}]


class KeepsBooks(httpx.BaseTransport):
    """An EHR that writes a Provenance of its own for each Observation it is sent.

    `forgets` is a word of its conditions that it does not look at.
    """

    def __init__(self, base_url: str, forgets: str = "nothing") -> None:
        self.base_url, self.forgets = base_url, forgets
        self.http = httpx.HTTPTransport()

    def close(self) -> None:
        self.http.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        condition = request.headers.get("if-none-exist", "")
        kept = [part for part in condition.split("&") if self.forgets not in part]
        if condition:
            request.headers["if-none-exist"] = "&".join(kept)
        sent = self.http.handle_request(request)
        answer = httpx.Response(
            sent.status_code, headers=sent.headers, content=sent.read()
        )
        sent.close()
        if answer.status_code == 201 and request.url.path.endswith("/Observation"):
            self.note(f"Observation/{answer.json()['id']}")
        return answer

    def note(self, target: str) -> None:
        resource = {
            "resourceType": "Provenance",
            "target": [{"reference": target}],
            "recorded": "2026-01-01T00:00:00Z",
            "agent": GATEWAY,
        }
        url = f"{self.base_url}/Provenance"
        httpx.post(url, json=resource, trust_env=False).raise_for_status()


def agents(site: FhirEhr, observation: str) -> list[Any]:
    found = site.client.search("Provenance", {"target": observation})
    return [one["agent"][0]["who"] for one in found]


def vouches_once(base_url: str, mode: WriteMode) -> None:
    site = FhirEhr(base_url, write_mode=mode, transport=KeepsBooks(base_url))
    first, again = (site.write_forecast(document()) for _ in range(2))
    assert (first.provenance, first.device) == (again.provenance, again.device)
    assert site.client.read(first.provenance)["agent"][0]["who"] == {
        "reference": first.device
    }
    assert sorted(agents(site, first.observation), key=str) == [
        GATEWAY[0]["who"],
        {"reference": first.device},
    ]
    site.close()


@pytest.mark.parametrize("mode", ["full", "flat"])
def test_an_ehr_that_keeps_books_gets_ours_too(
    sandbox: Sandbox, mode: WriteMode
) -> None:
    vouches_once(sandbox.base_url, mode)


@pytest.mark.parametrize("mode", ["full", "flat"])
def test_another_partys_ehr_that_keeps_books_gets_ours_too(
    peer: Peer, mode: WriteMode
) -> None:
    vouches_once(peer.base_url, mode)


def test_what_another_vouches_for_is_not_called_delivered(sandbox: Sandbox) -> None:
    books = KeepsBooks(sandbox.base_url, forgets="agent")
    site = FhirEhr(sandbox.base_url, transport=books)
    with pytest.raises(KeptOtherwise, match="another agent"):
        site.write_forecast(document())
    site.close()
