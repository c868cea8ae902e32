from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from fhir_integration import sandbox as sandbox_module
from fhir_integration.sandbox import Sandbox
from fhir_integration.search_values import token
from tests.fhir_integration.made import numbered

ROOT = Path(__file__).resolve().parents[2]
Json = dict[str, Any]


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.base_url, trust_env=False) as client:
        yield client


def once(http: httpx.Client, resource: Json) -> httpx.Response:
    value = resource["identifier"][0]["value"]
    condition = {"If-None-Exist": f"identifier=urn:x|{value}"}
    return http.post(f"/{resource['resourceType']}", json=resource, headers=condition)


def found(http: httpx.Client, query: str) -> list[str]:
    bundle = http.get(f"/Observation?{query}").raise_for_status().json()
    return [e["resource"]["identifier"][0]["value"] for e in bundle["entry"]]


def test_a_create_answers_as_r4_says(http: httpx.Client) -> None:
    answer = http.post("/Observation", json=numbered(1))
    kept = answer.json()
    assert answer.status_code == 201
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["location"] == (
        f"{http.base_url}Observation/{kept['id']}/_history/1"
    )
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert http.get(f"/Observation/{kept['id']}").json() == kept
    assert kept.items() >= numbered(1).items()


def test_a_conditional_create_makes_one(http: httpx.Client) -> None:
    first, second = once(http, numbered(1)), once(http, numbered(1))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()


def test_many_at_once_still_make_one(http: httpx.Client) -> None:
    codes: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: codes.append(once(http, numbered(1)).status_code)
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200] * 7 + [201]


def test_a_condition_that_several_meet_is_refused(http: httpx.Client) -> None:
    for _ in range(2):
        http.post("/Observation", json=numbered(1))
    assert once(http, numbered(1)).status_code == 412


def test_an_update_makes_the_next_version(http: httpx.Client) -> None:
    url = "/Observation/o7"
    first = http.put(url, json=numbered(1))
    second = http.put(url, json=numbered(2, status="amended"))
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.headers["etag"] == 'W/"2"'
    assert http.get(url).json()["status"] == "amended"
    assert http.get(f"{url}/_history/1").json()["status"] == "final"
    assert http.get(f"{url}/_history/3").status_code == 404
    assert found(http, "identifier=urn:x|1") == []
    assert found(http, "patient=p1") == ["2"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["1", "2", "3"]),
        ("patient=p1", ["1", "2"]),
        ("subject=Patient/p2", ["3"]),
        ("code=http://loinc.org|44261-6", ["1", "3"]),
        ("code=http://loinc.org|", ["1", "3"]),
        ("code=44261-6,urn:d|y", ["1", "2", "3"]),
        ("patient=p1&code=urn:d|", ["2"]),
        ("identifier=urn:x|3", ["3"]),
        ("identifier=3", ["3"]),
        ("identifier=urn:x|3,1,urn:x|9", ["1", "3"]),
        ("date=ge2026-02-02", ["2", "3"]),
        ("date=ge2026-02-02&date=le2026-02-02", ["2"]),
        ("date=gt2026-02-02", ["3"]),
        ("date=lt2026-02-02", ["1"]),
        ("date=2026-02-02", ["2"]),
        ("date=eq2026-02", ["1", "2"]),
        ("_sort=-date", ["3", "2", "1"]),
        ("_sort=_lastUpdated", ["1", "2", "3"]),
        ("_count=0", []),
        ("_id=unknown", []),
        ("patient=p9", []),
    ],
)
def test_searches_find_what_they_name(
    http: httpx.Client, query: str, expected: list[str]
) -> None:
    other_code = {"coding": [{"system": "urn:d", "code": "y"}]}
    other = {"reference": "https://a.example/r4/Patient/p2"}
    for resource in (
        numbered(1, effectiveDateTime="2026-02-01"),
        numbered(2, code=other_code, effectiveDateTime="2026-02-02T10:00:00Z"),
        numbered(3, subject=other, effectiveDateTime="2026-03-01"),
    ):
        once(http, resource)
    assert found(http, query) == expected


def test_a_period_is_found_by_each_of_its_days(http: httpx.Client) -> None:
    whole = {"start": "2026-02-01", "end": "2026-02-10"}
    for number, period in enumerate([whole, {"start": "2026-02-01"}, {}, "odd"]):
        once(
            http,
            numbered(number, effectiveDateTime=None, effectivePeriod=period),
        )
    assert found(http, "date=2026-02-05") == []
    assert found(http, "date=ge2026-02-05&date=le2026-02-05") == ["0", "1"]
    assert found(http, "date=ge2026-03-01") == ["1"]


def test_pages_lead_through_everything_once(http: httpx.Client) -> None:
    for number in range(7):
        once(http, numbered(number))
    url, seen = "/Observation?patient=p1&_count=3", list[str]()
    for _ in range(3):
        page = http.get(url).json()
        assert page["total"] == 7
        seen += [e["resource"]["identifier"][0]["value"] for e in page["entry"]]
        url = {link["relation"]: link["url"] for link in page["link"]}.get("next", "")
    assert url == ""
    assert seen == [str(number) for number in range(7)]


def test_a_search_sees_what_was_written_since(http: httpx.Client) -> None:
    for number in range(40):  # more searches than are remembered
        once(http, numbered(number))
        assert len(found(http, "patient=p1&_count=200")) == number + 1
        assert found(http, f"identifier=urn:x|{number}") == [str(number)]


