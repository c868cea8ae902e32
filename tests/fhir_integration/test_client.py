from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.errors import (
    EhrMalformed,
    EhrNotFound,
)
from fhir_integration import client as client_module
from fhir_integration.client import FhirClient
from tests.fhir_integration.made import (
    BASE,
    bundle,
    client_of,
    observation,
    page,
    serving,
)

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]}


def found(client: FhirClient) -> list[str]:
    return [str(r["id"]) for r in client.search("Observation", {"patient": "p1"})]


def test_a_search_follows_the_pages_to_the_end() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if "page=2" in str(request.url):
            return page(observation(id="o2"))
        return page(observation(id="o1"), next_url=f"{BASE}/Observation?page=2")

    assert found(client_of(handler)) == ["o1", "o2"]
    assert asked == [f"{BASE}/Observation?patient=p1", f"{BASE}/Observation?page=2"]


def test_a_relative_next_link_and_an_empty_page_are_followed() -> None:
    answers = serving(
        page(next_url="Observation?page=2"),
        page(observation(), next_url="?page=3"),
        page(),
    )
    assert found(client_of(answers)) == ["o1"]


@pytest.mark.parametrize(
    "link",
    [
        "http://ehr.example:8443/fhir/Observation?page=2",
        "https://ehr.example/fhir/Observation?page=2",
        "https://evil.example:8443/fhir/Observation?page=2",
        "https://ehr.example:8443@evil.example/fhir",
        "https://user:pw@ehr.example:8443/fhir?page=2",
        "//evil.example:8443/fhir",
        "https://ehr.example:99999/fhir",
        "file:///etc/passwd",
        "https://xn--/",
        "https://\u2100.example/",
        "http://[::1",
        "http://a]b/",
    ],
)
def test_the_token_never_goes_to_another_origin(link: str) -> None:
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return page(observation(), next_url=link)

    with pytest.raises(EhrMalformed, match="not on the EHR"):
        found(client_of(handler, token="s3cret"))
    assert [r.headers["authorization"] for r in asked] == ["Bearer s3cret"]


class Renewed:
    """A token that is worth nothing once it was refused."""

    def __init__(self) -> None:
        self.number, self.refused = 1, list[str]()

    def current(self) -> str:
        return f"token-{self.number}"

    def renew(self, rejected: str) -> str:
        self.refused.append(rejected)
        self.number += 1
        return self.current()


def test_a_token_that_ends_between_two_pages_is_renewed() -> None:
    asked: list[tuple[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        number = request.url.params.get("page", "1")
        asked.append((number, request.headers["authorization"]))
        if number == "2" and request.headers["authorization"] == "Bearer token-1":
            return httpx.Response(401, headers={"WWW-Authenticate": "Bearer"})
        after = {"1": "2", "2": "3"}.get(number)
        link = f"{BASE}/Observation?page={after}" if after else None
        return page(observation(id=f"o{number}"), next_url=link)

    token = Renewed()
    assert found(client_of(handler, token=token)) == ["o1", "o2", "o3"]
    assert token.refused == ["token-1"]
    assert asked == [
        ("1", "Bearer token-1"),
        ("2", "Bearer token-1"),
        ("2", "Bearer token-2"),
        ("3", "Bearer token-2"),
    ]


def test_an_answer_of_another_version_is_malformed() -> None:
    stu3 = {"Content-Type": "application/fhir+json; fhirVersion=3.0"}
    answer = httpx.Response(200, headers=stu3, json=bundle(observation()))
    with pytest.raises(EhrMalformed, match="fhirVersion"):
        found(client_of(serving(answer)))


def test_a_next_link_that_is_no_text_is_malformed() -> None:
    broken = {**bundle(observation()), "link": [{"relation": "next", "url": 7}]}
    with pytest.raises(EhrMalformed, match="not on the EHR"):
        found(client_of(serving(httpx.Response(200, json=broken))))


@given(st.text())
def test_no_next_link_breaks_out_of_the_error_tree(link: str) -> None:
    client = client_of(lambda _: page(observation(), next_url=link))
    with pytest.raises(EhrMalformed):
        found(client)


def test_a_link_that_comes_again_ends_the_search() -> None:
    with pytest.raises(EhrMalformed, match="does not come to an end"):
        found(client_of(lambda _: page(next_url=f"{BASE}/Observation?page=2")))


def test_the_same_page_under_new_links_ends_the_search() -> None:
    numbers = iter(range(99))
    client = client_of(
        lambda _: page(observation(), next_url=f"{BASE}/Observation?p={next(numbers)}")
    )
    with pytest.raises(EhrMalformed, match="same page again"):
        found(client)


def test_pages_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_PAGES", 3)
    numbers = iter(range(99))

    def handler(_: httpx.Request) -> httpx.Response:
        number = next(numbers)
        return page(observation(id=f"o{number}"), next_url=f"{BASE}/X?p={number}")

    with pytest.raises(EhrMalformed, match="does not come to an end"):
        found(client_of(handler))
    assert next(numbers) == 3


def test_outcomes_includes_and_rubbish_in_a_bundle_are_skipped() -> None:
    entries = [
        {"resource": OUTCOME, "search": {"mode": "outcome"}},
        {"resource": OUTCOME},
        {"resource": observation(id="o9"), "search": {"mode": "include"}},
        {"resource": "Observation"},
        "entry",
        {"resource": observation(), "search": {"mode": "match"}},
        {"resource": observation(id="o2"), "search": {}},
    ]
    searchset = {**bundle(), "entry": entries}
    client = client_of(serving(httpx.Response(200, json=searchset)))
    assert found(client) == ["o1", "o2"]


@pytest.mark.parametrize(
    "body", [OUTCOME, observation(), {"resourceType": "Bundle", "entry": 3}, [], "x"]
)
def test_a_success_that_is_no_searchset_is_malformed(body: object) -> None:
    with pytest.raises(EhrMalformed):
        found(client_of(serving(httpx.Response(200, json=body))))


def test_links_of_any_shape_end_the_paging() -> None:
    odd = {**bundle(observation()), "link": "next"}
    odder = {**bundle(observation()), "link": ["next", {"relation": "self"}]}
    for body in (odd, odder):
        assert found(client_of(serving(httpx.Response(200, json=body)))) == ["o1"]


def test_reading_by_reference() -> None:
    client = client_of(
        lambda request: httpx.Response(200, json={"id": request.url.path})
    )
    assert client.read("Observation/o1") == {"id": "/fhir/Observation/o1"}


def test_a_missing_resource_is_not_found() -> None:
    with pytest.raises(EhrNotFound) as caught:
        client_of(serving(httpx.Response(404))).read("Observation/o1")
    assert caught.value.status == 404


@pytest.fixture
def closed() -> Iterator[FhirClient]:
    client = client_of(serving())
    yield client
    client.close()


def test_a_deadline_is_a_moment_ahead(closed: FhirClient) -> None:
    assert closed.deadline(5) == 5.0
    assert closed.deadline() == 60.0
