"""Records of every kind: what ends up where, whatever the order of delivery."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.twin.person import Person
from backend.twin.record import PatientRecord, Reason, Refusal
from fhir_integration.reader import read_record
from tests.fhir_integration.every_kind import (
    condition,
    consent,
    genotype,
    medication,
    of_each_kind,
    patient,
    request,
)
from tests.fhir_integration.kinds.body import AT, lasting, quantity, signal
from tests.fhir_integration.made import BASE, SINCE, UNTIL, Json, observation


def read(resources: Iterable[Json], **options: Any) -> PatientRecord:
    return read_record(resources, ehr_patient="p1", since=SINCE, until=UNTIL, **options)


def counts(record: PatientRecord) -> dict[Reason, int]:
    reasons = [refusal.reason for refusal in record.refused]
    return {reason: reasons.count(reason) for reason in reasons}


def test_every_kind_is_in_the_record() -> None:
    record = read(of_each_kind())
    assert record.refused == ()
    assert [len(series.entries) for series in record.series] == [2]
    assert len(record.safety) == 1
    assert [(s.measure.key, len(s)) for s in record.streams] == [("heart-rate", 1)]
    assert [event.source for event in record.medications] == [
        "MedicationRequest/m1",
        "MedicationRequest/m2",
    ]
    assert [diagnosis.concept for diagnosis in record.diagnoses] == ["depression"]
    assert [call.gene for call in record.genotypes] == ["CYP2C19"]
    assert [(one.kind, one.value) for one in record.lab_facts] == [("egfr", 54.0)]
    assert record.person is not None
    assert not record.person.opted_out


LATER = {"lastUpdated": "2026-02-20T10:00:00Z", "versionId": "2"}
TAKEN_BACK = signal(id="w2", status="entered-in-error", meta=LATER)
POOL = [
    *of_each_kind(),
    consent(),
    patient(gender="female", meta=LATER),
    medication(meta=LATER, code={"text": "?"}),
    request("m3"),
    condition("c2"),
    genotype("g2"),
    signal(id="w2"),
    TAKEN_BACK,
    signal(id="w3", valueQuantity=quantity(1.2, "Hz")),
    signal(id="w4", effectiveDateTime="2026-02-14T08:05:00Z"),
    lasting("55423-8", "2026-02-14T09:00:00Z", "2026-02-14T10:00:00Z", id="w5"),
    lasting("55423-8", "2026-02-14T09:00:00Z", "2026-02-14T10:00:00Z", id="w6"),
    observation(id="o2"),
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(POOL), max_size=12), st.randoms())
def test_order_and_repetition_do_not_matter(resources: list[Json], random: Any) -> None:
    expected = read(resources)
    shuffled = list(resources)
    random.shuffle(shuffled)
    assert read(shuffled) == expected
    repeated = read([*resources, *shuffled])
    assert repeated.digest == expected.digest
    assert repeated.streams == expected.streams
    assert repeated.person == expected.person


def test_equal_facts_under_several_ids_count_once() -> None:
    twice = [
        *(request("m1"), request("m2"), condition("c2"), condition("c1")),
        *(genotype("g1"), genotype("g2"), signal(id="w1"), signal(id="w2")),
    ]
    record = read(twice)
    assert counts(record) == {Reason.DUPLICATE: 4}
    assert record.medications[0].source == "MedicationRequest/m1"
    assert record.diagnoses[0].source == "Condition/c1"
    assert record.streams[0].sources == ("Observation/w1/_history/1",)


def test_one_type_does_not_hide_another_of_the_same_id() -> None:
    record = read([condition("x"), request("x"), observation(id="x")])
    assert record.refused == ()
    assert record.diagnoses
    assert record.medications
    assert record.series


def test_the_newest_version_of_a_sample_counts_even_if_it_takes_back() -> None:
    record = read([TAKEN_BACK, signal(id="w2")])
    assert record.streams == ()
    assert counts(record) == {Reason.ENTERED_IN_ERROR: 1, Reason.DUPLICATE: 1}


NAMED = {"identifier": [{"system": "urn:x", "value": "1"}]}


def test_one_business_identifier_names_one_sample_of_a_code_and_start() -> None:
    first, second = signal(**NAMED), signal(id="w2", **NAMED)
    second |= {"valueQuantity": quantity(80, "/min"), "meta": LATER}
    next_hour = signal(id="w3", effectiveDateTime="2026-02-14T10:05:00+01:00", **NAMED)
    record = read([first, second, next_hour])
    [stream] = record.streams
    assert stream.start.tolist() == [AT, AT + 3600]
    assert stream.value.tolist() == [80.0, 72.0]
    assert record.refused == (Refusal("Observation/w1/_history/1", Reason.DUPLICATE),)


def test_the_two_variabilities_are_two_streams() -> None:
    own = {"system": "https://mindtwin.example/fhir/CodeSystem/measure"}
    rmssd = signal({"coding": [{**own, "code": "hrv-rmssd"}]}, id="w2")
    sdnn = signal("80404-7", valueQuantity=quantity(50, "ms"))
    record = read([sdnn, rmssd | {"valueQuantity": quantity(50, "ms")}])
    assert [s.measure.key for s in record.streams] == ["hrv-rmssd", "hrv-sdnn"]
    assert [len(s) for s in record.streams] == [1, 1]


@pytest.mark.parametrize(
    ("resources", "person"),
    [
        ([], None),
        ([patient("p2")], None),
        ([consent(kind="permit")], None),
        ([consent()], Person(opted_out=True)),
    ],
)
def test_who_the_patient_is_if_anything_says_it(
    resources: list[Json], person: Person | None
) -> None:
    assert read(resources).person == person


def test_a_denial_opts_the_patient_out() -> None:
    record = read([patient(), consent(kind="permit"), consent("k2")])
    assert record.person is not None
    assert record.person.opted_out


def test_what_names_a_merged_record_is_the_patients() -> None:
    theirs = {"subject": {"reference": "Patient/p0"}}
    record = read(
        [signal(**theirs), request(**theirs), patient("p0"), patient()], also=["p0"]
    )
    assert record.refused == ()
    assert len(record.streams[0]) == len(record.medications) == 1


def test_the_newest_medication_is_the_one_that_is_pointed_at() -> None:
    pointing = request(
        medicationCodeableConcept=None,
        medicationReference={"reference": "Medication/s50"},
    )
    unknown = medication(code={"text": "?"})
    newest = medication(meta=LATER)
    for order in ([pointing, unknown, newest], [newest, unknown, pointing]):
        assert len(read(order).medications) == 1


@pytest.mark.parametrize(
    ("base_url", "events"), [(BASE, 1), ("https://other.example/fhir", 0), ("", 0)]
)
def test_a_medication_is_found_below_the_sites_own_base_only(
    base_url: str, events: int
) -> None:
    pointing = request(
        medicationCodeableConcept=None,
        medicationReference={"reference": f"{BASE}/Medication/s50"},
    )
    record = read([pointing, medication()], base_url=base_url)
    assert len(record.medications) == events
    assert counts(record) == ({} if events else {Reason.UNRESOLVED: 1})
