"""What genes, medicines, conditions and laboratory values say, to compare pulls by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from backend.twin.history import Certainty
from backend.twin.record import PatientRecord


class FactUsed(NamedTuple):
    """One fact: its reference, and what it says.

    `day` is empty where the fact is read whatever its day.
    """

    source: str
    day: str
    said: str


def facts_used(record: PatientRecord) -> Iterator[FactUsed]:
    """Every such fact of the record.

    Of a medicine which one it is: that a course ended later takes nothing back. Of a
    condition whether it is there at all.
    """
    for call in record.genotypes:
        words = (call.gene, call.diplotype, call.phenotype, call.activity)
        yield FactUsed(call.source, "", f"gene|{words!r}|{call.ambiguous!r}")
    for event in record.medications:
        named = "+".join(event.ingredients) or event.code
        yield FactUsed(event.source, "", f"medicine|{named}")
    for one in record.diagnoses:
        is_refuted = one.certainty is Certainty.REFUTED
        yield FactUsed(one.source, "", f"condition|{one.concept}|{is_refuted}")
    for fact in record.lab_facts:
        said = f"lab|{fact.kind}|{fact.day}|{fact.value!r}"
        yield FactUsed(fact.source, str(fact.day), said)