def test_repeated_searches_forget_the_oldest(http: httpx.Client) -> None:
    once(http, numbered(1))
    for offset in range(40):
        assert found(http, f"_id=x{offset}") == []
    assert found(http, "patient=p1") == ["1"]


def test_provenance_is_found_by_its_target(http: httpx.Client) -> None:
    target = [{"reference": "Observation/7/_history/2"}, "odd"]
    http.post("/Provenance", json={"resourceType": "Provenance", "target": target})
    assert http.get("/Provenance?target=Observation/7").json()["total"] == 1
    assert http.get("/Provenance?target=Observation/8").json()["total"] == 0


def entry(resource: object, **request: Any) -> Json:
    return {"resource": resource, "request": {"method": "POST", **request}}


def test_a_batch_answers_each_entry_for_itself(http: httpx.Client) -> None:
    condition = {"url": "Observation", "ifNoneExist": "identifier=urn:x|1"}
    entries = [
        entry(numbered(1), **condition),
        entry(numbered(1), **condition),
        entry(numbered(2), url="Device"),
        entry(numbered(3), url="Observation", ifNoneExist="bogus=1"),
        entry(numbered(4), url="Observation/o4", method="PUT"),
        entry("no resource", url="Observation"),
        entry(numbered(5), url="Observation", method="DELETE"),
        "no entry",
    ]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    answer = http.post("/", json=bundle).json()
    statuses = [e["response"]["status"][:3] for e in answer["entry"]]
    assert answer["type"] == "batch-response"
    assert statuses == ["201", "200", "400", "400", "201", "400", "404", "400"]
    assert found(http, "") == ["1", "4"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/metadata", None, 200),
        ("GET", "/Observation/none", None, 404),
        ("GET", "/Observation/a/_history/x", None, 404),
        ("GET", "/Observation/a/b/c/d", None, 404),
        ("GET", "/", None, 404),
        ("GET", "/Observation?value-quantity=3", None, 400),
        ("GET", "/Observation?_count=x", None, 400),
        ("GET", "/Observation?_sort=code", None, 400),
        ("GET", "/Observation?date=yesterday", None, 400),
        ("POST", "/Observation", b"{", 400),
        ("POST", "/Observation", b"[]", 400),
        ("POST", "/Observation", b"{}", 400),
        ("POST", "/Observation", b'{"resourceType": "Device"}', 400),
        ("POST", "/Observation/x", b'{"resourceType": "Observation"}', 404),
        ("PUT", "/Observation", b'{"resourceType": "Observation"}', 404),
        ("PUT", "/Observation/a b", b'{"resourceType": "Observation"}', 400),
        ("POST", "/", b'{"resourceType": "Bundle", "type": "history"}', 400),
        ("POST", "/", b'{"resourceType": "Device", "type": "batch"}', 400),
        ("POST", "/", b'{"resourceType": "Bundle", "type": "batch", "entry": 1}', 400),
    ],
)
def test_what_it_does_not_know_it_says_as_an_outcome(
    *, http: httpx.Client, method: str, path: str, body: bytes | None, status: int
) -> None:
    answer = http.request(method, path, content=body)
    assert answer.status_code == status
    kind = "CapabilityStatement" if status == 200 else "OperationOutcome"
    assert answer.json()["resourceType"] == kind


def test_only_the_base_path_is_served(sandbox: Sandbox) -> None:
    root = sandbox.base_url.removesuffix("/fhir")
    answer = httpx.get(f"{root}/fhirmetadata", trust_env=False)
    assert answer.status_code == 404


def test_a_body_beyond_the_limit_is_refused(
    http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_module, "MAX_BYTES", 100)
    assert http.post("/Observation", json=numbered(1)).status_code == 413


def test_a_client_that_hangs_up_is_no_news(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    port = int(sandbox.base_url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(b"POST /fhir/Observation HTTP/1.1\r\nContent-Length: 99\r\n\r\n{")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    answer = httpx.get(f"{sandbox.base_url}/metadata?patient=p1", trust_env=False)
    assert answer.status_code == 200
    assert "p1" not in "".join(capfd.readouterr())


def test_provenances_are_found_by_target_and_agent(http: httpx.Client) -> None:
    for number, who in enumerate(({"display": "x"}, {"reference": "Device/d"})):
        vouching = {
            "resourceType": "Provenance",
            "id": str(number),
            "target": [{"reference": "Observation/o/_history/2"}],
            "agent": [{"who": who}, {"type": {}}],
        }
        http.put(f"/Provenance/{number}", json=vouching).raise_for_status()
    totals = [
        http.get(f"/Provenance?{query}").json()["total"]
        for query in (
            "target=Observation/o",
            "target=Observation/o&agent=Device/d",
            "agent=Device/e",
        )
    ]
    assert totals == [2, 1, 0]


@pytest.mark.parametrize("value", ["a,b", "a|b", "a$b", "a\\b", "a b", "ü, |"])
def test_data_in_a_condition_is_escaped(http: httpx.Client, value: str) -> None:
    device = {"resourceType": "Device"} | {
        "identifier": [{"system": "urn:x", "value": value}]
    }
    condition = {"If-None-Exist": urlencode({"identifier": token("urn:x", value)})}
    made = [
        http.post("/Device", json=device, headers=condition).status_code
        for _ in range(2)
    ]
    assert made == [201, 200]
    assert http.get("/Device?identifier=urn:x|a|b").status_code == 400
