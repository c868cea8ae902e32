"""The straight line: which signals of one patient move with which symptoms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

from backend.people.access import Actor, Reads, open_record
from backend.people.models import Patient, Site
from backend.predictions.answering import audited, require_service
from backend.predictions.correlation_answer import (
    CorrelationAnswer,
    links_to_deliver,
    seal_correlation,
)
from backend.predictions.correlation_digests import (
    digest_of_link_models,
    digest_of_window,
    link_identifier,
)
from backend.predictions.correlation_evidence import LookedAt, seal_reports, sources
from backend.predictions.days import last_day_read, today_of
from backend.predictions.digests import digest_of_record
from backend.predictions.errors import DaysOutOfRange, TooManySamples, erasure_told
from backend.predictions.freshness import fresh_correlation
from backend.predictions.link_network import PASSING, approved_network, judge
from backend.predictions.models import Prediction
from backend.predictions.policy import CorrelationPolicy
from backend.predictions.remarks import remarks
from backend.predictions.stored_correlation import (
    StoredCorrelation,
    stored_correlation,
)
from backend.predictions.storing import store
from backend.predictions.watching import notice_of_signals
from backend.twin.ages import for_age
from backend.twin.correlation.examination import examine
from backend.twin.correlation.from_record import MAX_LAG_HOURS, from_record
from backend.twin.correlation.report import correlation_report
from backend.twin.ports import Ehr, ModelServer
from backend.twin.record import PatientRecord
from backend.twin.trajectory import ModelUse

__all__ = ["StoredCorrelation", "correlate_signals"]

SERVICE = "correlation"  # its name at the kill switch
_ZONES = timedelta(days=2)  # by which the days of two places may differ
_BEFORE = timedelta(hours=MAX_LAG_HOURS)  # signals that early reports may follow

EMPTY = "The record has neither symptom entries nor wearable data of these days."

_open_signals = partial(open_record, reads=Reads.SIGNALS)

Uses = tuple[ModelUse, ...]


def correlate_signals(  # noqa: PLR0913 - keywords: who, whom, and the world
    *,
    actor: Actor,
    patient_id: UUID,
    as_of: date | None,
    days: int | None,
    ehr: Callable[[Site], Ehr],
    models: ModelServer,
    now: Callable[[], datetime],
    policy: CorrelationPolicy,
    purpose: str = "TREAT",
) -> StoredCorrelation:
    """Look for links between a patient's wearables and symptoms in the last `days`.

    They end with `as_of`, or else with the patient's own day. Fresh answers are given
    again as forecasts are; two audit rows. Where the network does not answer, the
    classical engine does alone and it is said. Nothing found, or nothing there, is an
    answer. Raises ServiceOff, DayOutOfRange, DaysOutOfRange, TooManySamples,
    PatientErased, and as `open_record` does.
    """
    require_service(actor, patient_id, service=SERVICE, purpose=purpose)
    length = _length(days, policy)
    until = last_day_read(as_of, moment := now())
    since = (as_of or until - _ZONES) - timedelta(days=length) - _BEFORE
    read, today = (since, until), moment.date()
    with erasure_told(patient_id):
        patient, record = _open_signals(
            actor, patient_id, purpose=purpose, ehr=ehr, days=read, today=today
        )
    notice_of_signals(patient, record, days=read, now=moment)
    uses, day = approved_network(), as_of or min(today_of(record, moment), until)
    draft = _draft(actor, patient, record=record, uses=uses, as_of=day, now=moment)
    with audited(draft, purpose=purpose):
        looked_at = _looked_at(record, draft, days=length, policy=policy)
        if fresh := fresh_correlation(draft, looked_at, policy=policy):
            return stored_correlation(*fresh, now=moment, policy=policy, reused=True)
        answer = _answer(patient, looked_at, uses, models, timeout_s=policy.timeout_s)
    _save(draft, answer, looked_at)
    return stored_correlation(draft, answer, now=moment, policy=policy)


def _length(days: int | None, policy: CorrelationPolicy) -> int:
    """How many days are looked at; DaysOutOfRange for none and for too many."""
    length = policy.days if days is None else days
    if not 1 <= length <= policy.max_days:
        raise DaysOutOfRange(policy.max_days)
    return length


def _draft(
    actor: Actor,
    patient: Patient,
    *,
    record: PatientRecord,
    uses: Uses,
    as_of: date,
    now: datetime,
) -> Prediction:
    """The prediction as far as it is known before anything was computed."""
    return Prediction(
        patient=patient,
        service=SERVICE,
        as_of=as_of,
        created=now,
        actor=actor.name,
        record_digest=digest_of_record(record),
        models_digest=digest_of_link_models(uses),
        historical=False,
    )


def _looked_at(
    record: PatientRecord, draft: Prediction, *, days: int, policy: CorrelationPolicy
) -> LookedAt:
    """The window of the record; TooManySamples before anything is computed of it."""
    if sum(map(len, record.streams)) > policy.max_samples:
        raise TooManySamples(policy.max_samples)
    as_of, today = draft.as_of, today_of(record, draft.created)
    fitting = for_age(record, record.person, as_of)
    found = from_record(
        fitting, as_of, days=days, max_lag_hours=MAX_LAG_HOURS, today=today
    )
    said = remarks(replace(record, treatment_known=True), as_of)  # nobody asked
    if not record.streams and not any(one.entries for one in record.series):
        said = replace(said, notices=(*said.notices, EMPTY))
    return LookedAt(fitting, found, said)


def _answer(
    patient: Patient,
    looked_at: LookedAt,
    uses: Uses,
    models: ModelServer,
    *,
    timeout_s: float,
) -> CorrelationAnswer:
    """The report with all that is stored beside it."""
    found = looked_at.found
    made = judge(examine(found.window), uses, models, timeout_s=timeout_s)
    report = correlation_report(
        found.window,
        made.links,
        left_out=found.left_out,
        by_day=found.by_day,
        clock=found.clock,
    )
    window_digest = digest_of_window(found)
    pairs = [(one.link.biometric, one.link.symptom) for one in report.insights]
    return CorrelationAnswer(
        report=report,
        models=made.models,
        method=made.method,
        identifiers={
            pair: link_identifier(
                patient, pair, window_digest=window_digest, models=made.models
            )
            for pair in pairs
        },
        sources=sources(looked_at),
        remarks=looked_at.remarks,
    )


def _save(prediction: Prediction, answer: CorrelationAnswer, looked: LookedAt) -> None:
    """Seal the answer and what it rests on, and store both."""
    patient = prediction.patient
    if answer.method in PASSING:
        prediction.models_digest = ""  # not given twice
    prediction.payload = seal_correlation(patient, prediction.pk, answer)
    prediction.evidence = seal_reports(prediction, answer, looked)
    store(prediction, answer.models, links_to_deliver(answer))
