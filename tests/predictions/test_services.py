"""The straight line, from the gate to the outbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest

from backend.people import crypto
from backend.people.models import Patient
from backend.predictions.errors import DayOutOfRange, NoHistory, PatientErased
from backend.predictions.models import Alert, OutboxItem, Prediction, PredictionModel
from backend.predictions.remarks import Remarks
from backend.twin.errors import (
    AuditUnavailable,
    EhrUnavailable,
    InsufficientData,
    ModelUnavailable,
    NotVisible,
    SealBroken,
)
from backend.twin.person import Person
from backend.twin.record import PatientRecord, Reason, Refusal
from tests.predictions import fakes

OK, DENIED, FAILED = "SUCCESS", "DENIED", "FAILED"


def test_a_forecast_blends_both_models_and_stores_all_of_it(ask, patient):
    answer = ask()
    (item,) = answer.instruments
    assert item.forecast.method == "ensemble"
    assert [(m.model, m.weight) for m in item.forecast.models] == [
        ("symptom_transformer", pytest.approx(0.7)),
        ("symptom_xgboost", pytest.approx(0.3)),
    ]
    row = Prediction.objects.get()
    assert (row.pk, row.patient_id, row.historical) == (answer.id, patient.pk, False)
    assert {(m.model, m.version, m.weight) for m in PredictionModel.objects.all()} == {
        ("symptom_transformer", 1, 0.7),
        ("symptom_xgboost", 1, 0.3),
    }
    outbox = OutboxItem.objects.get()
    assert (outbox.pk, outbox.state) == (item.identifier, "pending")
    assert answer.delivery == {item.identifier: "pending"}


def test_only_the_policys_window_is_pulled(ask, ehr, now):
    ask()
    today = now.date()
    assert ehr.asked == [("ehr-4711", today - timedelta(days=400), today)]


def test_where_the_day_has_begun_already_its_entries_count(ask, ehr, now):
    noon = now.replace(hour=12)  # in Auckland it is one in the morning of the next day
    tomorrow = now.date() + timedelta(days=1)
    ehr.record = PatientRecord(
        series=(fakes.diary(last=tomorrow), fakes.questionnaire(8, 20, last=tomorrow)),
        safety=(fakes.self_harm(tomorrow),),
    )
    answer = ask(now=lambda: noon)
    assert ehr.asked[-1][2] == tomorrow
    assert {item.forecast.last_entry for item in answer.instruments} == {tomorrow}
    assert "the last entry" not in " ".join(answer.instruments[0].forecast.reasons)
    assert {one.day for one in answer.urgent_findings} == {tomorrow}
    assert answer.instruments[1].recommendations[0].code == "URGENT_FINDING"
    assert Alert.objects.count() == 2
    assert Prediction.objects.get().as_of == now.date()
    assert ask(now=lambda: noon).reused


def test_an_earlier_day_asked_for_is_the_last_one_read(ask, ehr, now):
    ask(as_of=now.date(), now=lambda: now.replace(hour=12))
    assert ehr.asked[-1][2] == now.date()


def test_a_forecast_leaves_two_audit_rows(ask, audited):
    audited()
    ask()
    assert audited() == [("PULL", OK), ("FORECAST", OK)]


def test_nothing_of_the_record_is_stored_in_the_clear(ask, ehr):
    ehr.record = PatientRecord(series=(fakes.diary(),))
    ask()
    payload = bytes(Prediction.objects.get().payload)
    assert b"mood" not in payload
    assert b"Observation/" not in payload


def test_no_history_names_what_is_missing_and_stores_nothing(ask, ehr, audited):
    ehr.record = PatientRecord(series=())
    audited()
    with pytest.raises(NoHistory) as refused:
        ask()
    assert refused.value.missing == ("symptom history",)
    assert refused.value.remarks == Remarks(refused={})
    assert not Prediction.objects.exists()
    assert audited() == [("PULL", OK), ("FORECAST", FAILED)]


def test_a_series_without_entries_is_no_history(ask, ehr):
    ehr.record = PatientRecord(series=(replace(fakes.diary(), entries=()),))
    with pytest.raises(InsufficientData):
        ask()


@pytest.mark.parametrize("whom", ["unknown", "forbidden"])
def test_unknown_and_forbidden_are_the_same(ask, audited, stranger, whom):
    asked_for = {"patient_id": uuid4()} if whom == "unknown" else {}
    audited()
    with pytest.raises(NotVisible):
        ask(actor=stranger, **asked_for)
    assert audited() == [("PULL", DENIED)]


def test_an_ehr_that_is_down_is_said_and_audited(ask, ehr, audited):
    ehr.down = EhrUnavailable("the EHR does not answer")
    audited()
    with pytest.raises(EhrUnavailable):
        ask()
    assert audited() == [("PULL", FAILED)]


def test_one_dead_model_degrades_and_is_asked_again(ask, models):
    models.broken["symptom_xgboost"] = ModelUnavailable("gone")
    degraded = ask()
    (item,) = degraded.instruments
    assert [m.model for m in item.forecast.models] == ["symptom_transformer"]
    assert "symptom_xgboost gave no usable answer" in item.forecast.reasons
    models.broken.clear()
    again = ask()
    assert not again.reused
    assert len(again.instruments[0].forecast.models) == 2


def test_questionnaires_and_thin_diaries_need_no_model(ask, ehr, models):
    ehr.record = PatientRecord(
        series=(fakes.diary(3), fakes.questionnaire(8)),
        refused=(
            Refusal("Observation/9", Reason.WRONG_UNIT),
            Refusal("Observation/8", Reason.WRONG_UNIT),
        ),
    )
    answer = ask()
    methods = [item.forecast.method for item in answer.instruments]
    assert methods == ["irregular", "prior"]
    assert answer.refused == {"wrong-unit": 2}
    assert models.asked == []


def test_historical_forecasts_are_not_delivered(ask, now):
    later = now + timedelta(days=60)
    answer = ask(as_of=later.date(), now=lambda: later)
    assert answer.historical
    assert set(answer.delivery.values()) == {"not-sent"}
    assert not OutboxItem.objects.exists()


def test_a_site_without_writes_gets_no_delivery(ask, site):
    site.write_mode = "none"
    site.save()
    assert set(ask().delivery.values()) == {"not-sent"}


def test_a_broken_audit_keeps_the_forecast_inside(ask, registered, tmp_path):
    class Spoiler(fakes.FakeModels):
        """Breaks the audit's anchor after the pull, before the forecast is recorded."""

        def infer(self, *args, **kwargs):
            (tmp_path / "audit.anchor").write_bytes(b"spoilt")
            return super().infer(*args, **kwargs)

    with pytest.raises(AuditUnavailable):
        ask(models=Spoiler())
    assert not Prediction.objects.exists()
    assert not OutboxItem.objects.exists()


