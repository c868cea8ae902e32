from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import httpx
import pytest

from backend.twin.errors import EhrUnavailable
from backend.twin.history import CourseState, MedicationChange, MedicationEvent
from backend.twin.person import Person
from backend.twin.record import Entry, PatientRecord, Reason, SafetyAnswer, Series
from backend.twin.scales import local_scale, scale
from fhir_integration.codes import DIARY
from fhir_integration.seed import (
    ENTRY_SYSTEM,
    Put,
    await_shown,
    observations,
    put,
    seed,
)
from fhir_integration.site import FhirEhr
from tests.fhir_integration.made import (
    SINCE,
    UNTIL,
    Time,
    client_of,
    document,
    page,
)
from tests.peer import Peer


def record(days: int = 50) -> PatientRecord:
    """Ratings with a time, a diary item twice a day, and a safety answer."""
    item = local_scale("cheerful", system=DIARY, low=1.0, high=7.0)
    dates = [SINCE + timedelta(days=day) for day in range(days)]
    mood = [
        Entry(d, n % 11 / 1, "", f"{d}T20:00:00+01:00") for n, d in enumerate(dates)
    ]
    cheer = [
        Entry(d, 1.0 + n % 7, "", f"{d}T{hour:02}:00:00+01:00")
        for n, d in enumerate(dates)
        for hour in (9, 21)
    ]
    answer = SafetyAnswer(scale("phq9"), date(2026, 2, 1), 2.0, "")
    return PatientRecord(
        series=(Series(item, tuple(cheer)), Series(scale("mood-0-10"), tuple(mood))),
        safety=(answer,),
    )


def told(of: PatientRecord) -> object:
    """All of a record but the references, which the EHR gives."""
    series = [(s.scale, [(e.day, e.value, e.at) for e in s.entries]) for s in of.series]
    return series, [(a.scale, a.day, a.value) for a in of.safety]


@pytest.mark.parametrize(
    ("born", "kept"),
    [
        (Person(date(1984, 4, 2), date(1984, 4, 2)), True),
        (Person(date(1984, 1, 1), date(1984, 12, 31)), False),
        (None, False),
    ],
)
def test_a_day_of_birth_is_put_in_where_it_is_known(
    ehr: FhirEhr, born: Person | None, kept: bool
) -> None:
    patient = seed(ehr.client, "case 1", replace(record(1), person=born))
    found = ehr.read_person(patient, on=UNTIL)
    assert found == (born if kept else Person())


def test_what_is_put_in_is_what_is_read(ehr: FhirEhr) -> None:
    patient = seed(ehr.client, "case 1", record())
    read = ehr.read_symptoms(patient, since=SINCE, until=UNTIL)
    assert told(read) == told(record())
    assert read.refused == ()


def begun(day: date | None, change: MedicationChange) -> MedicationEvent:
    code, state = "36437", CourseState.ACTIVE
    return MedicationEvent(("sertraline",), code, change, day, "", None, "", state)


def test_a_medicine_that_was_begun_is_put_in_once_and_read(ehr: FhirEhr) -> None:
    start = begun(SINCE - timedelta(days=200), MedicationChange.START)
    others = (begun(None, MedicationChange.START), begun(UNTIL, MedicationChange.STOP))
    with_orders = replace(record(2), medications=(start, *others))
    first, second = (put(ehr.client, "case 1", with_orders) for _ in range(2))
    await_shown(ehr.client, [first], patience_s=1)
    read = ehr.read_symptoms(first.patient, since=SINCE, until=UNTIL)
    assert [replace(event, source="") for event in read.medications] == [start]
    assert (first.orders, second.orders, second.written) == (True, False, frozenset())


NAMES = ["low mood", "Stimmung (ü)", "気分", "up, down", "a|b", "cost $", "back\\slash"]
NAMES += ["x" * 200, "low mood of the whole long day and the night after it " * 3 + "."]


def of_diary(*names: str) -> PatientRecord:
    items = [local_scale(name, system=DIARY, low=0.0, high=4.0) for name in names]
    entries = (Entry(SINCE, 1.0, ""), Entry(SINCE + timedelta(days=1), 2.0, ""))
    ordered = sorted(items, key=lambda item: item.key)
    return PatientRecord(series=tuple(Series(item, entries) for item in ordered))


def test_a_symptom_of_any_name_comes_back(ehr: FhirEhr) -> None:
    patient = seed(ehr.client, "case, 1|2", of_diary(*NAMES))
    assert seed(ehr.client, "case, 1|2", of_diary(*NAMES)) == patient
    read = ehr.read_symptoms(patient, since=SINCE, until=UNTIL)
    assert told(read) == told(of_diary(*NAMES))
    assert read.refused == ()
    assert len(list(ehr.client.search("Patient", {}))) == 1


