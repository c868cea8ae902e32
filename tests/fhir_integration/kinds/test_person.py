from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.person import Person
from backend.twin.record import Reason
from fhir_integration.kinds.person import read_person
from fhir_integration.kinds.refused import Refused

ON = date(2026, 3, 2)
BASE = "https://ehr.example/fhir"


def patient(**changes: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p1", **changes}


def read(**changes: Any) -> Person:
    person = read_person(patient(**changes), base_url=BASE, on=ON)
    assert isinstance(person, Person)
    return person


def test_a_bare_patient_says_nothing() -> None:
    assert read() == Person()


def test_no_name_and_no_address_is_kept() -> None:
    told = {
        "name": [{"family": "Marlowe", "given": ["Quentin"]}],
        "address": [{"city": "Ottershaw"}],
        "telecom": [{"value": "01932-555-0143"}],
        "identifier": [{"value": "MRN-88231"}],
    }
    assert read(**told) == Person()


@pytest.mark.parametrize(
    ("stated", "first", "last"),
    [
        ("1990-05-06", date(1990, 5, 6), date(1990, 5, 6)),
        ("1990-05", date(1990, 5, 1), date(1990, 5, 31)),
        ("1990", date(1990, 1, 1), date(1990, 12, 31)),
        ("2026-03-02", ON, ON),
        ("2026-03", date(2026, 3, 1), ON),  # not born after today
        ("2026", date(2026, 1, 1), ON),
        ("1896-03-03", date(1896, 3, 3), date(1896, 3, 3)),
    ],
)
def test_a_birth_date_is_a_span_of_days(stated: str, first: date, last: date) -> None:
    person = read(birthDate=stated)
    assert (person.born_first, person.born_last) == (first, last)


@pytest.mark.parametrize(
    "stated", ["2026-03-03", "2027", "1895-12-31", "1776", "6 May 1990", "", None, 1990]
)
def test_a_birth_date_that_cannot_be_is_unsaid(stated: Any) -> None:
    person = read(birthDate=stated)
    assert (person.born_first, person.born_last) == (None, None)


UNSAID = {
    "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "valueCode": "unknown",
}
TIME_OF_BIRTH = {
    "url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime",
    "valueDateTime": "1990-05-06T07:00:00Z",
}


@pytest.mark.parametrize(
    ("beside", "is_said"),
    [
        ({"extension": [TIME_OF_BIRTH]}, True),
        ({"extension": [TIME_OF_BIRTH, UNSAID]}, False),
        ({"extension": UNSAID}, True),
        ("unknown", True),
    ],
)
def test_a_birth_date_that_is_said_to_be_absent(beside: Any, is_said: bool) -> None:
    person = read(birthDate="1990-05-06", _birthDate=beside)
    assert (person.born_first is not None) is is_said
    assert read(_birthDate=beside).born_first is None


def test_without_a_day_every_birth_date_is_believed() -> None:
    person = read_person(patient(birthDate="2999"))
    assert isinstance(person, Person)
    assert person.born_last == date(2999, 12, 31)


@pytest.mark.parametrize(
    ("stated", "sex"),
    [
        ("female", "female"),
        ("male", "male"),
        ("other", "other"),
        ("unknown", "unknown"),
        ("Female", "unknown"),
        ("F", "unknown"),
        (None, "unknown"),
        (["female"], "unknown"),
    ],
)
def test_sex_is_one_of_four_words(stated: Any, sex: str) -> None:
    assert read(gender=stated).sex == sex


@pytest.mark.parametrize(
    ("stated", "deceased", "died"),
    [
        ({"deceasedBoolean": True}, True, None),
        ({"deceasedBoolean": False}, False, None),
        ({"deceasedDateTime": "2020-02-03"}, True, date(2020, 2, 3)),
        ({"deceasedDateTime": "2020-02-03T23:59:00-10:00"}, True, date(2020, 2, 3)),
        ({"deceasedDateTime": "2020-02"}, True, None),
        ({"deceasedDateTime": "2020"}, True, None),
        ({"deceasedDateTime": "last spring"}, True, None),
        ({"deceasedDateTime": "2026-04-01"}, True, None),  # a day still to come
        ({"deceasedDateTime": None}, False, None),
        ({"_deceasedDateTime": {"extension": [UNSAID]}}, True, None),
        ({"deceasedDateTime": None, "_deceasedDateTime": {}}, True, None),
        ({"_deceasedDateTime": None}, False, None),
        ({"_deceasedBoolean": {"extension": []}}, False, None),
    ],
)
def test_death(stated: dict[str, Any], deceased: bool, died: date | None) -> None:
    person = read(**stated)
    assert (person.deceased, person.died) == (deceased, died)


@pytest.mark.parametrize(("stated", "active"), [(True, True), (False, False)])
def test_a_record_may_be_out_of_use(stated: bool, active: bool) -> None:
    assert read(active=stated).active is active


@pytest.mark.parametrize("key", ["active", "deceasedBoolean"])
@pytest.mark.parametrize("value", ["true", "false", 1, 0, [], {}])
def test_a_flag_nobody_can_read_refuses_the_whole(key: str, value: Any) -> None:
    assert read_person(patient(**{key: value})) == Refused(Reason.MALFORMED)


@pytest.mark.parametrize("kind", ["Person", "patient", None, 7])
def test_what_is_no_patient_is_refused(kind: Any) -> None:
    assert read_person(patient(resourceType=kind)) == Refused(Reason.WRONG_TYPE)


def link(kind: Any, reference: Any) -> dict[str, Any]:
    return {"type": kind, "other": {"reference": reference}}


@pytest.mark.parametrize(
    ("links", "replaced_by", "replaces", "active"),
    [
        ([link("replaced-by", "Patient/p2")], "p2", (), True),
        ([link("replaced-by", f"{BASE}/Patient/p2/_history/3")], "p2", (), True),
        ([link("replaces", f"{BASE}/Patient/p0")], "", ("p0",), True),
        ([link("replaces", "Patient/b"), link("replaces", "Patient/a")],
         "", ("a", "b"), True),
        ([link("refer", "Patient/p2")], "", (), True),
        ([link("seealso", "Patient/p2")], "", (), True),
        # Replaced, but nobody here can say by which record: out of use.
        ([link("replaced-by", "https://other.example/fhir/Patient/p2")], "", (), False),
        ([link("replaced-by", "RelatedPerson/r1")], "", (), False),
        ([link("replaced-by", "urn:uuid:4f")], "", (), False),
        ([link("replaced-by", "Patient/not an id")], "", (), False),
        ([{"type": "replaced-by"}], "", (), False),
        ([link("replaces", "https://other.example/fhir/Patient/p0")], "", (), True),
        ([7, {}, {"type": ["replaces"]}], "", (), True),
        ("Patient/p2", "", (), True),
    ],
)  # fmt: skip
def test_links_between_records(
    links: Any, replaced_by: str, replaces: tuple[str, ...], active: bool
) -> None:
    person = read(link=links)
    assert (person.replaced_by, person.replaces) == (replaced_by, replaces)
    assert person.active is active


@pytest.mark.parametrize(("code", "restricted"), [("R", True), ("N", False)])
def test_a_label_restricts_the_patient(code: str, restricted: bool) -> None:
    system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
    meta = {"security": [{"system": system, "code": code}]}
    assert read(meta=meta).restricted is restricted


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["birthDate", "gender", "deceasedBoolean", "deceasedDateTime", "active", "link"]
)


@given(st.dictionaries(KEYS | st.just("meta"), ANY, max_size=7))
def test_it_never_raises(fields: dict[str, Any]) -> None:
    assert read_person(patient(**fields), on=ON) is not None