def test_a_record_too_thin_to_forecast_still_alerts(ask, ehr):
    ehr.record = PatientRecord(series=(), safety=(fakes.self_harm(fakes.LAST_DAY),))
    with pytest.raises(NoHistory):
        ask()
    assert Alert.objects.count() == 1


def test_a_record_too_thin_to_forecast_still_says_what_is_urgent(ask, ehr):
    ehr.record = PatientRecord(
        series=(),
        safety=(fakes.self_harm(fakes.LAST_DAY),),
        refused=(Refusal("Observation/9", Reason.NO_VALUE, safety=True),),
    )
    with pytest.raises(NoHistory) as refused:
        ask()
    said = refused.value.remarks
    assert [one.kind for one in said.urgent_findings] == ["self-harm"]
    assert "could not be read" in said.notices[0]
    assert "phq" not in f"{refused.value!r} {refused.value}"  # errors reach logs


@pytest.mark.parametrize("day", [date(1899, 12, 31), date.min, date(2026, 3, 3)])
def test_a_day_that_no_record_reaches_is_refused_before_anything(
    ask, ehr, audited, day
):
    audited()
    with pytest.raises(DayOutOfRange, match="1900-01-01 to 2026-03-02"):
        ask(as_of=day)
    assert ehr.asked == []
    assert audited() == []


def test_the_first_and_the_latest_day_are_in_range(ask, now):
    assert ask(as_of=now.date()).as_of == now.date()
    with pytest.raises(NoHistory):
        ask(as_of=date(1900, 1, 1))


def test_the_stored_digest_confirms_no_guess_at_the_record(ask, ehr):
    ask()
    stored = Prediction.objects.get().record_digest
    read = replace(ehr.record, person=Person()).digest
    assert stored == crypto.keyed(read)
    assert stored != read


def test_an_erased_patient_is_told_apart_from_tampering(ask, patient, audited):
    crypto.shred(patient)
    audited()
    with pytest.raises(PatientErased):
        ask()
    assert audited() == [("PULL", FAILED)]


def test_a_tampered_ehr_id_is_no_erasure(ask, patient):
    Patient.objects.update(ehr_id_sealed=bytes(patient.ehr_id_sealed)[:-1] + b"x")
    with pytest.raises(SealBroken) as broken:
        ask()
    assert not isinstance(broken.value, PatientErased)
