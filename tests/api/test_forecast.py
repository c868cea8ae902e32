"""Asking for forecasts and reading them again, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from backend.people import crypto
from backend.predictions import beside
from backend.predictions.answer import open_answer, seal_answer
from backend.predictions.models import Prediction
from backend.twin.errors import EhrMalformed, EhrRefused, EhrUnavailable
from backend.twin.record import PatientRecord, Reason, Refusal, Series
from backend.twin.scales import local_scale
from tests.predictions import fakes


@pytest.fixture
def path(patient):
    return f"/api/v1/patients/{patient.pk}/forecasts"


@pytest.fixture
def created(api, path):
    return api.post(path, {}, format="json")


def test_a_new_forecast_is_created_and_says_where_it_is(api, created, patient):
    assert created.status_code == 201
    body = created.json()
    assert body["patient"] == str(patient.pk)
    assert created["Location"] == body["links"]["forecast"]
    again = api.get(created["Location"]).json()
    assert again == {**body, "age_seconds": 0.0}


def test_nobody_waits_for_what_is_learnt_beside_it(api, path, monkeypatch):
    left = []
    monkeypatch.setattr(beside, "later", lambda name, _work: left.append(name))
    assert api.post(path, {}, format="json").status_code == 201
    assert left == ["outcomes", "inputs", "shadows"]


def test_an_instrument_has_dates_intervals_and_quantiles_that_agree(created):
    (one,) = created.json()["instruments"]
    assert one["type"] == "ensemble"
    assert one["dates"][0] == "2026-03-02"
    assert len(one["dates"]) == len(one["forecast"]) == 14
    assert one["quantiles"]["levels"][5] == 0.5
    for day, row in enumerate(one["quantiles"]["values"]):
        assert row == sorted(row)
        assert one["forecast"][day] == row[5]
        assert one["intervals"]["0.80"]["lower"][day] == row[1]
        assert one["intervals"]["0.95"]["upper"][day] == row[10]
        assert 0 <= row[0] <= row[-1] <= 10


def test_an_instrument_says_what_it_rests_on(created):
    (one,) = created.json()["instruments"]
    assert one["reliability"]["grade"] == "high"
    assert one["reliability"]["reasons"]
    assert [m["model"] for m in one["models"]] == [
        "symptom_transformer",
        "symptom_xgboost",
    ]
    assert one["models"][0]["sha256"] == "a" * 64
    assert (one["entries"], one["last_entry"]) == (40, "2026-03-01")
    assert one["delivery"] == "pending"
    assert one["recommendations"][0]["code"]
    assert "not a measurement" in created.json()["disclaimer"]


def test_the_fortnight_and_its_warning_are_given_with_their_words(created):
    """Forty days of mood, of which higher is better: worse is below."""
    (one,) = created.json()["instruments"]
    assert one["fortnight"]["levels"] == one["quantiles"]["levels"]
    assert one["fortnight"]["values"] == sorted(one["fortnight"]["values"])
    warning = one["warning"]
    assert (warning["days"], warning["no_chart"]) == (40, "")
    worse, band = warning["chances"]
    assert (worse["event"], worse["side"], worse["reason"]) == ("worse", "below", "")
    assert worse["threshold"] == pytest.approx(warning["mean"] - warning["sd"] / 2)
    assert 0 <= worse["probability"] <= 1
    assert worse["text"].startswith("a probability of ")
    assert (band["event"], band["probability"]) == ("worse-band", None)
    assert band["reason"] == "the scale has no severity bands"
    assert warning["chart"]["state"] == "inside"
    assert warning["chart_text"].startswith("Control chart: the moving average of ")


def test_what_was_stored_before_there_were_warnings_says_null(api, created, patient):
    prediction = Prediction.objects.get(pk=created.json()["id"])
    answer = open_answer(patient, prediction)
    (item,) = answer.instruments
    old = replace(item, forecast=replace(item.forecast, fortnight=(), warning=None))
    prediction.payload = seal_answer(
        patient, prediction.pk, replace(answer, instruments=(old,))
    )
    prediction.save()
    (one,) = api.get(created["Location"]).json()["instruments"]
    assert one["fortnight"] is one["warning"] is None
    assert one["quantiles"] == created.json()["instruments"][0]["quantiles"]


def test_an_equal_question_gives_the_stored_answer(api, path, created):
    again = api.post(path, {}, format="json")
    assert (again.status_code, again.json()["reused"]) == (200, True)
    assert again.json()["id"] == created.json()["id"]


def test_refused_resources_are_counted_by_reason(api, path, ehr):
    refused = (Refusal("Observation/1", Reason.NO_DATE),)
    ehr.record = PatientRecord(series=(fakes.diary(),), refused=refused)
    assert api.post(path, {}, format="json").json()["refused"] == {"no-date": 1}


def test_findings_and_notices_stand_beside_the_forecasts(api, path, ehr):
    refused = (Refusal("Observation/1", Reason.NO_VALUE, safety=True),)
    ehr.record = PatientRecord(
        series=(fakes.diary(),),
        safety=(fakes.self_harm(fakes.LAST_DAY),),
        refused=refused,
    )
    body = api.post(path, {}, format="json").json()
    assert [one["scale"]["key"] for one in body["instruments"]] == ["mood-0-10"]
    assert body["urgent_findings"] == [
        {
            "kind": "self-harm",
            "scale": "phq9",
            "day": "2026-03-01",
            "value": 1.0,
            "unit": "{score}",
            "text": "PHQ-9 total score: self-harm item above its threshold on "
            "2026-03-01 (1 point)",
        }
    ]
    (notice,) = body["notices"]
    assert notice.startswith("1 answer to a self-harm item could not be read")
    again = api.get(body["links"]["forecast"]).json()
    assert again["urgent_findings"] == body["urgent_findings"]
    assert again["notices"] == body["notices"]


def test_an_unknown_direction_is_said(api, path, ehr):
    scale = local_scale("worry", system="urn:diary", low=1.0, high=7.0)
    ehr.record = PatientRecord(series=(Series(scale, fakes.diary().entries),))
    (one,) = api.post(path, {}, format="json").json()["instruments"]
    assert one["scale"]["direction"] == "unknown"
    assert one["recommendations"][0]["code"] == "NO_RECOMMENDATION"


def test_a_forecast_as_of_an_earlier_day_knows_nothing_later(api, path, now):
    day = now.date() - timedelta(days=10)
    body = api.post(path, {"as_of": day.isoformat()}, format="json").json()
    assert body["as_of"] == "2026-02-20"
    assert body["instruments"][0]["last_entry"] == "2026-02-20"


def test_today_is_the_callers_own_day(api, path, clock, now):
    clock[0] = now.replace(hour=12)
    assert api.post(path, {"as_of": "2026-03-03"}, format="json").status_code == 201
    assert api.post(path, {"as_of": "2026-03-04"}, format="json").status_code == 400


@pytest.mark.parametrize("as_of", ["2026-03-03", "yesterday", 7])
def test_a_day_that_makes_no_sense_is_refused(api, path, as_of):
    answer = api.post(path, {"as_of": as_of}, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["invalid"]) == ["as_of"]
    assert not Prediction.objects.exists()


def test_no_history_is_a_422_that_names_what_is_missing(api, path, ehr):
    ehr.record = PatientRecord(series=())
    answer = api.post(path, {}, format="json")
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["missing"] == ["symptom history"]
    assert (body["urgent_findings"], body["notices"]) == ([], [])


def test_a_422_says_what_is_urgent_all_the_same(api, path, ehr):
    ehr.record = PatientRecord(
        series=(),
        safety=(fakes.self_harm(fakes.LAST_DAY),),
        refused=(Refusal("Observation/9", Reason.NO_VALUE, safety=True),),
    )
    body = api.post(path, {}, format="json").json()
    assert body["status"] == 422
    assert body["urgent_findings"] == [
        {
            "kind": "self-harm",
            "scale": "phq9",
            "day": "2026-03-01",
            "value": 1.0,
            "unit": "{score}",
            "text": "PHQ-9 total score: self-harm item above its threshold on "
            "2026-03-01 (1 point)",
        }
    ]
    assert body["notices"] == [
        "1 answer to a self-harm item could not be read; look at it in the EHR."
    ]


def test_the_forecasts_of_an_erased_patient_are_gone(api, other, path, patient):
    link = api.post(path, {}, format="json")["Location"]
    crypto.shred(patient)
    for answer in (api.get(link), api.post(path, {}, format="json")):
        assert answer.status_code == 410
        assert answer.json()["type"] == "urn:mindtwin:problem:patient-erased"
    assert api.get(path).status_code == 200
    assert other.get(link).status_code == other.post(path).status_code == 404


def test_while_the_ehr_is_down_stored_forecasts_stay_readable(api, ehr, created, clock):
    path = created.json()["links"]["forecasts"]
    ehr.down = EhrUnavailable("the EHR does not answer", retry_after_s=12.5)
    clock[0] += timedelta(hours=25)
    answer = api.post(path, {}, format="json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "13")
    (listed,) = api.get(path).json()
    assert listed["link"] == created["Location"]
    stored = api.get(listed["link"]).json()
    assert (stored["age_seconds"], stored["stale"]) == (25 * 3600, True)


@pytest.mark.parametrize("error", [EhrRefused("no", status=403), EhrMalformed("odd")])
def test_an_ehr_that_misbehaves_is_a_bad_gateway(api, path, ehr, error):
    ehr.down = error
    assert api.post(path, {}, format="json").status_code == 502


def test_unknown_and_forbidden_patients_give_one_body(other, path):
    unknown = f"/api/v1/patients/{uuid4()}/forecasts"
    for method in (other.get, other.post):
        forbidden, absent = method(path), method(unknown)
        assert forbidden.status_code == absent.status_code == 404
        assert forbidden.content == absent.content


def test_unknown_and_forbidden_forecasts_give_one_body(other, created):
    forbidden = other.get(created["Location"])
    absent = other.get(f"/api/v1/forecasts/{uuid4()}")
    assert forbidden.status_code == absent.status_code == 404
    assert forbidden.content == absent.content


def test_a_tampered_answer_is_not_given(api, created):
    prediction = Prediction.objects.get()
    broken = bytes(prediction.payload)[:-1] + b"x"
    Prediction.objects.update(payload=broken)
    answer = api.get(created["Location"])
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:mindtwin:problem:seal-broken"


def test_every_request_leaves_its_audit_rows(api, path, other, audited):
    audited()
    link = api.post(path, {}, format="json")["Location"]
    assert audited() == [("PULL", "SUCCESS"), ("FORECAST", "SUCCESS")]
    api.get(path)
    assert audited() == [("LIST", "SUCCESS")]
    api.get(link)
    assert audited() == [("READ", "SUCCESS")]
    other.get(link)
    assert audited() == [("READ", "DENIED")]


def test_a_forecast_whose_entry_was_taken_back_says_so(api, path, ehr, deliver):
    body = api.post(path, {}, format="json").json()
    assert (body["stale"], body["stale_reason"]) == (False, None)
    assert body["no_longer_standing"] == []
    deliver()
    *rest, last = fakes.diary().entries
    ehr.record = PatientRecord(
        series=(replace(fakes.diary(), entries=tuple(rest)),),
        refused=(Refusal(last.source, Reason.ENTERED_IN_ERROR),),
    )
    anew = api.post(path, {}, format="json").json()
    named = [body["instruments"][0]["identifier"]]
    assert (anew["stale"], anew["no_longer_standing"]) == (False, named)
    before = api.get(body["links"]["forecast"]).json()
    assert before["stale"]
    assert before["stale_reason"] == "an entry it used was taken back"
    assert before["no_longer_standing"] == named
    listed = {one["id"]: one["stale_reason"] for one in api.get(path).json()}
    assert listed == {body["id"]: "an entry it used was taken back", anew["id"]: None}
