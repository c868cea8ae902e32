"""What the twin knows of one patient, and what was refused."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from backend.twin.genes import GeneCall
from backend.twin.history import Diagnosis, MedicationEvent
from backend.twin.lab_facts import LabFact
from backend.twin.person import Person
from backend.twin.scales import Scale
from backend.twin.streams import Stream


class Reason(StrEnum):
    """The closed list of reasons for keeping a resource out of the models."""

    NOT_FINAL = "not-final"
    ENTERED_IN_ERROR = "entered-in-error"
    CANCELLED = "cancelled"
    NO_VALUE = "no-value"
    NOT_A_NUMBER = "not-a-number"
    WRONG_UNIT = "wrong-unit"
    OUTSIDE_SCALE = "outside-scale"
    NO_DATE = "no-date"
    PARTIAL_DATE = "partial-date"
    IN_FUTURE = "in-future"
    WRONG_PATIENT = "wrong-patient"
    DUPLICATE = "duplicate"
    UNKNOWN_CODE = "unknown-code"
    NO_SCALE = "no-scale"
    WRONG_TYPE = "wrong-type"
    MALFORMED = "malformed"
    NOT_READ = "type-not-read"
    NOT_FHIR = "not-fhir"
    WRONG_VERSION = "wrong-fhir-version"
    RESTRICTED = "restricted"
    MODIFIED = "modified"
    NO_PATIENT = "no-patient"
    NO_UNIT = "no-unit"
    NO_WINDOW = "no-window"
    NO_TIME = "no-time-of-day"
    IMPLAUSIBLE = "implausible"
    UNRESOLVED = "unresolved-reference"
    POINTS_ELSEWHERE = "points-elsewhere"
    NOT_FOR_AGE = "not-for-age"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One resource, or a part of one, that was not used.

    `source` is its reference in the EHR. `safety` is True where an answer to a safety
    item was lost with it: somebody may have answered, and nobody here can read what.
    It stays False where nothing is lost: taken back (entered-in-error, cancelled), read
    elsewhere (duplicate), no answer of this patient's.
    """

    source: str
    reason: Reason
    safety: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One score: local calendar day, time where known (ISO text), score units.

    `summed`: the EHR states no total; it was added up from a complete set of items.
    """

    day: date
    value: float
    source: str
    at: str = ""
    summed: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """All entries of one patient on one scale, in order of time."""

    scale: Scale
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class SafetyAnswer:
    """The answer to a questionnaire's safety item (score units), with its day."""

    scale: Scale
    day: date
    value: float
    source: str


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """What a service needs of one patient; no identity in it.

    Only what was asked for is there: a forecast pulls symptoms and orders of medicines
    and leaves the rest empty. `person` is None where nobody asked who the patient is.
    `treatment_known` is False where the EHR gives no medicines: their absence from
    `medications` then says nothing. It is not part of what the digest names.
    """

    series: tuple[Series, ...]
    safety: tuple[SafetyAnswer, ...] = ()
    refused: tuple[Refusal, ...] = ()
    streams: tuple[Stream, ...] = ()
    medications: tuple[MedicationEvent, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    genotypes: tuple[GeneCall, ...] = ()
    lab_facts: tuple[LabFact, ...] = ()
    person: Person | None = None
    treatment_known: bool = True
    digest: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", _digest(self))


def _digest(record: PatientRecord) -> str:
    """sha256 over content, independent of the order in which resources arrived.

    Refusals are left out, but for lost answers to safety items: a stored forecast must
    not stand in for a record that holds one more of these.
    """
    lines = [line for series in record.series for line in _lines(series)]
    lines += [f"stream|{stream.digest}" for stream in record.streams]
    facts = (*record.medications, *record.diagnoses, *record.genotypes)
    facts += record.lab_facts
    lines += [f"{type(fact).__name__}|{fact!r}" for fact in facts]
    lines += [f"person|{record.person!r}"] if record.person else []
    lines += [
        f"safety|{answer.scale.safety_item and answer.scale.safety_item.code}|"
        f"{answer.day}|{answer.value!r}|{answer.source}"
        for answer in record.safety
    ]
    lines += {
        f"unread|{refusal.reason}|{refusal.source}"
        for refusal in record.refused
        if refusal.safety
    }
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _lines(series: Series) -> Iterator[str]:
    """One line for each entry; there may be thousands."""
    scale = series.scale
    start = f"{scale.system}|{scale.code}|{scale.low!r}|{scale.high!r}|"
    for entry in series.entries:
        day = entry.day.isoformat()
        summed = "|summed" if entry.summed else ""
        yield f"{start}{day}|{entry.at}|{entry.value!r}|{entry.source}{summed}"
