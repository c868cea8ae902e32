"""Samples and history of a record: each told once, in an order of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from backend.twin.genes import GeneCall
from backend.twin.history import Diagnosis, MedicationEvent
from backend.twin.lab_facts import LabFact
from backend.twin.measures import Measure
from backend.twin.person import Person
from backend.twin.record import Reason, Refusal
from backend.twin.streams import Rows, Stream, stream
from fhir_integration.columns import Column
from fhir_integration.dispatch import ReadResource
from fhir_integration.facts import History, content_of
from fhir_integration.kinds.consent import Consented
from fhir_integration.kinds.wearable import Sample


def streams(
    reads: Iterable[ReadResource], columns: Iterable[Column]
) -> tuple[tuple[Stream, ...], list[Refusal]]:
    """One stream for each measure, by its key; and what was told twice."""
    by_measure: dict[str, tuple[Measure, Rows]] = {}

    def rows_of(measure: Measure) -> Rows:
        made = measure, Rows([], [], [], [], [], [], [])
        return by_measure.setdefault(measure.key, made)[1]

    number = 0
    for column in columns:
        if isinstance(column.of, Measure) and column.rows:
            _add_column(column, rows_of(column.of), number)
            number += len(column.rows)
    for of, read in enumerate(reads, number):
        for result in read.results:
            if isinstance(result, Sample):
                _add(result, rows_of(result.measure), of)
    made = [stream(*by_measure[key]) for key in sorted(by_measure)]
    return tuple(one for one, _ in made), [
        Refusal(source, Reason.DUPLICATE) for _, repeats in made for source in repeats
    ]


def _add_column(column: Column, rows: Rows, number: int) -> None:
    _, _, source, _, _, day, micros, offset, value, seconds = zip(
        *column.rows, strict=True
    )
    rows.micros.extend(micros)
    rows.seconds.extend(seconds)
    rows.day.extend(day)
    rows.offset.extend(offset)
    rows.value.extend(value)
    rows.source.extend(source)
    rows.of.extend(range(number, number + len(value)))


def _add(sample: Sample, rows: Rows, number: int) -> None:
    rows.micros.append(sample.start * 1_000_000 + sample.fraction)
    rows.seconds.append(sample.seconds)
    rows.day.append(sample.day)
    rows.offset.append(sample.offset)
    rows.value.append(sample.value)
    rows.source.append(sample.source)
    rows.of.append(number)


@dataclass(frozen=True, slots=True)
class Told:
    """What holds for longer than a moment, by its kind."""

    medications: list[MedicationEvent] = field(default_factory=list)
    diagnoses: list[Diagnosis] = field(default_factory=list)
    genotypes: list[GeneCall] = field(default_factory=list)
    lab_facts: list[LabFact] = field(default_factory=list)


def history(reads: Iterable[ReadResource]) -> tuple[Told, list[Refusal]]:
    """Of facts of the history, the first by reference of equal ones counts."""
    found = sorted(
        (
            (result.source, content_of(result), result)
            for read in reads
            for result in read.results
            if isinstance(result, History)
        ),
        key=lambda row: row[:2],
    )
    told = Told()
    seen: set[tuple[str, ...]] = set()
    repeated: list[Refusal] = []
    for source, content, result in found:
        if content in seen:
            repeated.append(Refusal(source, Reason.DUPLICATE))
            continue
        seen.add(content)
        _tell(told, result)
    return told, repeated


def _tell(told: Told, result: History) -> None:
    match result:
        case MedicationEvent():
            told.medications.append(result)
        case Diagnosis():
            told.diagnoses.append(result)
        case GeneCall():
            told.genotypes.append(result)
        case _:
            told.lab_facts.append(result)


def person(reads: Iterable[ReadResource]) -> Person | None:
    """Who the patient is, opted out if a consent denies; None if nothing says it.

    A denial counts even where the Patient itself was not sent.
    """
    results = [result for read in reads for result in read.results]
    people = sorted((x for x in results if isinstance(x, Person)), key=repr)
    denied = any(isinstance(x, Consented) and x.denies for x in results)
    if not people:
        return Person(opted_out=True) if denied else None
    return replace(people[0], opted_out=people[0].opted_out or denied)
