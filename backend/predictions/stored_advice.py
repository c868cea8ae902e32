"""Stored advice on medicines as callers see it: the report, its age, its deliveries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from backend.predictions.models import Prediction
from backend.predictions.policy import ServicePolicy
from backend.predictions.response_model import LABEL
from backend.predictions.stored import Summary, delivery_of, no_longer_standing, summary
from backend.predictions.treatment_answer import Knowledge, TreatmentAnswer
from backend.twin.pharmacogenomics.report import Report
from backend.twin.trajectory import ModelUse

NOT_TOLD = "Not told to the EHR, since no genetic result there stands behind it: {}."


@dataclass(frozen=True, slots=True)
class StoredAdvice(Summary):
    """One answer on medicines, opened for somebody who may see the patient.

    `reused` and `no_longer_standing` as with a forecast. Of one that is `historical`
    nothing is delivered.
    `current`: the medicines counted as taken, None where nobody knows. `models` are
    those whose estimates it reports or withholds, none where none answered. `knowledge`
    names the tables' state. `identifiers` are by medicine, of those that the EHR gets;
    `delivery` has a state for each. `unknown`: medicines that were asked for, as named,
    and that the catalogue does not know.
    """

    reused: bool
    report: Report
    current: tuple[str, ...] | None
    models: tuple[ModelUse, ...]
    knowledge: Knowledge
    identifiers: Mapping[str, UUID]
    delivery: Mapping[UUID, str]
    refused: Mapping[str, int]
    notices: tuple[str, ...]
    no_longer_standing: tuple[UUID, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        """Medicines that nobody here knows: nothing of them was checked."""
        words = self.report.recommendations
        return tuple(one.medication for one in words if one.action == "unknown")


def stored_advice(
    prediction: Prediction,
    answer: TreatmentAnswer,
    *,
    now: datetime,
    policy: ServicePolicy,
    reused: bool = False,
) -> StoredAdvice:
    """Row and answer together, seen at the time `now`."""
    return StoredAdvice(
        **asdict(summary(prediction, now=now, policy=policy)),
        reused=reused,
        report=answer.report,
        current=answer.current,
        models=answer.models,
        knowledge=answer.knowledge,
        identifiers={one.medication: one.identifier for one in answer.told},
        delivery=delivery_of(one.identifier for one in answer.told),
        refused=answer.remarks.refused,
        notices=(*answer.remarks.notices, *_notices(answer)),
        no_longer_standing=no_longer_standing(prediction),
    )


def _notices(answer: TreatmentAnswer) -> Iterator[str]:
    """What stays here; who estimated nothing, or what those learned from who did."""
    if answer.kept:
        yield NOT_TOLD.format(", ".join(answer.kept))
    if answer.method:
        yield answer.method
    if answer.models:
        yield LABEL
