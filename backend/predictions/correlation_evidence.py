"""The symptom reports that a correlation rests on.

Values of wearables are not among them: there are too many to keep, and another value
makes another record, so that no stored answer is given again for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from backend.predictions.correlation_answer import CorrelationAnswer
from backend.predictions.models import Prediction
from backend.predictions.remarks import Remarks
from backend.predictions.taken_back import Used, answers_used, entry_used, seal_used
from backend.twin.correlation.from_record import FromRecord
from backend.twin.record import Entry, PatientRecord, Series


@dataclass(frozen=True, eq=False)
class LookedAt:
    """A record as far as it fits the patient, its window, what else is to be said."""

    record: PatientRecord
    found: FromRecord
    remarks: Remarks


def sources(looked: LookedAt) -> Mapping[str, tuple[str, ...]]:
    """The EHR's references of each symptom's reports, oldest first."""
    return {
        series.scale.key: tuple(entry.source for entry in entries)
        for series, entries in _reports(looked)
    }


def seal_reports(
    prediction: Prediction, answer: CorrelationAnswer, looked: LookedAt
) -> bytes:
    """What each insight rests on, its symptom's reports; and all that the answer does.

    What was looked at without an insight counts too: it tells that there is none.
    """
    used = {
        series.scale.key: [entry_used(series.scale, entry) for entry in entries]
        for series, entries in _reports(looked)
    }
    parts = [
        (str(identifier), used[symptom])
        for (_, symptom), identifier in answer.identifiers.items()
    ]
    whole: list[Used] = [one for entries in used.values() for one in entries]
    return seal_used(
        prediction, [*parts, ("", [*whole, *answers_used(prediction, looked.record)])]
    )


def _reports(looked: LookedAt) -> Iterator[tuple[Series, tuple[Entry, ...]]]:
    """The examined symptoms with their entries in the window."""
    found = looked.found.entries
    for series in looked.record.series:
        if series.scale.key in found:
            yield series, found[series.scale.key]
