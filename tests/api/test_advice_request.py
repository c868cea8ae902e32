"""What advice may be asked with: a fact that is misread is worse than none."""

from __future__ import annotations

import pytest

from backend.api.advice_request import AdviceRequestSerializer
from backend.twin.pharmacogenomics.population import Population
from backend.twin.pharmacogenomics.response_inputs import Person
from tests.predictions import treatments
from tests.predictions.treatments import Responder, slow


@pytest.fixture
def models(db):
    return Responder()


@pytest.fixture
def path(patient, ehr):
    ehr.record = slow()
    ehr.persons = {"ehr-4711": treatments.PERSON}
    return f"/api/v1/patients/{patient.pk}/pharmacogenomics"


LONG = "x" * 201
WRONG = [
    *[{"medications": one} for one in ("citalopram", {}, 7, True, [])],
    *[{"medications": [one]} for one in (7, True, None, [], {}, "", " ", LONG)],
    {"medications": ["a\0b"]},
    *[{"as_of": one} for one in ("2026-03-04", "1899-12-31", "soon", 20260301)],
    *[{"population": one} for one in ("adult", [], 7, True)],
    *[{"history": one} for one in ("long", [], 7, True)],
    *[{"history": {"severity": one}} for one in (-0.1, 1.1, "0.5", True, [0.5])],
    *[{"history": {"episode_months": one}} for one in (-1, 1561, 10**400, "3")],
    *[{"history": {"failures": one}} for one in (-1, 101, 1.5, "1", True)],
    *[{"history": {"trials": one}} for one in ("none", [], 7, True)],
    *[{"history": {"trials": {"Zoloft": one}}} for one in (1, 0, "yes", None, [])],
    {"history": {"trials": {"snake oil": True}}},
    {"history": {"trials": {"Zoloft": True, "sertraline": False}}},
    {"history": {"duration": 3}},
]
FACTS = [
    *[{"age_years": one} for one in (-1, 131, 10**30, 41.5, "41", True, [41])],
    *[{"pregnant": one} for one in ("true", 1, 0, "no", [], {})],
    *[{"child_bearing_potential": one} for one in ("yes", 1)],
    *[{"alternatives_available": one} for one in ("false", 0)],
    *[{"prior_use": one} for one in ("naive", [], 7, None)],
    *[{"prior_use": {"carbamazepine": one}} for one in ("", "long", None, 1, [], {})],
    *[{"prior_use": {one: "naive"}} for one in ("", "snake oil", "a\0b", LONG)],
    {"prior_use": {"carbamazepine": "naive", "Tegretol": "over_3_months"}},
    {"prior_use": {str(number): "naive" for number in range(101)}},
    {"age": 41},
    {"sex": "female"},
    {"": None},
]


@pytest.mark.parametrize("asked", WRONG, ids=lambda one: repr(one)[:50])
def test_a_request_that_makes_no_sense_is_refused(api, path, ehr, asked):
    answer = api.post(path, asked, format="json")
    assert answer.status_code == 400
    body = answer.json()
    assert body["type"] == "urn:mindtwin:problem:invalid-request"
    assert list(body["invalid"]) == list(asked)
    assert ehr.asked == []


@pytest.mark.parametrize("said", FACTS, ids=lambda one: repr(one)[:50])
def test_a_fact_that_cannot_be_read_is_refused(*, api, path, ehr, said):
    answer = api.post(path, {"population": said}, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["invalid"]) == ["population"]
    assert "snake" not in answer.content.decode()
    assert ehr.asked == []


def test_a_misspelt_field_is_no_silent_default(api, path, ehr):
    answer = api.post(path, {"medication": ["citalopram"]}, format="json")
    assert (answer.status_code, ehr.asked) == (400, [])
    assert "medications" in answer.content.decode()


ODD = [
    "[]",
    "7",
    '"x"',
    "null",
    "{",
    "\xff",
    '{"history": {"severity": NaN}}',
    '{"medications": ["\\ud800"]}',
]


@pytest.mark.parametrize("body", ODD)
def test_what_is_no_object_or_no_text_is_refused(api, path, ehr, body):
    answer = api.post(path, body, content_type="application/json")
    assert (answer.status_code, ehr.asked) == (400, [])


def test_too_many_medicines_have_a_problem_of_their_own(api, path, ehr):
    answer = api.post(path, {"medications": ["sertraline"] * 61}, format="json")
    assert (answer.status_code, ehr.asked) == (422, [])
    body = answer.json()
    assert body["type"] == "urn:mindtwin:problem:too-many-medications"
    assert body["missing"] == ["a choice of at most 60 medicines"]


GIVEN = {
    "age_years": 41,
    "prior_use": {"Tegretol": "over_3_months", "carbamazepine": "over_3_months"},
    "alternatives_available": False,
    "pregnant": True,
    "child_bearing_potential": None,
}


def test_what_is_stated_is_read_by_the_catalogues_names():
    asked = AdviceRequestSerializer(data={"population": GIVEN})
    assert asked.is_valid()
    assert asked.given == Population(
        age_years=41,
        prior_use={"carbamazepine": "over_3_months"},
        alternatives_available=False,
        pregnant=True,
    )


def test_what_is_stated_of_the_illness_goes_to_the_model(*, api, path, ehr, models):
    history = {
        "severity": 0.5,
        "episode_months": 3,
        "failures": 1,
        "trials": {"Zoloft": False},
    }
    asked = AdviceRequestSerializer(data={"history": history})
    assert asked.is_valid()
    told = {"sertraline": False}
    assert asked.person == Person(
        severity=0.5, episode_months=3.0, failures=1, trials=told
    )
    treatments.publish()
    first = api.post(path, {"history": history}, format="json")
    other = api.post(path, {"history": {**history, "failures": 2}}, format="json")
    again = api.post(path, {"history": history}, format="json")
    assert [one.status_code for one in (first, other, again)] == [201, 201, 200]


@pytest.mark.parametrize("population", [None, {}])
def test_what_is_left_out_is_unknown(population):
    asked = AdviceRequestSerializer(data={"population": population})
    assert asked.is_valid()
    assert (asked.given, asked.person) == (Population(), Person())


def lines_of(api, path, population):
    asked = {"medications": ["carbamazepine"], "population": population}
    (one,) = api.post(path, asked, format="json").json()["medications"]
    return {line["population"] for line in one["advice"] if line["source"] == "CPIC"}


def test_an_unknown_fact_has_a_line_for_every_group_it_could_decide(api, path, ehr):
    ehr.record = slow(
        genotypes=(
            treatments.call("HLA-B", "*15:02", "Observation/b", phenotype="negative"),
            treatments.call("HLA-A", "*31:01", "Observation/a", phenotype="positive"),
        )
    )
    every = lines_of(api, path, {})
    one = lines_of(api, path, {"prior_use": {"Tegretol": "over_3_months"}})
    assert len(every) > len(one) == 1 and one < every
