"""Patients over HTTP."""

from __future__ import annotations

from uuid import uuid4


def test_a_clinician_sees_the_patients_of_their_team(api, other, patient):
    (one,) = api.get("/api/v1/patients").json()
    assert one["id"] == str(patient.pk)
    assert one["site"] == "north"
    assert other.get("/api/v1/patients").json() == []


def test_the_ehrs_id_stays_inside(api, patient):
    answer = api.get(f"/api/v1/patients/{patient.pk}")
    assert "ehr-4711" not in answer.content.decode()
    assert api.get(answer.json()["forecasts"]).json() == []


def test_unknown_and_forbidden_patients_give_one_body(other, patient):
    forbidden = other.get(f"/api/v1/patients/{patient.pk}")
    absent = other.get(f"/api/v1/patients/{uuid4()}")
    assert forbidden.status_code == absent.status_code == 404
    assert forbidden.content == absent.content


def test_reads_and_lists_are_recorded_once(api, patient, audited):
    audited()
    api.get("/api/v1/patients")
    api.get(f"/api/v1/patients/{patient.pk}")
    assert audited() == [("LIST", "SUCCESS"), ("READ", "SUCCESS")]
