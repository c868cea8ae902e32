from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.errors import (
    EhrError,
    EhrMalformed,
    EhrNotFound,
    EhrRefused,
    EhrUnavailable,
)
from fhir_integration import client as client_module
from fhir_integration.client import FhirClient
from tests.fhir_integration.made import BASE, Json, Time, bundle, client_of, observation

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]}


def serving(*answers: httpx.Response | Exception) -> Callable[..., httpx.Response]:
    """A network that gives these answers in order and fails the test on one more."""
    left = list(answers)

    def handler(_: httpx.Request) -> httpx.Response:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handler


def page(*resources: Json, next_url: str | None = None) -> httpx.Response:
    return httpx.Response(200, json=bundle(*resources, next_url=next_url))


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


IDENTIFIER = "identifier=urn:x|a b"
DEVICE: Json = {"resourceType": "Device"}


def create(*answers: httpx.Response | Exception, time: Time | None = None):  # type: ignore[no-untyped-def]
    return client_of(serving(*answers), time=time).create(
        DEVICE, if_none_exist=IDENTIFIER
    )


@pytest.mark.parametrize(
    ("answer", "reference", "created"),
    [
        (httpx.Response(201, json={**DEVICE, "id": "7"}), "Device/7", True),
        (httpx.Response(200, json={**DEVICE, "id": "7"}), "Device/7", False),
        (
            httpx.Response(201, headers={"Location": f"{BASE}/Device/7/_history/1"}),
            "Device/7",
            True,
        ),
        (httpx.Response(201, headers={"Location": "Device/7"}), "Device/7", True),
    ],
)
def test_a_create_tells_the_reference(
    answer: httpx.Response, reference: str, created: bool
) -> None:
    made = create(answer)
    assert (made.reference, made.created) == (reference, created)
    assert made.resource["id"] == "7"


def test_a_create_carries_its_condition_encoded() -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["if-none-exist"])
        assert request.headers["content-type"] == "application/fhir+json"
        return httpx.Response(201, json={**DEVICE, "id": "7"})

    client_of(handler).create(DEVICE, if_none_exist=IDENTIFIER)
    assert seen == ["identifier=urn%3Ax%7Ca+b"]


@pytest.mark.parametrize(
    "first",
    [
        httpx.Response(412),
        httpx.Response(201),
        httpx.Response(201, json={**DEVICE, "id": "not an id"}),
        httpx.Response(201, json={**DEVICE, "id": 7}),
        httpx.Response(201, json=observation()),
    ],
)
def test_where_the_answer_does_not_say_the_oldest_is_taken(
    first: httpx.Response,
) -> None:
    devices = [
        {**DEVICE, "id": "b", "meta": {"lastUpdated": "2026-02-02T00:00:00Z"}},
        {**DEVICE, "id": "a", "meta": {"lastUpdated": "2026-02-01T00:00:00Z"}},
    ]
    made = create(first, page(*devices))
    assert (made.reference, made.created) == ("Device/a", False)


def test_what_cannot_be_found_yet_is_tried_again_later() -> None:
    with pytest.raises(EhrUnavailable, match="does not show yet"):
        create(httpx.Response(412), page())
    assert create(httpx.Response(412), page({"id": "c"})).reference == "Device/c"


def test_another_refusal_is_passed_on() -> None:
    with pytest.raises(EhrRefused) as caught:
        create(httpx.Response(422))
    assert caught.value.status == 422


def test_a_lost_answer_is_asked_for_again() -> None:
    made = create(
        httpx.ReadError("lost"),
        httpx.Response(503),
        httpx.Response(200, json={**DEVICE, "id": "7"}),
    )
    assert made.reference == "Device/7"


def batch_answer(*statuses: object) -> httpx.Response:
    entries = [{"response": {"status": status}} for status in statuses]
    return httpx.Response(200, json={"resourceType": "Bundle", "entry": entries})


def identified(number: int) -> Json:
    return observation(identifier=[{"system": "urn:x", "value": str(number)}])


def test_a_batch_carries_a_condition_for_each_entry() -> None:
    sent: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return batch_answer("201 Created", "200")

    client_of(handler).batch_create([identified(1), identified(2)])
    assert b'"ifNoneExist":"identifier=urn%3Ax%7C2"' in sent[0]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (batch_answer("201"), EhrMalformed),
        (batch_answer("201", None), EhrMalformed),
        (batch_answer("201", "created"), EhrMalformed),
        (httpx.Response(200, json={"entry": ["x", "y"]}), EhrMalformed),
        (batch_answer("201", "429 Too Many Requests"), EhrUnavailable),
        (batch_answer("201", "422 Unprocessable"), EhrRefused),
    ],
)
def test_a_batch_that_was_not_taken_whole_says_so(
    answer: httpx.Response, error: type[EhrError]
) -> None:
    with pytest.raises(error):
        client_of(serving(answer)).batch_create([identified(1), identified(2)])


@pytest.fixture
def closed() -> Iterator[FhirClient]:
    client = client_of(serving())
    yield client
    client.close()


def test_a_deadline_is_a_moment_ahead(closed: FhirClient) -> None:
    assert closed.deadline(5) == 5.0
    assert closed.deadline() == 60.0
