from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from backend.twin.errors import EhrRefused
from backend.twin.record import Reason
from fhir_integration.codes import LOINC, UCUM
from fhir_integration.errors import TooManyValues
from fhir_integration.pulling import TREATMENT, bounded
from fhir_integration.site import FhirEhr
from tests.fhir_integration.every_kind import SERTRALINE, request, resource
from tests.fhir_integration.made import SINCE, UNTIL, bundle, observation
from tests.peer import Peer


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


def statement(own_id: str, began: str) -> dict[str, Any]:
    made = {
        "status": "active",
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": SERTRALINE,
        "effectivePeriod": {"start": began},
    }
    return resource("MedicationStatement", own_id, **made)


FIRST = UNTIL - TREATMENT


def orders() -> list[dict[str, Any]]:
    """Of the patient in time, too early, too late, of another; and two statements."""
    late, early = UNTIL + timedelta(days=9), FIRST - timedelta(days=9)
    other = request("m4", subject={"reference": "Patient/p2"})
    return [
        request("m1", authoredOn=f"{FIRST}T10:00:00Z"),
        request("m2", authoredOn=f"{early}T10:00:00Z"),
        request("m3", authoredOn=f"{late}T10:00:00Z"),
        other,
        statement("s1", str(SINCE)),
        statement("s2", str(late)),
    ]


def told(site: FhirEhr, patient: str = "p1") -> list[tuple[str, date | None]]:
    record = site.read_symptoms(patient, since=SINCE, until=UNTIL)
    assert record.treatment_known
    assert record.refused == ()
    found = record.medications
    return sorted((event.source.split("/")[0], event.day) for event in found)


EXPECTED = [("MedicationRequest", FIRST), ("MedicationStatement", SINCE)]


def test_orders_and_statements_reach_back_further_than_scores(ehr: FhirEhr) -> None:
    for number, one in enumerate(orders()):
        ehr.client.create(one, if_none_exist={"identifier": f"x|{number}"})
    assert told(ehr) == EXPECTED


def test_another_partys_server_gives_orders_and_statements(peer: Peer) -> None:
    for one in orders():
        peer.put(one)
    site = peer.ehr()
    assert told(site) == EXPECTED
    site.close()


MEDICINES = ("MedicationRequest", "MedicationStatement")


@pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
@pytest.mark.parametrize(
    ("missing", "known"), [(MEDICINES, False), (MEDICINES[:1], True), ((), True)]
)
def test_an_ehr_that_gives_no_medicines_is_read_without(
    status: int, missing: tuple[str, ...], *, known: bool
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.rsplit("/", maxsplit=1)[-1] in missing:
            return httpx.Response(status)
        found = [observation()] if "Observation" in request.url.path else []
        return httpx.Response(200, json=bundle(*found))

    site = FhirEhr("http://ehr.test/fhir", transport=httpx.MockTransport(answer))
    record = site.read_symptoms("p1", since=SINCE, until=UNTIL)
    assert len(record.series) == 1
    assert record.medications == ()
    assert record.treatment_known is known


def test_an_order_whose_medicine_is_not_there_is_refused(ehr: FhirEhr) -> None:
    elsewhere = {"medicationReference": {"reference": "Medication/s50"}}
    one = request("m1", medicationCodeableConcept=None, **elsewhere)
    ehr.client.create(one, if_none_exist={"identifier": "x|1"})
    record = ehr.read_symptoms("p1", since=SINCE, until=UNTIL)
    assert [one.reason for one in record.refused] == [Reason.UNRESOLVED]


@pytest.mark.parametrize("kind", ["QuestionnaireResponse", *MEDICINES])
def test_a_failure_at_what_may_be_missing_is_a_failure(kind: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if kind in request.url.path:
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


def samples(count: int, **changes: Any) -> dict[str, Any]:
    """Heart rate at an even pace from nine o'clock of 1 February on."""
    said = {
        "origin": {"value": 0, "unit": "/min", "system": UCUM, "code": "/min"},
        "period": 60_000,
        "dimensions": 1,
        "data": " ".join(["61.5"] * count),
    }
    made = {
        "effectiveDateTime": "2026-02-01T09:00:00+01:00",
        "valueQuantity": None,
        "valueSampledData": said,
        "code": {"coding": [{"system": LOINC, "code": "8867-4"}]},
    }
    return observation(**{**made, **changes})


def body() -> list[dict[str, Any]]:
    """A form, a score, pulse, and what has nothing to do with either."""
    height = {"coding": [{"system": LOINC, "code": "8302-2"}]}
    return [
        form("2026-02-01", 9),
        observation(),
        samples(30),
        samples(7, effectiveDateTime="2025-11-01T09:00:00+01:00"),
        observation(code=height),
        request("m1"),
    ]


def signals(site: FhirEhr) -> tuple[list[int], list[str], bool]:
    """Entries of each series, streams and their lengths, medicines."""
    record = site.read_signals("p1", since=SINCE, until=UNTIL)
    assert record.refused == ()
    entries = [len(series.entries) for series in record.series]
    streams = [f"{one.measure.key}: {len(one)}" for one in record.streams]
    return entries, streams, bool(record.medications) or record.treatment_known


EXPECTED_SIGNALS = ([2], ["heart-rate: 30"], False)


def test_signals_are_read_beside_symptoms(ehr: FhirEhr) -> None:
    for number, one in enumerate(body()):
        ehr.client.create(one, if_none_exist={"identifier": f"x|{number}"})
    assert signals(ehr) == EXPECTED_SIGNALS
    [series] = ehr.read_symptoms("p1", since=SINCE, until=UNTIL).series
    assert len(series.entries) == 2


def test_another_partys_server_gives_signals(peer: Peer) -> None:
    for number, one in enumerate(body()):
        peer.put({**one, "id": f"x{number}"})
    peer.admin("faults", {"maxCount": 2})
    site = peer.ehr()
    assert signals(site) == EXPECTED_SIGNALS
    site.close()


def test_nothing_but_symptoms_and_signals_is_asked_for() -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json=bundle())

    many = {(f"urn:site:{n}", "pulse"): (LOINC, "8867-4") for n in range(90)}
    transport = httpx.MockTransport(answer)
    site = FhirEhr("http://ehr.test/fhir", transport=transport, site_codes=many)
    site.read_signals("p1", since=SINCE, until=UNTIL, also=("p0",))
    kinds = {url.path.rsplit("/", maxsplit=1)[-1] for url in asked}
    assert kinds == {"Observation", "QuestionnaireResponse"}
    assert {url.params["patient"] for url in asked} == {"p1", "p0"}
    assert max(len(url.query) for url in asked) < 2_048
    assert len(asked) > 2 * 3, "the list of codes is too long for one search"


def test_what_two_searches_find_is_read_once() -> None:
    both = {"coding": [{"system": LOINC, "code": c} for c in ("8867-4", "40443-4")]}

    def answer(request: httpx.Request) -> httpx.Response:
        is_form = "QuestionnaireResponse" in request.url.path
        return httpx.Response(200, json=bundle(*[samples(3, code=both)][is_form:]))

    site = FhirEhr("http://ehr.test/fhir", transport=httpx.MockTransport(answer))
    record = site.read_signals("p1", since=SINCE, until=UNTIL)
    assert [len(one) for one in record.streams] == [3]
    assert record.refused == ()


@pytest.mark.parametrize(("most", "fits"), [(29, False), (30, True)])
def test_more_values_than_are_read_at_once_are_refused_by_name(
    most: int, *, fits: bool
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        is_form = "QuestionnaireResponse" in request.url.path
        return httpx.Response(200, json=bundle(*[samples(30)][is_form:]))

    transport = httpx.MockTransport(answer)
    site = FhirEhr("http://ehr.test/fhir", transport=transport, most_values=most)
    if fits:
        [stream] = site.read_signals("p1", since=SINCE, until=UNTIL).streams
        assert len(stream) == 30
        return
    with pytest.raises(TooManyValues, match="more than 29 values") as caught:
        site.read_signals("p1", since=SINCE, until=UNTIL)
    assert isinstance(caught.value, EhrRefused)


@pytest.mark.parametrize(
    ("resource", "values"),
    [
        (observation(), 1),
        (samples(9), 9),
        (observation(component=[samples(4), observation(), 7]), 7),
        (observation(component=7), 1),
        (samples(9, valueSampledData={"data": 7}), 1),
        (samples(9, valueSampledData="61 62"), 1),
    ],
)
def test_values_are_counted_before_they_are_read(
    resource: dict[str, Any], values: int
) -> None:
    assert list(bounded([resource] * 2, most=2 * values)) == [resource] * 2
    with pytest.raises(TooManyValues):
        list(bounded([resource] * 2, most=2 * values - 1))
