"""Everything that a reader can say of a resource, whatever its kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from backend.twin.genes import GeneCall
from backend.twin.history import Diagnosis, MedicationEvent
from backend.twin.lab_facts import LabFact
from backend.twin.person import Person
from backend.twin.record import Reason
from fhir_integration.kinds.consent import Consented
from fhir_integration.kinds.refused import Refused
from fhir_integration.kinds.wearable import Sample
from fhir_integration.observation import Answer, Reading
from fhir_integration.times import Moment

History = MedicationEvent | Diagnosis | GeneCall | LabFact
Fact = Reading | Answer | Sample | History | Person | Consented
Result = Fact | Refused


def concept_of(fact: Fact) -> str:
    """The word under which a fact is counted, such as phq9 or medication:sertraline."""
    match fact:
        case Reading() | Answer():
            return fact.scale.key
        case Sample():
            return fact.measure.key
        case MedicationEvent() | Diagnosis() | GeneCall() | LabFact():
            return _of_history(fact)
    return "person" if isinstance(fact, Person) else "consent"


def _of_history(fact: History) -> str:
    match fact:
        case MedicationEvent():
            return f"medication:{'+'.join(fact.ingredients)}"
        case Diagnosis():
            return f"condition:{fact.concept}"
        case GeneCall():
            return f"gene:{fact.gene}"
    return f"lab:{fact.kind}"


def content_of(found: Result) -> tuple[str, ...]:
    """What the fact says, without where it was found: equal for two that say one.

    A consent is a legal document: another one is never a copy, whatever it says.
    """
    match found:
        case Refused():
            return "", found.reason, str(found.safety)
        case Sample():
            window = f"{found.start} {found.fraction} {found.seconds!r}"
            return found.measure.key, window, repr(found.value)
        case Reading() | Answer():
            scale, at = found.scale, found.moment
            name = (
                scale.system,
                scale.code,
                f"{scale.low!r} {scale.high!r}",
                _part(found),
            )
            return (*name, str(at.day), at.at, repr(found.value))
        case Person():
            return ("person", repr(found))
        case Consented():
            return ("consent", repr(found))
    return type(found).__name__, repr(replace(found, source=""))


def _part(found: Reading | Answer) -> str:
    """Which part of the instrument it is, and whether it was added up."""
    if isinstance(found, Answer):
        return found.item
    return "safety" * found.safety + "summed" * found.summed


def within(found: Result, *, since: date, until: date) -> Result | None:
    """The same if its day is asked for; None before `since`, refused after `until`.

    A medicine, a condition or a gene holds from its day on, so `since` asks nothing of
    them. Scores are bounded where they are read.
    """
    if isinstance(found, Sample):
        if found.day < Moment(since).number:
            return None
        is_later = found.day > Moment(until).number
        return Refused(Reason.IN_FUTURE) if is_later else found
    day = day_of(found)
    return found if day is None or day <= until else Refused(Reason.IN_FUTURE)


def day_of(found: Result) -> date | None:
    """The day from which on a fact of the history holds; None if there is none."""
    match found:
        case MedicationEvent() | GeneCall() | LabFact():
            return found.day
        case Diagnosis():
            return found.onset
    return None
