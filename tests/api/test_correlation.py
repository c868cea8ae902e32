"""Asking for links of signals and symptoms and reading them again, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from backend.predictions.models import Prediction
from backend.registry.models import ModelRelease
from backend.twin.errors import EhrRefused, EhrUnavailable
from backend.twin.record import PatientRecord, Reason, Refusal
from fhir_integration.errors import TooManyValues
from tests.predictions import fakes, signals
from tests.predictions.signals import SIGNAL, SYMPTOM
from tests.twin.correlation.made import World

ASKED = {"days": 60}


@pytest.fixture
def models(published, network):
    """The published network, in place of sums."""
    return network


@pytest.fixture
def path(patient, ehr):
    ehr.record = signals.linked()
    return f"/api/v1/patients/{patient.pk}/correlations"


@pytest.fixture
def created(api, path):
    return api.post(path, ASKED, format="json")


def test_a_new_answer_is_created_and_says_where_it_is(api, created, path, patient):
    assert created.status_code == 201
    body = created.json()
    assert body["patient"] == str(patient.pk)
    assert created["Location"] == body["links"]["correlation"]
    assert body["links"]["correlations"] == path
    assert api.get(created["Location"]).json() == body


def test_window_and_clock_are_told_with_what_was_seen(created):
    body = created.json()
    assert body["window"] == {
        "begin": "2026-01-02T00:00:00",
        "end": "2026-03-03T00:00:00",
        "clock": "the local offsets that the sources state",
        "max_lag_hours": 72,
    }
    (signal,), (symptom,) = body["biometrics"], body["symptoms"]
    assert (signal["name"], signal["unit"], signal["n"]) == (SIGNAL, "ms", 1488)
    assert 0.9 < signal["coverage"] <= 1
    assert symptom == {
        "name": SYMPTOM,
        "n": 236,
        "worse_when": "high",
        "by_day": False,
    }


def test_a_pair_has_every_number_with_its_interval(created):
    (pair,) = created.json()["pairs"]
    assert (pair["biometric"], pair["symptom"]) == (SIGNAL, SYMPTOM)
    assert (pair["published"], pair["relation"], pair["reasons"]) == (
        True,
        "direct",
        [],
    )
    assert pair["method"] == "network"
    low, high = pair["interval"]["lower"], pair["interval"]["upper"]
    assert low < pair["coefficient"] < high < 0
    lag = pair["lag"]
    assert lag["interval"]["lower"] <= lag["value"] <= lag["interval"]["upper"]
    assert (lag["value"], lag["unit"]) == (12.0, "hours")
    assert pair["p_link"] > 0.95 and pair["q_value"] < 0.01
    assert 0 < pair["n_effective"] < pair["n"] == 236


def test_an_insight_says_what_it_is_and_what_it_is_not(created):
    body = created.json()
    (one,) = body["insights"]
    assert one["text"].startswith("Higher heart rate variability")
    assert "236 reports" in one["evidence"]
    assert one["caveat"].startswith("This is an association, not a cause")
    assert (one["change"], one["order"]) == ("improves", "precedes")
    assert one["reliability"]["grade"] == "high" and one["reliability"]["reasons"]
    assert one["advice"] and "doi:" in one["source"] and one["others"] == []
    assert one["delivery"] == "pending"
    assert (body["silences"], body["message"]) == ([], "")


def test_the_network_is_named_with_what_it_learnt_from(created):
    body = created.json()
    (use,) = body["models"]
    assert use["model"] == "biometric_correlation" and len(use["sha256"]) == 64
    assert (use["channel"], use["trained_on"]) == ("production", "simulated people")
    assert body["disclaimer"].startswith("Links are associations, not causes.")
    assert body["disclaimer"].endswith("trained on simulated people alone.")


def test_training_data_that_no_card_names_are_not_invented(api, created):
    ModelRelease.objects.filter(model="biometric_correlation").update(card={})
    body = api.get(created["Location"]).json()
    assert body["models"][0]["trained_on"] == "not stated"
    assert "simulated" not in body["disclaimer"]


def test_silence_is_an_answer_that_says_what_would_be_needed(api, path, ehr):
    ehr.record = signals.linked(World(days=60, r=0.0))
    answer = api.post(path, ASKED, format="json")
    body = answer.json()
    assert (answer.status_code, body["insights"]) == (201, [])
    ((silence,), (pair,)) = body["silences"], body["pairs"]
    assert (silence["biometric"], silence["symptom"]) == (SIGNAL, SYMPTOM)
    assert silence["why"] and pair["reasons"] and not pair["published"]
    assert pair["relation"] is None
    assert pair["reports_needed"] > 0
    assert "No link is sure enough" in body["message"]


def test_what_was_not_examined_is_null_and_never_zero(api, path, ehr):
    ehr.record = signals.linked(World(days=6, per_day=2, r=-0.8, lag=12))
    (pair,) = api.post(path, ASKED, format="json").json()["pairs"]
    for name in ("coefficient", "interval", "lag", "p_link", "p_value", "n_effective"):
        assert pair[name] is None, name
    assert pair["reasons"]


def test_where_only_days_are_known_lags_are_in_days(api, path, ehr):
    (reports,) = ehr.record.series
    dated = tuple(replace(entry, at="") for entry in reports.entries)
    ehr.record = replace(ehr.record, series=(replace(reports, entries=dated),))
    body = api.post(path, ASKED, format="json").json()
    assert body["symptoms"][0]["by_day"]
    lag = body["pairs"][0]["lag"]
    assert lag["unit"] == "days" and abs(lag["value"]) <= 3
    assert lag["value"] == int(lag["value"])


def test_what_never_got_into_the_window_is_counted(api, path, ehr):
    ehr.record = replace(
        ehr.record,
        series=(*ehr.record.series, fakes.questionnaire(8, 9)),
        safety=(fakes.self_harm(fakes.LAST_DAY),),
        refused=(Refusal("Observation/1", Reason.NO_DATE),),
    )
    body = api.post(path, ASKED, format="json").json()
    (left,) = body["left_out"]
    assert (left["name"], left["count"]) == ("phq9", 2) and left["why"]
    assert body["refused"] == {"no-date": 1}
    assert body["urgent_findings"][0]["kind"] == "self-harm"


def test_an_empty_record_says_that_it_is(api, path, ehr):
    ehr.record = PatientRecord(series=())
    body = api.post(path, {}, format="json").json()
    assert (body["pairs"], body["models"]) == ([], [])
    assert "neither symptom entries nor wearable data" in body["notices"][0]
    assert body["message"]


def test_an_equal_question_gives_the_stored_answer(api, path, created):
    again = api.post(path, ASKED, format="json")
    assert (again.status_code, again.json()["reused"]) == (200, True)
    assert again.json()["id"] == created.json()["id"]
    other = api.post(path, {"days": 40}, format="json")
    assert (other.status_code, other.json()["window"]["begin"]) == (
        201,
        "2026-01-22T00:00:00",
    )


def test_thirty_days_up_to_today_are_looked_at_unless_asked(api, path):
    for asked in ({}, {"days": None, "as_of": None}):
        window = api.post(path, asked, format="json").json()["window"]
        assert (window["begin"][:10], window["end"][:10]) == (
            "2026-02-01",
            "2026-03-03",
        )
    body = api.post(path, {"as_of": "2026-02-20"}, format="json").json()
    assert (body["as_of"], body["window"]["end"][:10]) == ("2026-02-20", "2026-02-21")


WRONG = [
    ("days", "many"),
    ("days", 7.5),
    ("days", True),
    ("as_of", "2026-03-04"),
    ("as_of", "1899-12-31"),
]


@pytest.mark.parametrize(("name", "sent"), WRONG)
def test_a_request_that_makes_no_sense_is_refused(*, api, path, ehr, name, sent):
    answer = api.post(path, {name: sent}, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["invalid"]) == [name]
    assert ehr.asked == []


@pytest.mark.parametrize("days", [0, -1, 121, 10**30])
def test_a_window_of_no_or_of_too_many_days_has_its_own_problem(api, path, ehr, days):
    answer = api.post(path, {"days": days}, format="json")
    body = answer.json()
    assert (answer.status_code, ehr.asked) == (422, [])
    assert body["type"] == "urn:mindtwin:problem:days-out-of-range"
    assert body["missing"] == ["a window of 1 to 120 days"]


@pytest.mark.parametrize("counted_by", ["the EHR's reader", "the service"])
def test_too_many_values_ask_for_fewer_days(*, api, path, ehr, settings, counted_by):
    if counted_by == "the service":
        settings.MINDTWIN = {**settings.MINDTWIN, "CORRELATION_MAX_SAMPLES": 10}
    else:
        ehr.down = TooManyValues(400_000)
    answer = api.post(path, {}, format="json")
    assert answer.status_code == 422
    body = answer.json()
    assert body["type"] == "urn:mindtwin:problem:too-many-values"
    assert "ask for fewer days" in body["detail"]


@pytest.mark.parametrize(
    ("error", "status"),
    [(EhrRefused("no", status=403), 502), (EhrUnavailable("down"), 503)],
)
def test_what_is_stored_stays_readable_without_the_ehr(
    *, api, path, created, ehr, clock, error, status
):
    ehr.down = error
    clock[0] += timedelta(hours=25)
    assert api.post(path, ASKED, format="json").status_code == status
    (listed,) = api.get(path).json()
    assert (listed["link"], listed["stale"]) == (created["Location"], True)
    stored = api.get(listed["link"]).json()
    assert (stored["age_seconds"], stored["stale"]) == (25 * 3600, True)
    assert stored["stale_reason"] == listed["stale_reason"]


def test_a_link_whose_report_was_taken_back_says_so(api, path, ehr, deliver):
    body = api.post(path, ASKED, format="json").json()
    deliver()
    (reports,) = ehr.record.series
    *rest, last = reports.entries
    ehr.record = replace(
        ehr.record,
        series=(replace(reports, entries=tuple(rest)),),
        refused=(Refusal(last.source, Reason.ENTERED_IN_ERROR),),
    )
    named = [body["insights"][0]["identifier"]]
    assert api.post(path, ASKED, format="json").json()["no_longer_standing"] == named
    before = api.get(body["links"]["correlation"]).json()
    assert before["stale_reason"] == "an entry it used was taken back"
    assert before["insights"][0]["delivery"] == "delivered"


def test_every_request_leaves_its_audit_rows(api, path, other, audited):
    audited()
    link = api.post(path, ASKED, format="json")["Location"]
    assert audited() == [("PULL", "SUCCESS"), ("CORRELATE", "SUCCESS")]
    api.get(path)
    assert audited() == [("LIST", "SUCCESS")]
    api.get(link)
    assert audited() == [("READ", "SUCCESS")]
    other.get(link)
    assert audited() == [("READ", "DENIED")]


def test_unknown_and_forbidden_give_one_body(other, path, created):
    unknown = f"/api/v1/patients/{uuid4()}/correlations"
    for method in (other.get, other.post):
        forbidden, absent = method(path), method(unknown)
        assert forbidden.status_code == absent.status_code == 404
        assert forbidden.content == absent.content
    forbidden = other.get(created["Location"])
    assert forbidden.content == other.get(f"/api/v1/correlations/{uuid4()}").content


def test_one_service_does_not_open_the_others_answers(api, patient, created):
    asked = api.post(f"/api/v1/patients/{patient.pk}/forecasts", {}, format="json")
    forecast, link = asked.json()["id"], created.json()["id"]
    assert api.get(f"/api/v1/correlations/{forecast}").status_code == 404
    assert api.get(f"/api/v1/forecasts/{link}").status_code == 404


def test_a_tampered_answer_is_not_given(api, created):
    broken = bytes(Prediction.objects.get().payload)[:-1] + b"x"
    Prediction.objects.update(payload=broken)
    answer = api.get(created["Location"])
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:mindtwin:problem:seal-broken"