@pytest.mark.parametrize(
    "name", ["", " ", " low", "low ", "low  mood", "low\tmood", "a\x01", "x" * 201]
)
def test_what_r4_allows_as_no_code_is_refused(ehr: FhirEhr, name: str) -> None:
    patient = seed(ehr.client, "case 1", of_diary(name))
    read = ehr.read_symptoms(patient, since=SINCE, until=UNTIL)
    assert read.series == ()
    assert {refusal.reason for refusal in read.refused} <= {Reason.MALFORMED}


@pytest.mark.parametrize("name", NAMES)
def test_a_forecast_of_a_symptom_of_any_name_is_kept(ehr: FhirEhr, name: str) -> None:
    item = local_scale(name, system=DIARY, low=0.0, high=4.0)
    assert ehr.write_forecast(document(of=item)).created


def test_a_second_run_adds_only_what_is_new(ehr: FhirEhr) -> None:
    patient = seed(ehr.client, "case 1", record(days=20))
    assert seed(ehr.client, "case 1", record(days=20)) == patient
    assert len(list(ehr.client.search("Observation", {}))) == 61
    seed(ehr.client, "case 1", record(days=21))
    assert len(list(ehr.client.search("Observation", {}))) == 64
    assert len(list(ehr.client.search("Patient", {}))) == 1


def test_another_label_is_another_patient(ehr: FhirEhr) -> None:
    assert seed(ehr.client, "a", record(1)) != seed(ehr.client, "b", record(1))


def test_a_safety_answer_needs_an_item() -> None:
    answer = SafetyAnswer(scale("gad7"), SINCE, 1.0, "")
    with pytest.raises(ValueError, match="safety item"):
        list(observations(PatientRecord((), (answer,)), patient="p1"))


def test_another_partys_server_takes_it_too(peer: Peer) -> None:
    site = peer.ehr()
    names = of_diary(*NAMES)
    other = seed(site.client, "case, 2", names)
    assert seed(site.client, "case, 2", names) == other
    read = site.read_symptoms(other, since=SINCE, until=UNTIL)
    assert told(read) == told(names)
    before = peer.total("Observation")

    patient = seed(site.client, "case 1", record(days=20))
    seed(site.client, "case 1", record(days=20))
    read = site.read_symptoms(patient, since=SINCE, until=UNTIL)
    assert told(read) == told(record(days=20))
    assert peer.total("Observation") == before + 61
    site.close()


def test_what_was_put_in_is_told_and_a_second_time_nothing(ehr: FhirEhr) -> None:
    first, second = (put(ehr.client, "case 1", record()) for _ in range(2))
    assert len(first.written) == 151
    assert second.written == frozenset()
    await_shown(ehr.client, [first, second], patience_s=0)


@pytest.mark.parametrize(("lag", "waits"), [(0, 0), (1, 1), (6, 6)])
def test_searches_that_lag_are_waited_for(lag: int, waits: int) -> None:
    """What the search shows grows only after so many looks."""
    time, looks = Time(), iter(range(99))
    done = Put("p1", frozenset({"a", "b"}))

    def handler(_: httpx.Request) -> httpx.Response:
        shown = "ab" if next(looks) >= lag else "a"
        return page(*(entry(name) for name in shown))

    await_shown(client_of(handler, time=time), [done], patience_s=60)
    assert time.slept == [0.25, 0.5, 1.0, 2.0, 4.0, 4.0][:waits]


def entry(name: str) -> dict[str, object]:
    identifier = {"system": ENTRY_SYSTEM, "value": name}
    return {"resourceType": "Observation", "id": name, "identifier": [identifier]}


def test_what_is_never_shown_is_said_in_time() -> None:
    time = Time()
    client = client_of(lambda _: page(entry("a")), time=time)
    with pytest.raises(EhrUnavailable, match="does not show yet"):
        await_shown(client, [Put("p1", frozenset({"z"}))], patience_s=10)
    assert sum(time.slept) <= 10


def test_where_nothing_was_written_nothing_is_asked() -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        raise AssertionError("asked")

    await_shown(client_of(handler), [Put("p1", frozenset())], patience_s=0)


def test_search_lag_of_a_peer_is_waited_out(peer: Peer) -> None:
    peer.admin("faults", {"searchLagMs": 1500, "maxCount": 20})
    site = peer.ehr()
    done = put(site.client, "case 1", record())
    await_shown(site.client, [done], patience_s=30)
    read = site.read_symptoms(done.patient, since=SINCE, until=UNTIL)
    assert told(read) == told(record())
    site.close()
