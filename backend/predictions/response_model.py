"""The response model's part in advice: which version may answer, and asking it.

Simulated outcomes taught it. Advice and stops stand without it, and it is said when it
did not answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from backend.registry.services import production
from backend.twin.errors import ModelError, ModelRefused
from backend.twin.history import Certainty, ClinicalState, Diagnosis
from backend.twin.pharmacogenomics.report import Case, Report
from backend.twin.pharmacogenomics.response import Response, SideEffect
from backend.twin.pharmacogenomics.response_inputs import (
    ANSWER,
    MODEL,
    OPTIONS,
    OUTPUT,
    SIDE_EFFECTS,
    Person,
    inputs_of,
    known_conditions,
    schema_hash,
)
from backend.twin.ports import Arrays, ModelServer
from backend.twin.record import PatientRecord
from backend.twin.trajectory import ModelUse

NO_ANSWER = "No response model answered; advice and stops stand without it."
NONE_APPROVED = (
    "No response model is approved for this; advice and stops stand without it."
)
LABEL = (
    "The response model was trained on simulated outcomes; published models of "
    "response to treatment, tried on real patients, reach an AUC of .60 to .67."
)
_STANDING = frozenset({ClinicalState.ACTIVE, ClinicalState.UNKNOWN})


class Estimated(NamedTuple):
    """Responses by medicine, who made them, and why nobody did, if so.

    `inputs`: a digest by medicine of what the model was asked with.
    """

    responses: Mapping[str, Response]
    inputs: Mapping[str, str]
    models: tuple[ModelUse, ...]
    method: str


_NOBODY = Estimated(MappingProxyType({}), MappingProxyType({}), (), "")


def approved_response_model() -> tuple[ModelUse, ...]:
    """The model in production, or none: one that takes other inputs is none."""
    release = production().get(MODEL)
    if release is None or release.card.get("feature_schema_hash") != schema_hash():
        return ()
    return (replace(release.use, weight=1.0),)


def estimate(
    made: Report,
    person: Person,
    uses: Sequence[ModelUse],
    models: ModelServer,
    *,
    timeout_s: float,
) -> Estimated:
    """What the model says of the report's medicines that nothing bars.

    Nobody is asked where it knows none of them.
    """
    asked = [one for one in made.to_score if one in OPTIONS]
    if not asked:
        return _NOBODY
    if not uses:
        return _NOBODY._replace(method=NONE_APPROVED)
    inputs = inputs_of(person, asked)
    try:
        rows = _asked(inputs, uses[0], models, timeout_s=timeout_s)
    except ModelError:
        return _NOBODY._replace(method=NO_ANSWER)
    return Estimated(
        responses=dict(zip(asked, map(_response, rows), strict=True)),
        inputs=dict(zip(asked, _digests(inputs), strict=True)),
        models=tuple(uses),
        method="",
    )


def person_of(
    record: PatientRecord, day: date, *, case: Case, made: Report, stated: Person
) -> Person:
    """What is `stated` of somebody who is to be treated, then what the record says.

    Severity, episode and earlier trials are of the former alone: no symptoms are read.
    """
    age, found = case.population.age_years, _present(record.diagnoses, day)
    return replace(
        stated,
        age_years=age if stated.age_years is None else stated.age_years,
        female=_is_female(record) if stated.female is None else stated.female,
        conditions={**known_conditions(found), **stated.conditions},
        genes=made.genes,
        current=case.current or (),
    )


def _is_female(record: PatientRecord) -> bool | None:
    who = record.person
    return {"female": True, "male": False}.get(who.sex) if who else None


def _present(diagnoses: Iterable[Diagnosis], day: date) -> dict[str, bool]:
    """Concepts of diagnoses that stand on `day`, or are refuted; the others unknown."""
    found: dict[str, bool] = {}
    for one in diagnoses:
        is_there = one.certainty is not Certainty.REFUTED
        is_over = one.resolved is not None and one.resolved <= day
        if not is_there or (one.state in _STANDING and not is_over):
            found[one.concept] = found.get(one.concept, False) or is_there
    return found


def _asked(
    inputs: Arrays, use: ModelUse, models: ModelServer, *, timeout_s: float
) -> np.ndarray:
    """[medicine, column]; raises ModelError where the answer is of no use."""
    answer = models.infer(use.model, use.version, inputs, timeout_s=timeout_s)
    rows = answer.get(OUTPUT)
    wanted = (len(next(iter(inputs.values()))), len(ANSWER))
    if rows is None or rows.shape != wanted:
        raise ModelRefused(f"{use.model} gives no {OUTPUT} of the shape agreed on")
    if not ((rows >= 0) & (rows <= 1)).all():  # NaN, too
        raise ModelRefused(f"{use.model} gives what is no share")
    return rows


def _response(row: np.ndarray) -> Response:
    said = dict(zip(ANSWER, map(float, row), strict=True))
    return Response(
        efficacy=said["efficacy"],
        percentile=said["percentile"],
        confidence=said["confidence"],
        side_effects=tuple(SideEffect(name, said[name]) for name in SIDE_EFFECTS),
    )


def _digests(inputs: Arrays) -> list[str]:
    """sha256 of each row, of all arrays."""
    arrays = [array for _, array in sorted(inputs.items())]
    return [
        hashlib.sha256(b"".join(part.tobytes() for part in row)).hexdigest()
        for row in zip(*arrays, strict=True)
    ]
