"""The frame around a service's answer: its kill switch and the row that records it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.people.access import Actor
from backend.people.models import Patient
from backend.predictions.errors import ModelsDown
from backend.predictions.models import Prediction
from backend.registry.switches import require_on
from backend.twin.errors import InsufficientData, ServiceOff

Row = dict[str, str | int]  # details of an audit row

ACTIONS: Mapping[str, Action] = {
    "forecast": Action.FORECAST,
    "correlation": Action.CORRELATE,
    "pharmacogenomics": Action.ADVISE,
}  # by the service's name at the kill switch


def require_service(
    actor: Actor, patient_id: UUID, *, service: str, purpose: str
) -> None:
    """Raise ServiceOff, with a row of its own, where the service is switched off.

    Before anybody is asked anything. As at the gate, the row names the patient only
    where the id is one of ours.
    """
    try:
        require_on(service)
    except ServiceOff as off:
        known = Patient.objects.filter(pk=patient_id)
        ledger.record(
            action=ACTIONS[service],
            actor=actor.name,
            outcome=Outcome.DENIED,
            purpose=purpose,
            patients=list(known.values_list("pk", flat=True)),
            detail={"error": type(off).__name__},
        )
        raise


@contextmanager
def audited(prediction: Prediction, *, purpose: str) -> Iterator[Row]:
    """One row of the service for what happens inside; before anything is stored or
    leaves.

    Its details may be added to; with an error among them it failed. ServiceOff where
    somebody switched the service off meanwhile: an EHR takes a while to answer.
    """
    outcome = Outcome.FAILED
    detail: Row = {}
    try:
        yield detail
        require_on(prediction.service)
        outcome = Outcome.FAILED if "error" in detail else Outcome.SUCCESS
    except (InsufficientData, ModelsDown, ServiceOff) as error:
        detail["error"] = type(error).__name__
        if isinstance(error, ServiceOff):
            outcome = Outcome.DENIED
        raise
    finally:
        ledger.record(
            action=ACTIONS[prediction.service],
            actor=prediction.actor,
            outcome=outcome,
            purpose=purpose,
            patients=[prediction.patient_id],
            detail=detail,
        )
