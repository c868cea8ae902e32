"""From a patient's record to what advice on medicines is asked with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from backend.twin.current_medication import Taken, current_medicines
from backend.twin.person import Person
from backend.twin.pharmacogenomics.advice_table import tables
from backend.twin.pharmacogenomics.calls import from_record
from backend.twin.pharmacogenomics.drugs import drugs
from backend.twin.pharmacogenomics.population import ADULT, Population
from backend.twin.pharmacogenomics.record_conditions import conditions_of
from backend.twin.pharmacogenomics.record_labs import conditions_of_labs
from backend.twin.pharmacogenomics.report import Case, default_options
from backend.twin.pharmacogenomics.safety_facts import AgeIs
from backend.twin.pharmacogenomics.safety_table import rules_about, safety_rules
from backend.twin.record import PatientRecord


@dataclass(frozen=True, slots=True)
class FromRecord:
    """What is asked, and what of it nobody could count.

    `orders`: the EHR's reference of the newest order or statement of each medicine that
    is taken. `unsure`: those that may be taken, and why that is not sure: they are not
    counted, and have to be named.
    """

    case: Case
    orders: Mapping[str, str]
    unsure: Mapping[str, str]


def case_of(
    record: PatientRecord,
    day: date,
    *,
    medications: Sequence[str] = (),
    given: Population | None = None,
) -> FromRecord:
    """The record as of `day`; without `medications`, the usual options and, of what is
    taken, all that a source or a safety rule speaks of.

    `given`: what somebody who knows the patient says; it goes before the record. A
    diagnosis goes before a laboratory value that speaks against it.
    """
    found = current_medicines(record.medications, day)
    orders = _orders([one for one in found if one.standing == "current"])
    case = Case(
        calls=tuple(map(from_record, record.genotypes)),
        medications=tuple(medications) or _options(orders),
        current=tuple(orders) if record.treatment_known else None,
        population=_population(record.person, day, given or Population()),
        conditions=_conditions(record, day),
    )
    unsure = {
        name: one.because for one in found for name in _names(one) if name not in orders
    }
    return FromRecord(case, orders, unsure)


def _orders(current: Sequence[Taken]) -> dict[str, str]:
    """By ingredient, in their order; by RxNorm code where that is not known."""
    last = sorted(current, key=_changeable)
    found = {name: one.source for one in last for name in _names(one)}
    return dict(sorted(found.items()))


def _names(one: Taken) -> tuple[str, ...]:
    return one.ingredients or ((one.code,) if one.code else ())


def _changeable(one: Taken) -> tuple[bool, date, str]:
    """An order after a statement, the newest last: it is what somebody can change."""
    is_order = one.source.startswith("MedicationRequest/")
    return is_order, one.since or date.min, one.source


def _options(taken: Iterable[str]) -> tuple[str, ...]:
    usual = default_options()
    own = [one for one in taken if one not in usual and _is_spoken_of(one)]
    return (*usual, *own)


def _is_spoken_of(name: str) -> bool:
    drug = drugs().get(name)
    if drug is None:
        return False
    return bool(rules_about(drug)) or any(one.of(name) for one in tables().values())


def _conditions(record: PatientRecord, day: date) -> dict[str, bool]:
    by_values = conditions_of_labs(record.lab_facts, day)
    found = conditions_of(record.diagnoses, day)
    both = by_values.keys() & found.keys()
    return {**by_values, **found, **{one: by_values[one] or found[one] for one in both}}


def _population(person: Person | None, day: date, given: Population) -> Population:
    if given.age_years is not None or person is None:
        return given
    return replace(given, age_years=_age(person, day))


def _age(person: Person, day: date) -> int | None:
    """Whole years; None where the possible ages lie on both sides of a rule's limit."""
    ages = person.ages(day)
    if ages is None or any(ages[0] < limit <= ages[1] for limit in _limits()):
        return None
    return ages[0]


@cache
def _limits() -> frozenset[int]:
    asked = [one for rule in safety_rules() for one in rule.when]
    said = {
        limit
        for one in asked
        if isinstance(one, AgeIs)
        for limit in (one.least, one.below)
    }
    return frozenset({ADULT, *said})
