"""What is asked of an EHR for advice on medicines, and what becomes of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from backend.twin.errors import EhrRefused, EhrUnavailable
from backend.twin.record import PatientRecord, Reason
from fhir_integration.codes import LOINC
from fhir_integration.searched_codes import LONGEST, gene_codes, lab_codes
from fhir_integration.site import FhirEhr
from tests.fhir_integration.every_kind import (
    condition,
    genotype,
    lab,
    medication,
    request,
    resource,
)
from tests.fhir_integration.made import SINCE, UNTIL, bundle, observation
from tests.peer import Peer

Json = dict[str, Any]
LONG_AGO = "2011-03-04"
LATER = str(UNTIL + timedelta(days=9))


def statement(own_id: str, **changes: Any) -> Json:
    made = {
        "status": "active",
        "subject": {"reference": "Patient/p1"},
        "medicationReference": {"reference": "Medication/s50/_history/1"},
        "effectivePeriod": {"start": "2012-05-06"},
    }
    return resource("MedicationStatement", own_id, **{**made, **changes})


def record() -> list[Json]:
    """What counts, and what was not asked for, of the patient and of another."""
    other = {"reference": "Patient/p2"}
    return [
        genotype(effectiveDateTime=LONG_AGO),
        genotype("g2", subject=other),
        lab("l1", "2026-02-03", 54),
        lab("l2", LONG_AGO, 90),
        request("m1", authoredOn=LONG_AGO),
        request("m2", authoredOn=LONG_AGO, status="completed"),
        request("m3", authoredOn="2026-02-03", status="completed"),
        request("m4", authoredOn=LATER, status="completed"),
        request("m5", subject=other),
        statement("s1"),
        statement("s2", status="not-taken", effectivePeriod={"start": "2026-02-04"}),
        medication(),
        medication("s100"),
        condition(onsetDateTime=LONG_AGO),
        observation(),
    ]


def sources(facts: Any) -> set[str]:
    return {fact.source.split("/_history")[0].split("/")[1] for fact in facts}


def is_whole(found: PatientRecord) -> None:
    assert found.treatment_known
    assert found.refused == ()
    assert found.series == ()
    assert sources(found.genotypes) == {"g1"}
    assert sources(found.lab_facts) == {"l1"}
    assert sources(found.medications) == {"m1", "m3", "s1", "s2"}
    assert sources(found.diagnoses) == {"c1"}
    [fact] = found.lab_facts
    assert (fact.kind, fact.value, fact.day) == ("egfr", 54.0, date(2026, 2, 3))


def filled(site: FhirEhr) -> None:
    for one in record():
        url = site.client._connection.url(f"{one['resourceType']}/{one['id']}")
        site.client._connection._http.put(url, json=one).raise_for_status()


def test_genes_do_not_age_and_medicines_that_stand_count(ehr: FhirEhr) -> None:
    filled(ehr)
    is_whole(ehr.read_treatment("p1", since=SINCE, until=UNTIL))


def test_another_partys_server_gives_the_same(peer: Peer) -> None:
    for one in record():
        peer.put(one)
    site = peer.ehr()
    is_whole(site.read_treatment("p1", since=SINCE, until=UNTIL))
    site.close()


def test_what_was_merged_into_the_patient_is_theirs(ehr: FhirEhr) -> None:
    filled(ehr)
    found = ehr.read_treatment("p1", since=SINCE, until=UNTIL, also=("p2",))
    assert sources(found.genotypes) | {"g2"} == {"g1", "g2"}
    assert "m5" in sources(found.medications)


def served(asked: list[str], *found: Json, status: int = 200, of: str = "") -> FhirEhr:
    """An EHR that gives these to every search, and that status to those of a type."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        kind = request.url.path.removeprefix("/fhir/").split("/")[0]
        if kind == of:
            return httpx.Response(status)
        if "Medication/" in request.url.path:
            return httpx.Response(200, json=medication(request.url.path[-3:]))
        given = [one for one in found if one["resourceType"] == kind]
        return httpx.Response(200, json=bundle(*given))

    return FhirEhr("http://ehr.test/fhir", transport=httpx.MockTransport(answer))


