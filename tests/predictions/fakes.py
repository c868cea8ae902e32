"""An EHR in memory, models that do sums, and records to put into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

import numpy as np

from backend.twin.ensemble import ROWS
from backend.twin.errors import EhrError, ModelError, ModelUnavailable
from backend.twin.features import schema_hash
from backend.twin.history import MedicationChange, MedicationEvent
from backend.twin.person import Person
from backend.twin.ports import (
    CorrelationDocument,
    ForecastDocument,
    Receipt,
    TreatmentDocument,
)
from backend.twin.record import Entry, PatientRecord, SafetyAnswer, Series
from backend.twin.scales import scale

LAST_DAY = date(2026, 3, 1)  # the day before the frozen clock's


class FakeEhr:
    """Holds one record and what was written; `down` is raised instead of answering.

    `persons` are by EHR id; of anybody else nothing is known.
    """

    def __init__(self, record: PatientRecord) -> None:
        self.record = record
        self.persons: dict[str, Person] = {}
        self.down: EhrError | None = None
        self.asked: list[tuple[str, date, date]] = []
        self.written: dict[UUID, ForecastDocument] = {}
        self.links: dict[UUID, CorrelationDocument] = {}
        self.treatments: dict[UUID, TreatmentDocument] = {}
        self.writes = 0

    def read_person(self, ehr_patient: str, *, on: date) -> Person:
        if self.down:
            raise self.down
        return self.persons.get(ehr_patient, Person())

    def read_symptoms(
        self, ehr_patient: str, *, since: date, until: date, also: Sequence[str] = ()
    ) -> PatientRecord:
        self.asked.append((ehr_patient, since, until))
        if self.down:
            raise self.down
        kept = [
            Series(one.scale, tuple(e for e in one.entries if since <= e.day <= until))
            for one in self.record.series
        ]
        return PatientRecord(
            series=tuple(one for one in kept if one.entries),
            safety=tuple(a for a in self.record.safety if since <= a.day <= until),
            refused=self.record.refused,
            medications=self.record.medications,
        )

    def read_signals(
        self, ehr_patient: str, *, since: date, until: date, also: Sequence[str] = ()
    ) -> PatientRecord:
        """Streams are given whole, whatever the days; medicines are not asked for."""
        found = self.read_symptoms(ehr_patient, since=since, until=until, also=also)
        streams = self.record.streams
        return replace(found, streams=streams, medications=(), treatment_known=False)

    def read_treatment(
        self, ehr_patient: str, *, since: date, until: date, also: Sequence[str] = ()
    ) -> PatientRecord:
        """All facts are given whole, whatever the days; no symptoms."""
        self.asked.append((ehr_patient, since, until))
        if self.down:
            raise self.down
        return replace(self.record, series=(), safety=(), streams=())

    def write_treatment(self, document: TreatmentDocument) -> Receipt:
        self.writes += 1
        if self.down:
            raise self.down
        created = document.identifier not in self.treatments
        self.treatments.setdefault(document.identifier, document)
        name = document.identifier
        return Receipt(f"Observation/{name}", "Device/1", f"Provenance/{name}", created)

    def write_correlation(self, document: CorrelationDocument) -> Receipt:
        self.writes += 1
        if self.down:
            raise self.down
        created = document.identifier not in self.links
        self.links.setdefault(document.identifier, document)
        name = document.identifier
        return Receipt(f"Observation/{name}", "Device/1", f"Provenance/{name}", created)

    def write_forecast(self, document: ForecastDocument) -> Receipt:
        self.writes += 1
        if self.down:
            raise self.down
        created = document.identifier not in self.written
        self.written.setdefault(document.identifier, document)
        name = document.identifier
        return Receipt(f"Observation/{name}", "Device/1", f"Provenance/{name}", created)


class FakeModels:
    """Answers with the anchor, moved by `shift` z units per model; says what it saw."""

    def __init__(self) -> None:
        self.shift = {"symptom_transformer": 0.1, "symptom_xgboost": 0.2}
        self.broken: dict[str, ModelError] = {}
        self.asked: list[tuple[str, int]] = []

    def infer(
        self,
        model: str,
        version: int,
        inputs: Mapping[str, np.ndarray],
        *,
        timeout_s: float,
    ) -> dict[str, np.ndarray]:
        self.asked.append((model, version))
        if model in self.broken:
            raise self.broken[model]
        if model not in self.shift:
            raise ModelUnavailable(f"no model {model}")
        assert timeout_s > 0
        moved = inputs["anchor"] + self.shift[model]  # (batch, level)
        return {"quantiles": np.repeat(moved[:, None], ROWS, axis=1)}

    def canary(self, model: str, version: int) -> None:
        self.asked.append((model, version))
        if model in self.broken:
            raise self.broken[model]


class Version(NamedTuple):
    """What the registry asks of a catalogue's row."""

    model: str
    version: int
    sha256: str
    card: Mapping[str, object]
    verified: bool = True


def card(*, daily: bool = True, **fields: object) -> dict[str, object]:
    return {
        "beats_climatology": {"daily": daily, "questionnaire": False},
        "feature_schema_hash": schema_hash(),
        **fields,
    }


VERSIONS = (
    Version("symptom_transformer", 1, "a" * 64, card()),
    Version("symptom_xgboost", 1, "b" * 64, card()),
)


def diary(days: int = 40, *, key: str = "mood-0-10", last: date = LAST_DAY) -> Series:
    """A diary of `days` entries that wanders between 3 and 7, without gaps."""
    entries = (
        Entry(
            day=last - timedelta(days=back),
            value=float(5 + (back * 7) % 5 - 2),
            source=f"Observation/{key}-{back}",
        )
        for back in reversed(range(days))
    )
    return Series(scale(key), tuple(entries))


def questionnaire(*scores: float, last: date = LAST_DAY) -> Series:
    """PHQ-9 every two weeks, the last score on `last`."""
    entries = (
        Entry(last - timedelta(days=14 * back), score, f"Observation/phq9-{back}")
        for back, score in reversed(list(enumerate(reversed(scores))))
    )
    return Series(scale("phq9"), tuple(entries))


def ordered(days_ago: int, ingredient: str = "sertraline") -> MedicationEvent:
    """A medicine begun so many days before the last day."""
    return MedicationEvent(
        ingredients=(ingredient,),
        code="",
        change=MedicationChange.START,
        day=LAST_DAY - timedelta(days=days_ago),
        at="",
        dose=None,
        source=f"MedicationRequest/{ingredient}",
    )


def self_harm(day: date, value: float = 1.0) -> SafetyAnswer:
    return SafetyAnswer(scale("phq9"), day, value, f"Observation/item-{day}")
