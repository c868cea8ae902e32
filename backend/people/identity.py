"""Who a patient is by the EHR's own word, asked before any of their data.

An EHR merges records by links: the old one is "replaced-by" the survivor, which
"replaces" the old one. Links are followed from both ends, and believed only as far as
they agree: an old record that says it was replaced by somebody else is not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from backend.people.ehr_ids import ehr_id_of, find_patient
from backend.people.eligibility import keep, objection_of_ehr, same_person
from backend.people.models import Patient, PatientKey
from backend.twin.errors import (
    EhrNotFound,
    PatientDeceased,
    PatientMerged,
    PatientOptedOut,
)
from backend.twin.person import Person
from backend.twin.ports import Ehr

MOST_RECORDS = 8  # of one person; more are no merges but a fault, or a loop

Follow = Callable[[Patient, str], Patient]


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose record to read: our patient, who they are, and what was merged into them.

    `also` are the EHR's ids of merged records, `merged` our patients for these.
    """

    patient: Patient
    person: Person
    also: tuple[str, ...]
    merged: tuple[Patient, ...]


def identify(patient: Patient, *, ehr: Ehr, on: date, follow: Follow) -> Identity:
    """Ask the EHR who the patient is, and go to the record that took theirs' place.

    `follow` gives our patient for the EHR's id of a survivor, or raises PatientMerged.
    What the EHR says is kept with our patients. Raises PatientOptedOut,
    PatientRestricted, PatientMerged (also for a loop), EhrError, SealBroken.
    """
    heed_own_flags(patient)
    asked = _Asked(ehr, on)
    survivor = _survivor(patient, asked, follow)
    own_id = ehr_id_of(survivor)
    former = [one for one in same_person(survivor) if one != survivor]
    heed_own_flags(survivor)
    asked.gather(former, own_id)
    accepted = accepted_ids(asked.persons, own_id)
    merged = [_mark(survivor, asked, one) for one in sorted(accepted - {own_id})]
    for one in former:
        if one not in merged and PatientKey.objects.filter(patient=one).exists():
            keep(one, closed="", merged_into=None)  # the EHR took the merge back
    persons = [asked.persons[one] for one in accepted]
    for person in persons:
        _heed(survivor, person)
    person = asked.persons[own_id]
    known = all(one.consent_known for one in persons)
    closed = PatientDeceased.reason if person.deceased else ""
    keep(survivor, closed=closed, merged_into=None)
    return Identity(
        patient=survivor,
        person=replace(person, consent_known=known),
        also=tuple(sorted(accepted - {own_id})),
        merged=tuple(one for one in merged if one),
    )


def heed_own_flags(patient: Patient) -> None:
    """Raise PatientOptedOut where our flag is set, on any record of the person."""
    if any(one.opted_out for one in same_person(patient)):
        raise PatientOptedOut


def accepted_ids(persons: dict[str, Person], own_id: str) -> set[str]:
    """The ids, of those asked about, that are the person's by links that agree.

    A record is theirs if it says so itself, or if it says nothing and theirs does.
    """
    ours: set[str] = set()
    more = {own_id}
    while more:
        ours |= more
        claimed = {old for one in ours for old in persons[one].replaces}
        more = {
            one
            for one, person in persons.items()
            if person.replaced_by in ours or (not person.replaced_by and one in claimed)
        } - ours
    return ours


@dataclass(slots=True)
class _Asked:
    """What the EHR said of each of its ids; every id is asked about once."""

    ehr: Ehr
    on: date
    persons: dict[str, Person] = field(default_factory=dict)

    def ask(self, ehr_id: str) -> Person:
        """Raises PatientMerged for one id too many, EhrError."""
        if len(self.persons) == MOST_RECORDS:
            raise PatientMerged
        self.persons[ehr_id] = self.ehr.read_person(ehr_id, on=self.on)
        return self.persons[ehr_id]

    def gather(self, former: list[Patient], own_id: str) -> None:
        """Ask about all that links lead to, and about records merged before."""
        known = PatientKey.objects.filter(patient__in=former).select_related("patient")
        before = {ehr_id_of(key.patient) for key in known}
        queue = [*before, *_links(self.persons.values())]
        while queue:
            one = queue.pop()
            if one in self.persons:
                continue
            try:
                queue += _links([self.ask(one)])
            except EhrNotFound:  # an EHR may delete what it merged
                into = own_id if one in before else ""
                self.persons[one] = Person(replaced_by=into)


def _links(persons: Iterable[Person]) -> list[str]:
    ids = [one for p in persons for one in (*p.replaces, p.replaced_by)]
    return [one for one in ids if one]


def _survivor(patient: Patient, asked: _Asked, follow: Follow) -> Patient:
    """The end of the chain of "replaced-by" that begins at the patient."""
    while True:
        ehr_id = ehr_id_of(patient)
        if ehr_id in asked.persons:
            raise PatientMerged
        try:
            person = asked.ask(ehr_id)
        except EhrNotFound:
            if asked.persons:
                raise PatientMerged from None
            raise
        _heed(patient, person)
        if not person.replaced_by:
            keep(patient, closed=patient.closed, merged_into=None)
            return patient
        patient = follow(patient, person.replaced_by)


def _heed(patient: Patient, person: Person) -> None:
    """Raise what the EHR says against any use, and keep the word with the patient."""
    found = objection_of_ehr(person, patient.site)
    if found:
        keep(patient, closed=found.reason, merged_into=patient.merged_into)
        raise found


def _mark(survivor: Patient, asked: _Asked, ehr_id: str) -> Patient | None:
    """Our patient for a merged record, if there is one, marked as merged."""
    ours = find_patient(survivor.site, ehr_id)
    if ours is None:
        return None
    if ours.opted_out:
        raise PatientOptedOut
    into = asked.persons[ehr_id].replaced_by
    if into:
        target = find_patient(survivor.site, into) or survivor
        keep(ours, closed=PatientMerged.reason, merged_into=target)
    return ours
