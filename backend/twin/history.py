"""What happened in treatment: medicines started, changed, stopped; diagnoses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class MedicationChange(StrEnum):
    """What a resource says happened to a medicine."""

    START = "start"  # ordered, or said to be taken, from that day on
    HOLD = "hold"  # paused, to be taken up again; when is often not said
    STOP = "stop"
    NOT_TAKEN = "not-taken"  # said not to be taken, whatever was ordered
    DOSE = "dose"  # the dose from that day on
    GIVEN = "given"  # one administration
    DISPENSED = "dispensed"  # handed out; taken or not


class CourseState(StrEnum):
    """Where an order, or a course that somebody states, stood when it was read.

    An order that is COMPLETED was carried out: whether the medicine is still taken it
    does not say. A statement that is COMPLETED says that it is not.
    """

    ACTIVE = "active"
    ON_HOLD = "on-hold"
    COMPLETED = "completed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Dose:
    """An amount in a UCUM unit; `per_day` is the number of doses a day, if stated.

    None where the day holds an unknown number of them, as always where the dose is
    taken `as_needed`: such a dose must not be added to a daily one.
    """

    amount: float
    unit: str
    per_day: float | None = None
    as_needed: bool = False


@dataclass(frozen=True, slots=True)
class MedicationEvent:
    """One change of one medicine. `day` is None where the EHR does not say when.

    `ingredients` are keys of the ingredient table, sorted: one product may hold
    several. `code` is the RxNorm code as the EHR sent it, product or ingredient. `at`
    is the ISO text of the instant where one was stated, else empty. `state` is that of
    the order or statement; None where the resource is neither, or says not taken.
    """

    ingredients: tuple[str, ...]
    code: str
    change: MedicationChange
    day: date | None
    at: str
    dose: Dose | None
    source: str
    state: CourseState | None = None


class ClinicalState(StrEnum):
    """Where a condition stands; UNKNOWN where the EHR does not say.

    REMISSION is full or partial: where the diagnosis' code tells them apart, it does.
    """

    ACTIVE = "active"
    REMISSION = "remission"
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
