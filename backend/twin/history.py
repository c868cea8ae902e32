"""What happened in treatment: medicines started, changed, stopped; diagnoses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class MedicationChange(StrEnum):
    """What a resource says happened to a medicine."""

    START = "start"  # ordered, or said to be taken, from that day on
    STOP = "stop"
    DOSE = "dose"  # the dose from that day on
    GIVEN = "given"  # one administration
    DISPENSED = "dispensed"  # handed out; taken or not


@dataclass(frozen=True, slots=True)
class Dose:
    """An amount in a UCUM unit; `per_day` is the number of doses a day, if stated."""

    amount: float
    unit: str
    per_day: float | None = None


@dataclass(frozen=True, slots=True)
class MedicationEvent:
    """One change of one medicine. `day` is None where the EHR does not say when.

    `ingredients` are keys of the ingredient table, sorted: one product may hold
    several. `code` is the RxNorm code as the EHR sent it, product or ingredient. `at`
    is the ISO text of the instant where one was stated, else empty.
    """

    ingredients: tuple[str, ...]
    code: str
    change: MedicationChange
    day: date | None
    at: str
    dose: Dose | None
    source: str


class ClinicalState(StrEnum):
    """Where a condition stands; UNKNOWN where the EHR does not say."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    RESOLVED = "resolved"
    UNKNOWN = "unknown"


class Certainty(StrEnum):
    """How sure the EHR is of a condition; UNKNOWN where it does not say."""

    CONFIRMED = "confirmed"
    PROVISIONAL = "provisional"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A condition of the concept table. `onset` and `resolved` are None if unsaid.

    `concept` is the table's key (depression, bipolar, ...); `system` and `code` are the
    coding that was recognised.
    """

    concept: str
    system: str
    code: str
    state: ClinicalState
    certainty: Certainty
    onset: date | None
    resolved: date | None
    source: str
