"""The straight line: which medicines suit one patient, by genes, rules and sources."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

from backend.people.access import Actor, Reads, open_record
from backend.people.models import Patient, Site
from backend.predictions.answering import audited, require_service
from backend.predictions.days import last_day_read, today_of
from backend.predictions.digests import digest_of_record
from backend.predictions.errors import TooManyMedications, erasure_told
from backend.predictions.freshness import fresh_advice
from backend.predictions.models import Prediction
from backend.predictions.policy import AdvicePolicy
from backend.predictions.response_model import (
    NO_ANSWER,
    approved_response_model,
    estimate,
    person_of,
)
from backend.predictions.stored_advice import StoredAdvice, stored_advice
from backend.predictions.storing import store
from backend.predictions.taken_back import mark_taken_back
from backend.predictions.treatment_answer import (
    Asked,
    Knowledge,
    TreatmentAnswer,
    seal_advice,
)
from backend.predictions.treatment_basis import Basis, basis_of
from backend.predictions.treatment_deliveries import to_tell
from backend.predictions.treatment_evidence import seal_facts
from backend.twin.pharmacogenomics.knowledge import (
    knowledge_digest,
    knowledge_versions,
)
from backend.twin.pharmacogenomics.population import Population
from backend.twin.pharmacogenomics.report import report, scored
from backend.twin.pharmacogenomics.report_json import FORMAT
from backend.twin.pharmacogenomics.response import ResponsePolicy
from backend.twin.pharmacogenomics.response_inputs import Person, schema_hash
from backend.twin.ports import Ehr, ModelServer
from backend.twin.record import PatientRecord
from backend.twin.trajectory import ModelUse

__all__ = ["StoredAdvice", "advise_treatment"]

SERVICE = "pharmacogenomics"  # its name at the kill switch
CALCULATION = 1  # counts changes of arithmetic and words that no digest below shows
_LAST_ZONE = timedelta(hours=12)  # UTC-12, the last place where a day ends

_open_treatment = partial(open_record, reads=Reads.TREATMENT)

Uses = tuple[ModelUse, ...]


def advise_treatment(  # noqa: PLR0913 - keywords: who, whom, and the world
    *,
    actor: Actor,
    patient_id: UUID,
    as_of: date | None,
    medications: Sequence[str] | None,
    ehr: Callable[[Site], Ehr],
    models: ModelServer,
    now: Callable[[], datetime],
    policy: AdvicePolicy,
    given: Population | None = None,
    person: Person | None = None,
    purpose: str = "TREAT",
) -> StoredAdvice:
    """Advise on `medications`, by name or RxNorm code; on the usual options without.

    `given`: what the clinician knows of the patient; `person` the same for the response
    model, without genes and medicines. Fresh answers are given again as forecasts are;
    two audit rows. No genetic result, no model or an unknown medicine is an answer.
    Raises InsufficientData, ServiceOff, PatientErased, and as `open_record` does.
    """
    require_service(actor, patient_id, service=SERVICE, purpose=purpose)
    asked = _asked(medications, given, person, policy)
    until = last_day_read(as_of, moment := now())
    read, today = (until - policy.lookback, until), moment.date()
    with erasure_told(patient_id):
        patient, record = _open_treatment(
            actor, patient_id, purpose=purpose, ehr=ehr, days=read, today=today
        )
    mark_taken_back(patient, record, days=read, now=moment)
    uses, day = approved_response_model(), as_of or min(today_of(record, moment), until)
    draft = _draft(actor, patient, record=record, as_of=day, now=moment)
    draft.models_digest = _digest_of_rules(uses, policy)
    with audited(draft, purpose=purpose):
        basis = basis_of(record, day, medications=asked.medications, given=asked.given)
        if fresh := fresh_advice(draft, asked, basis.remarks, policy=policy):
            return stored_advice(*fresh, now=moment, policy=policy, reused=True)
        answer = _answer(draft, basis, asked, uses, models=models, policy=policy)
    _save(draft, answer, basis)
    return stored_advice(draft, answer, now=moment, policy=policy)


def _asked(
    medications: Sequence[str] | None,
    given: Population | None,
    person: Person | None,
    policy: AdvicePolicy,
) -> Asked:
    """What is asked; TooManyMedications for more than are looked at at once."""
    if medications is not None and len(medications) > policy.max_medications:
        raise TooManyMedications(policy.max_medications)
    return Asked(tuple(medications or ()), given or Population(), person or Person())


def _draft(
    actor: Actor,
    patient: Patient,
    *,
    record: PatientRecord,
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
        historical=as_of < (now.astimezone(UTC) - _LAST_ZONE).date(),
    )


def _digest_of_rules(uses: Iterable[ModelUse], policy: AdvicePolicy) -> str:
    """sha256 over the models, every table, and all that makes words of them."""
    lines = sorted(f"{use.model}|{use.version}|{use.sha256}" for use in uses)
    fitted = f"{CALCULATION}|{FORMAT}|{schema_hash()}|{_rule(policy)!r}"
    told = "\n".join([*lines, fitted, knowledge_digest()])
    return hashlib.sha256(told.encode()).hexdigest()


def _rule(policy: AdvicePolicy) -> ResponsePolicy:
    return ResponsePolicy(least_confidence=policy.least_confidence)


def _answer(
    draft: Prediction,
    basis: Basis,
    asked: Asked,
    uses: Uses,
    *,
    models: ModelServer,
    policy: AdvicePolicy,
) -> TreatmentAnswer:
    """The report with all that is stored beside it: rules first, then the model."""
    made = report(basis.case)
    person = person_of(
        basis.record, draft.as_of, case=basis.case, made=made, stated=asked.person
    )
    heard = estimate(made, person, uses, models, timeout_s=policy.timeout_s)
    if heard.models:
        made = scored(made, heard.responses, _rule(policy))
    told, kept = to_tell(draft.patient, basis, made, heard=heard)
    return TreatmentAnswer(
        report=made,
        asked=asked,
        current=basis.case.current,
        models=heard.models,
        method=heard.method,
        knowledge=Knowledge(knowledge_digest(), knowledge_versions()),
        told=() if draft.historical else told,
        kept=kept,
        remarks=basis.remarks,
    )


def _save(prediction: Prediction, answer: TreatmentAnswer, basis: Basis) -> None:
    """Seal the answer and what it rests on, and store both."""
    patient = prediction.patient
    if answer.method == NO_ANSWER:
        prediction.models_digest = ""  # not given twice
    prediction.payload = seal_advice(patient, prediction.pk, answer)
    prediction.evidence = seal_facts(prediction, answer, basis)
    positions = {one.identifier: n for n, one in enumerate(answer.told)}
    store(prediction, answer.models, positions)