def test_nothing_else_is_asked_for() -> None:
    asked: list[str] = []
    served(asked).read_treatment("p1", since=SINCE, until=UNTIL)
    kinds = [url.split("/fhir/")[1].split("?")[0] for url in asked]
    assert kinds == [
        *("Observation", "Observation"),
        *("MedicationRequest", "MedicationRequest"),
        *("MedicationStatement", "MedicationStatement"),
        "Condition",
    ]
    genes, labs, *_ = asked
    assert "date=" not in genes
    assert "date=ge" in labs
    assert ["status=" in url for url in asked[2:6]] == [False, True] * 2


@pytest.mark.parametrize(
    ("reference", "read"),
    [
        ("Medication/s50", True),
        ("http://ehr.test/fhir/Medication/s50", True),
        ("http://other.test/fhir/Medication/s50", False),
        ("Substance/s50", False),
        ("#s50", False),
        (7, False),
    ],
)
def test_a_medication_that_is_pointed_at_is_read(reference: Any, read: bool) -> None:
    pointing = {"medicationReference": {"reference": reference}}
    order = request(medicationCodeableConcept=None, **pointing)
    site = served([], order)
    found = site.read_treatment("p1", since=SINCE, until=UNTIL)
    assert bool(found.medications) is read
    unresolved = [one.reason for one in found.refused] == [Reason.UNRESOLVED]
    assert unresolved is not read


def test_a_contained_medication_needs_no_further_request() -> None:
    asked: list[str] = []
    pointing = {"medicationReference": {"reference": "#s50"}}
    inner = [medication()]
    order = request(medicationCodeableConcept=None, contained=inner, **pointing)
    found = served(asked, order).read_treatment("p1", since=SINCE, until=UNTIL)
    assert sources(found.medications) == {"m1"}
    assert not any("Medication/" in url for url in asked)


@pytest.mark.parametrize("pointer", [None, 7, {}, {"display": "sertraline"}])
def test_an_order_that_points_nowhere_is_refused(pointer: Any) -> None:
    order = request(medicationCodeableConcept=None, medicationReference=pointer)
    found = served([], order).read_treatment("p1", since=SINCE, until=UNTIL)
    assert found.medications == ()
    assert len(found.refused) == 1


def test_a_medication_that_the_ehr_does_not_give_is_unresolved() -> None:
    pointing = {"medicationReference": {"reference": "Medication/s50"}}
    order = request(medicationCodeableConcept=None, **pointing)
    site = served([], order, status=404, of="Medication")
    found = site.read_treatment("p1", since=SINCE, until=UNTIL)
    assert [one.reason for one in found.refused] == [Reason.UNRESOLVED]


@pytest.mark.parametrize("status", [400, 403, 404, 501])
def test_an_ehr_without_medicines_says_so(status: int) -> None:
    for of in ("MedicationRequest", "MedicationStatement"):
        found = served([], status=status, of=of).read_treatment(
            "p1", since=SINCE, until=UNTIL
        )
        assert found.treatment_known  # the other one is given

    def none(request: httpx.Request) -> httpx.Response:
        is_medicine = "Medication" in request.url.path
        return httpx.Response(status if is_medicine else 200, json=bundle())

    site = FhirEhr("http://ehr.test/fhir", transport=httpx.MockTransport(none))
    assert not site.read_treatment("p1", since=SINCE, until=UNTIL).treatment_known


def test_an_ehr_that_is_down_or_forbids_genes_is_an_error() -> None:
    with pytest.raises(EhrRefused):
        served([], status=403, of="Observation").read_treatment(
            "p1", since=SINCE, until=UNTIL
        )

    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("down")

    site = FhirEhr(
        "http://ehr.test/fhir", transport=httpx.MockTransport(down), deadline_s=0.1
    )
    with pytest.raises(EhrUnavailable):
        site.read_treatment("p1", since=SINCE, until=UNTIL)


def test_the_codes_that_are_asked_for_fit_into_a_url() -> None:
    for parts in (gene_codes(), lab_codes()):
        assert all(len(part) <= LONGEST for part in parts)
    [genes] = gene_codes({("urn:site", "cyp"): (LOINC, "84413-4")})
    assert {f"{LOINC}|84413-4", "urn:site|cyp"} <= set(genes.split(","))
    [labs] = lab_codes()
    assert f"{LOINC}|82810-3" in labs
