from __future__ import annotations

import httpx
import pytest

from backend.twin.errors import EhrError, EhrMalformed, EhrRefused, EhrUnavailable
from fhir_integration.client import Created
from fhir_integration.search_values import token
from tests.fhir_integration.made import (
    BASE,
    Json,
    client_of,
    observation,
    page,
    serving,
)

IDENTIFIER = {"identifier": token("urn:x", "a b")}
DEVICE: Json = {"resourceType": "Device"}


def create(*answers: httpx.Response | Exception) -> Created:
    client = client_of(serving(*answers))
    return client.create(DEVICE, if_none_exist=IDENTIFIER)


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
    several = {"target": "Observation/1", "agent": "Device/2"}
    client_of(handler).create(DEVICE, if_none_exist=several)
    assert seen == [
        "identifier=urn%3Ax%7Ca+b",
        "target=Observation%2F1&agent=Device%2F2",
    ]


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
