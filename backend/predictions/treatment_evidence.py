"""The facts of a record that advice rests on, so that one taken back is noticed."""

from __future__ import annotations

from collections.abc import Iterator

from backend.predictions.facts_used import facts_used
from backend.predictions.models import Prediction
from backend.predictions.taken_back import Part, Used, seal_used
from backend.predictions.treatment_answer import TreatmentAnswer
from backend.predictions.treatment_basis import Basis


def seal_facts(prediction: Prediction, answer: TreatmentAnswer, basis: Basis) -> bytes:
    """What each delivery rests on: its own genes, and all other facts.

    The answer rests on every fact; that there is none tells something, too, and cannot
    be taken back.
    """
    found = list(_facts(prediction, basis))
    genes = {one.source for one in basis.record.genotypes}
    parts: list[Part] = [
        (
            str(one.identifier),
            [u for u in found if u.source in one.sources or u.source not in genes],
        )
        for one in answer.told
    ]
    return seal_used(prediction, [*parts, ("", found)])


def _facts(prediction: Prediction, basis: Basis) -> Iterator[Used]:
    """Facts of all times are looked up whenever the answer's own day is read."""
    for source, day, said in facts_used(basis.record):
        yield Used(source, day or str(prediction.as_of), said)
