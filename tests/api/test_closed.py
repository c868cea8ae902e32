"""What callers are told of closed records, over HTTP."""

from __future__ import annotations

import pytest

from backend.people.models import Patient
from backend.twin.person import Person

EHR_ID = "ehr-4711"
OPTED_OUT = ("patient-opted-out", 403)
RESTRICTED = ("patient-restricted", 403)
MERGED = ("patient-merged", 409)
DECEASED = ("patient-deceased", 422)


@pytest.fixture(params=["forecasts", "correlations", "pharmacogenomics"])
def path(patient, request):
    return f"/api/v1/patients/{patient.pk}/{request.param}"


@pytest.mark.parametrize(
    ("person", "told", "readable"),
    [
        (Person(opted_out=True), OPTED_OUT, False),
        (Person(restricted=True), RESTRICTED, False),
        (Person(replaced_by="ehr-2"), MERGED, True),
        (Person(deceased=True), DECEASED, True),
    ],
)
def test_each_reason_is_a_problem_of_its_own(
    *, api, other, path, ehr, person, told, readable
):
    link = api.post(path, {}, format="json")["Location"]
    ehr.persons[EHR_ID] = person
    answer = api.post(path, {}, format="json")
    body = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (
        told[1],
        "application/problem+json",
    )
    assert body["type"] == f"urn:mindtwin:problem:{told[0]}"
    assert "ehr-" not in answer.content.decode()
    for stored in (link, path):
        assert api.get(stored).status_code == (200 if readable else told[1])
        assert other.get(stored).status_code == 404  # strangers do not learn of it


def test_our_own_flag_is_told_like_a_consent(api, path, ehr):
    Patient.objects.update(opted_out=True)
    answer = api.post(path, {}, format="json")
    assert (answer.status_code, ehr.asked) == (403, [])
    assert answer.json()["type"] == "urn:mindtwin:problem:patient-opted-out"


def test_a_machine_client_of_the_site_follows_a_merge(service, path, patient, ehr):
    ehr.persons[EHR_ID] = Person(replaced_by="ehr-2")
    answer = service.post(path, {}, format="json")
    assert answer.status_code == 201
    survivor = Patient.objects.exclude(pk=patient.pk).get()
    assert answer.json()["patient"] == str(survivor.pk)
    assert "ehr-" not in answer.content.decode()
