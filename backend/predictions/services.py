"""The straight line: one patient's forecast, from the gate to the outbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from backend.people.access import Actor, open_record
from backend.people.models import Patient, Site
from backend.predictions.answer import Answer, compose, seal_answer, to_deliver
from backend.predictions.answering import Row, audited, require_service
from backend.predictions.asking import Heard, asker
from backend.predictions.beside import Beside, at_once
from backend.predictions.days import last_day_read
from backend.predictions.digests import digest_of_models, digest_of_record
from backend.predictions.ensemble import approved, are_down, is_complete
from backend.predictions.errors import ModelsDown, NoHistory, erasure_told
from backend.predictions.freshness import find_fresh
from backend.predictions.models import Prediction
from backend.predictions.outage import stored_instead
from backend.predictions.policy import ForecastPolicy
from backend.predictions.remarks import Remarks, remarks
from backend.predictions.stored import UNAVAILABLE, StoredForecast, stored_forecast
from backend.predictions.storing import store
from backend.predictions.taken_back import seal_evidence
from backend.predictions.watching import notice, watch
from backend.twin.ages import for_age
from backend.twin.features import ForecastWindow, forecast_window
from backend.twin.forecast import forecast_all
from backend.twin.grade import HISTORICAL_DAYS
from backend.twin.ports import Ehr, ModelServer
from backend.twin.record import PatientRecord
from backend.twin.trajectory import Forecast, ModelUse

__all__ = ["StoredForecast", "forecast_symptoms"]

SERVICE = "forecast"  # its name at the kill switch


def forecast_symptoms(  # noqa: PLR0913 - keywords: who, whom, and the world
    *,
    actor: Actor,
    patient_id: UUID,
    as_of: date | None,
    ehr: Callable[[Site], Ehr],
    models: ModelServer,
    now: Callable[[], datetime],
    policy: ForecastPolicy,
    purpose: str = "TREAT",
    beside: Beside = at_once,
) -> StoredForecast:
    """Forecast a patient's symptoms for the 14 days after their last entries.

    An equal record and equal models within the policy's hours give the stored answer;
    two audit rows. Where all models fail the last forecast is given, marked stale. What
    is learnt `beside` spoils nothing. Raises ModelsDown, ServiceOff, NoHistory,
    DayOutOfRange, PatientErased, and as `open_record` does.
    """
    require_service(actor, patient_id, service=SERVICE, purpose=purpose)
    until = last_day_read(as_of, moment := now())
    days, today = (until - policy.lookback, until), moment.date()
    with erasure_told(patient_id):
        patient, record = open_record(
            actor, patient_id, purpose=purpose, ehr=ehr, days=days, today=today
        )
    notice(patient, record, days=days, now=moment, beside=beside)
    uses, heard = approved(policy.weights), Heard(models)
    draft = _draft(actor, patient, record=record, uses=uses, as_of=as_of, now=moment)
    with audited(draft, purpose=purpose) as row:
        windows = _windows(record, until)
        if fresh := _fresh(draft, record, windows, until=until, policy=policy):
            return stored_forecast(*fresh, now=moment, policy=policy, reused=True)
        made = _made(windows, heard, policy=policy, uses=uses, until=until)
        if are_down(made, uses):
            return _last_one(row, draft, windows, remarks(record, until), policy=policy)
        answer = compose(patient, record, windows, made, uses=uses, as_of=until)
    _save(draft, answer, windows, record=record, uses=uses)
    watch(draft, windows, made, heard=heard, uses=uses, policy=policy, beside=beside)
    return stored_forecast(draft, answer, now=moment, policy=policy)


def _draft(
    actor: Actor,
    patient: Patient,
    *,
    record: PatientRecord,
    uses: Mapping[str, ModelUse],
    as_of: date | None,
    now: datetime,
) -> Prediction:
    """The prediction as far as it is known before anything was computed.

    It is filed under the day asked for, or else under today's in UTC.
    """
    return Prediction(
        patient=patient,
        service=SERVICE,
        as_of=as_of or now.date(),
        created=now,
        actor=actor.name,
        record_digest=digest_of_record(record),
        models_digest=digest_of_models(uses.values()),
    )


def _windows(record: PatientRecord, day: date) -> list[ForecastWindow]:
    """A window per series for the patient's age; NoHistory when there is none."""
    fitting = for_age(record, record.person, day).series
    if not any(series.entries for series in fitting):
        raise NoHistory(remarks(record, day))
    taken = record.medications
    return [
        forecast_window(series, day, medications=taken)
        for series in fitting
        if series.entries
    ]


def _fresh(
    draft: Prediction,
    record: PatientRecord,
    windows: list[ForecastWindow],
    *,
    until: date,
    policy: ForecastPolicy,
) -> tuple[Prediction, Answer] | None:
    """The stored answer that says all that a new one would say, or None."""
    return find_fresh(
        draft,
        historical=_historical(windows, until),
        remarks=remarks(record, until),
        policy=policy,
    )


def _made(
    windows: list[ForecastWindow],
    models: ModelServer,
    *,
    policy: ForecastPolicy,
    uses: Mapping[str, ModelUse],
    until: date,
) -> tuple[Forecast, ...]:
    """A forecast per window, by the models that answer."""
    return forecast_all(
        windows,
        ask_all=asker(models, uses, timeout_s=policy.timeout_s),
        weights=policy.weights,
        uses=uses,
        as_of=until,
    )


def _last_one(
    row: Row,
    draft: Prediction,
    windows: list[ForecastWindow],
    said: Remarks,
    *,
    policy: ForecastPolicy,
) -> StoredForecast:
    """The stored forecast that stands in while no model answers, marked stale.

    Nothing is stored or delivered for it. Raises ModelsDown where there is none.
    """
    row["error"] = ModelsDown.__name__
    stored = stored_instead(draft, windows, remarks=said)
    row["answered"] = "stored"
    shown = stored_forecast(*stored, now=draft.created, policy=policy, reused=True)
    return replace(shown, stale=True, stale_reason=UNAVAILABLE)


def _historical(windows: list[ForecastWindow], day: date) -> tuple[bool, ...]:
    """Per window, whether its last entry is too old to speak of the present."""
    return tuple(
        (day - window.last_day).days > HISTORICAL_DAYS[window.series.scale.cadence]
        for window in windows
    )


def _save(
    prediction: Prediction,
    answer: Answer,
    windows: list[ForecastWindow],
    *,
    record: PatientRecord,
    uses: Mapping[str, ModelUse],
) -> None:
    """Seal the answer and what it rests on, and store both."""
    patient = prediction.patient
    forecasts = [item.forecast for item in answer.instruments]
    prediction.historical = all(forecast.historical for forecast in forecasts)
    if not is_complete(forecasts, uses):
        prediction.models_digest = ""  # a degraded answer is not given twice
    prediction.payload = seal_answer(patient, prediction.pk, answer)
    prediction.evidence = seal_evidence(prediction, answer, windows, record=record)
    contributed = {use.model for forecast in forecasts for use in forecast.models}
    used = [uses[model] for model in sorted(contributed)]
    store(prediction, used, to_deliver(answer))
