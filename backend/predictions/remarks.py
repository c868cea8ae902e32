"""What an answer says of the record beside its forecasts; nobody may have to ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from backend.twin.ages import ages_said, excluded_scales, for_age, unsure_scales
from backend.twin.person import Person
from backend.twin.recommendation import Finding, Kind, urgent_findings
from backend.twin.record import PatientRecord
from backend.twin.scales import Scale, known_scales

_SAID: Mapping[Kind, str] = {
    "self-harm": "self-harm item above its threshold",
    "severe-band": "score in a severe band",
}


@dataclass(frozen=True, slots=True)
class UrgentFinding:
    """A finding of the record, with a forecast of its scale or without.

    `scale` is the scale's key, `value` in `unit` (UCUM).
    """

    kind: Kind
    scale: str
    day: date
    value: float
    unit: str

    @property
    def text(self) -> str:
        """One line for people."""
        known = known_scales().get(self.scale)
        title = known.title if known else self.scale
        one = "point" if self.value == 1 else "points"
        unit = one if self.unit == "{score}" else self.unit
        meaning = self._meaning(known)
        what = (
            f"{meaning}, {self.value:g} {unit}" if meaning else f"{self.value:g} {unit}"
        )
        return f"{title}: {_SAID[self.kind]} on {self.day} ({what})"

    def _meaning(self, known: Scale | None) -> str:
        """What was answered, in words, where the item's table has words for it."""
        if known is None or known.safety_item is None or self.kind != "self-harm":
            return ""
        return known.safety_item.meaning(self.value)


@dataclass(frozen=True, slots=True)
class Remarks:
    """Resources refused, counted by reason; findings that call for a human; notices.

    `notices` are whole sentences.
    """

    refused: Mapping[str, int]
    urgent_findings: tuple[UrgentFinding, ...] = ()
    notices: tuple[str, ...] = ()


def remarks(record: PatientRecord, until: date) -> Remarks:
    """What there is to say of the whole `record`; urgent is judged by the day `until`.

    A finding is said whatever the patient's age: only the forecasts heed that.
    """
    of = {series.scale.key: series.scale for series in record.series}
    of |= {answer.scale.key: answer.scale for answer in record.safety}
    found = [said(one, of[one.scale].unit) for one in urgent_findings(record, until)]
    fitting = for_age(record, record.person, until)
    refused = Counter(str(refusal.reason) for refusal in fitting.refused)
    return Remarks(
        refused=dict(sorted(refused.items())),
        urgent_findings=tuple(dict.fromkeys(found)),  # two sources may say the same
        notices=(
            *_unread(record),
            *_summed(fitting),
            *_of_age(record, until),
            *_of_person(record.person),
            *_of_treatment(record),
        ),
    )


def remarks_of(data: Mapping[str, Any]) -> Remarks:
    """What was stored with an answer; those of before there were findings hold none."""
    return Remarks(
        refused=data["refused"],
        urgent_findings=tuple(_finding(one) for one in data.get("urgent_findings", ())),
        notices=tuple(data.get("notices", ())),
    )


def _finding(data: Mapping[str, Any]) -> UrgentFinding:
    return UrgentFinding(**{**data, "day": date.fromisoformat(data["day"])})


def said(finding: Finding, unit: str = "{score}") -> UrgentFinding:
    """The finding as it is told, without its source."""
    return UrgentFinding(
        kind=finding.kind,
        scale=finding.scale,
        day=finding.day,
        value=finding.value,
        unit=unit,
    )


def _of_age(record: PatientRecord, day: date) -> Iterator[str]:
    """For whom instruments are made, where the patient is or may be none of them."""
    for scale in excluded_scales(record, record.person, day):
        yield f"{scale.title} is made for people {ages_said(scale)}; it was left out."
    for scale in unsure_scales(record, record.person, day):
        yield (
            f"{scale.title} is made for people {ages_said(scale)}; "
            "the patient's age is unknown."
        )


def _of_person(person: Person | None) -> Iterator[str]:
    """What the EHR leaves open about the patient."""
    if person and not person.consent_known:
        yield "The EHR does not tell whether the patient consents to this use."
    if person and not person.active:
        yield "The EHR marks the patient's record as not in use."


def _of_treatment(record: PatientRecord) -> Iterator[str]:
    """That a forecast knows of no treatment, where the EHR tells of none."""
    if not record.treatment_known:
        yield "The EHR gives no medicines; changes of treatment are not known."


def _summed(record: PatientRecord) -> Iterator[str]:
    """Which totals are not the EHR's own."""
    for series in record.series:
        count = sum(entry.summed for entry in series.entries)
        if count:
            were = "entry was" if count == 1 else "entries were"
            yield (
                f"{series.scale.title}: {count} {were} added up here from the items; "
                "the EHR states no total."
            )


def _unread(record: PatientRecord) -> tuple[str, ...]:
    """What could not be read and yet may be urgent."""
    unread = sum(refusal.safety for refusal in record.refused)
    if not unread:
        return ()
    answers, them = ("answer", "it") if unread == 1 else ("answers", "them")
    return (
        f"{unread} {answers} to a self-harm item could not be read; "
        f"look at {them} in the EHR.",
    )
