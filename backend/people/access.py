"""THE gate: every way to a patient's data asks here, and every answer is recorded.

Permission, then who the patient is, then the minimum of data, then the audit row, and
only then does anything leave. Of a patient who opted out, or whose record is restricted
or merged away, nothing is pulled at all. When the row cannot be written
(AuditUnavailable) nothing leaves. Call these functions outside of transactions: a row
written inside one disappears with it when it rolls back, and an EHR is asked here.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import NoReturn
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from backend.audit.ledger import Action, Outcome, record
from backend.people import crypto
from backend.people.ehr_ids import ehr_id_of, find_patient, seal_ehr_id
from backend.people.eligibility import Closing, keep, objection
from backend.people.identity import identify
from backend.people.models import Patient, PatientQuerySet, Site, User
from backend.people.reads import Reads
from backend.twin.errors import (
    NotVisible,
    PatientDeceased,
    PatientMerged,
    RecordClosed,
    TwinError,
)
from backend.twin.person import Person
from backend.twin.ports import Ehr
from backend.twin.record import PatientRecord

__all__ = [
    "Actor",
    "Reads",
    "ehr_id_of",
    "enrol",
    "list_patients",
    "open_patient",
    "open_record",
]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user, or a command run by whoever operates this machine.

    A command may open any patient; so an actor without a user must be one.
    """

    name: str
    user: User | None

    def __post_init__(self) -> None:
        if self.user is None and not self.name.startswith("command:"):
            raise ValueError("an actor without a user must be a command")

    @classmethod
    def of_user(cls, user: User) -> Actor:
        """A signed-in user, named by our id. Raises ValueError for anyone else."""
        if user.pk is None:
            raise ValueError("an actor must be a stored user")
        return cls(f"user:{user.pk}", user)

    @classmethod
    def of_command(cls, command: str) -> Actor:
        """A management command or worker, with the login it runs under."""
        login = re.sub(r"[^A-Za-z0-9_.-]", "_", _login())
        return cls(f"command:{command}@{login}"[:128], None)


def open_patient(
    actor: Actor,
    patient_id: UUID,
    *,
    action: Action,
    purpose: str = "TREAT",
    unless: Iterable[Closing] = (),
    detail: Mapping[str, str | int] | None = None,
) -> Patient:
    """The patient, if the actor may see them; one audit row either way.

    `unless` are reasons that close what is asked for: such an error is raised. Raises
    NotVisible for unknown and forbidden alike, AuditUnavailable when the row could not
    be written.
    """
    patient = _permitted(actor, patient_id, action=action, purpose=purpose)
    with _recorded(actor, patient, action=action, purpose=purpose) as row:
        row.detail |= detail or {}
        closed = objection(patient, unless) if unless else None
        if closed:
            raise closed
    return patient


def open_record(  # noqa: PLR0913 - keywords: whom, which days, what of them
    actor: Actor,
    patient_id: UUID,
    *,
    purpose: str,
    ehr: Callable[[Site], Ehr],
    days: tuple[date, date],
    today: date,
    reads: Reads = Reads.SYMPTOMS,
) -> tuple[Patient, PatientRecord]:
    """The patient and what `reads` says of `days`, first and last, from their EHR.

    Where the EHR merged the record into another one, that patient and their entries:
    the actor must be allowed to see them too. A consent counts if in force `today`.
    One audit row, PULL, whether it succeeded, was denied or failed; a patient enrolled
    on the way has one of their own. Raises NotVisible, RecordClosed (before anything
    was pulled), EhrError, SealBroken (the stored EHR id was tampered with),
    AuditUnavailable.
    """
    since, until = days
    asked = _permitted(actor, patient_id, action=Action.PULL, purpose=purpose)
    with _recorded(actor, asked, action=Action.PULL, purpose=purpose) as row:
        source = ehr(asked.site)
        who = identify(asked, ehr=source, on=today, follow=partial(_follow, actor))
        patient = who.patient
        row.name(patient, *who.merged)
        if _is_dead(who.person, until):
            raise PatientDeceased
        pulled = reads.pull(source, ehr_id_of(patient), days=days, also=who.also)
        row.detail |= {"since": since.isoformat(), "until": until.isoformat()}
        row.detail |= {"merged": len(who.also), **reads.counts(pulled)}
    return patient, replace(pulled, person=who.person)


def list_patients(actor: Actor) -> list[Patient]:
    """All patients the actor may see; one audit row that names each of them."""
    patients = list(_visible(actor).select_related("site").order_by("created", "pk"))
    record(
        action=Action.LIST,
        actor=actor.name,
        patients=[patient.pk for patient in patients],
        detail={"patients": len(patients)},
    )
    return patients


def enrol(*, actor: Actor, site: Site, ehr_id: str) -> Patient:
    """The patient with this EHR id at this site, made on first sight; audited.

    Open to commands and to machine clients of the site. Raises NotVisible for others.
    """
    if not _may_enrol(actor, site):
        _denied(actor, action=Action.REGISTER, purpose="TREAT", patients=[])
    with transaction.atomic():
        patient, created = Patient.objects.get_or_create(
            site=site, ehr_id_index=crypto.blind_index(site.slug, ehr_id)
        )
        if created:
            crypto.make_key(patient)
            patient.ehr_id_sealed = seal_ehr_id(patient, ehr_id)
            patient.save(update_fields=["ehr_id_sealed"])
        record(
            action=Action.REGISTER,
            actor=actor.name,
            patients=[patient.pk],
            detail={"site": str(site.pk), "created": int(created)},
        )
    return patient


def _visible(actor: Actor) -> PatientQuerySet:
    if actor.user is None:
        return Patient.objects.all()
    return Patient.objects.visible_to(actor.user)


def _permitted(
    actor: Actor, patient_id: UUID, *, action: Action, purpose: str
) -> Patient:
    """One query for unknown and forbidden, so that not even time tells them apart.

    The row of a denial names a patient of ours who was asked for, and nobody else: an
    id that is none of ours may be somebody's id elsewhere.
    """
    mine = Exists(_visible(actor).filter(pk=OuterRef("pk")))
    asked = Patient.objects.select_related("site").annotate(mine=mine)
    patient = asked.filter(pk=patient_id).first()
    if patient is None or not patient.mine:
        named = [patient.pk] if patient else []
        _denied(actor, action=action, purpose=purpose, patients=named)
    return patient


def _denied(
    actor: Actor, *, action: Action, purpose: str, patients: list[UUID]
) -> NoReturn:
    record(
        action=action,
        actor=actor.name,
        outcome=Outcome.DENIED,
        purpose=purpose,
        patients=patients,
    )
    raise NotVisible


def _follow(actor: Actor, patient: Patient, ehr_id: str) -> Patient:
    """Our patient for the record that took this one's place; enrolled if need be.

    Who may see the one need not be allowed to see the other: no care team is widened.
    """
    survivor = find_patient(patient.site, ehr_id)
    if survivor is None and _may_enrol(actor, patient.site):
        survivor = enrol(actor=actor, site=patient.site, ehr_id=ehr_id)
    into = None if survivor == patient else survivor
    keep(patient, closed=PatientMerged.reason, merged_into=into)
    if survivor is None or not _visible(actor).filter(pk=survivor.pk).exists():
        raise PatientMerged
    return survivor


def _is_dead(person: Person, until: date) -> bool:
    """A forecast for the time before a death looks back; after it there is none."""
    return person.deceased and (person.died is None or person.died <= until)


@dataclass(slots=True)
class _Row:
    """An audit row in the making."""

    patients: list[UUID]
    detail: dict[str, str | int] = field(default_factory=dict)

    def name(self, *patients: Patient) -> None:
        """These patients' data are touched as well."""
        self.patients = list(dict.fromkeys([*self.patients, *(p.pk for p in patients)]))


@contextmanager
def _recorded(
    actor: Actor, patient: Patient, *, action: Action, purpose: str
) -> Iterator[_Row]:
    """Record what happens inside: SUCCESS with its details, DENIED and the reason of a
    closed record, or FAILED and the error's class.
    """
    row = _Row([patient.pk])
    outcome, why = Outcome.FAILED, {"error": "unexpected"}  # a fault of ours
    try:
        yield row
        outcome, why = Outcome.SUCCESS, {}
    except RecordClosed as closed:
        outcome, why = Outcome.DENIED, {"reason": closed.reason}
        raise
    except TwinError as error:
        why = {"error": type(error).__name__}
        raise
    finally:
        record(
            action=action,
            actor=actor.name,
            outcome=outcome,
            purpose=purpose,
            patients=row.patients,
            detail={**row.detail, **why},
        )


def _may_enrol(actor: Actor, site: Site) -> bool:
    user = actor.user
    if user is None:
        return True
    return user.is_active and user.is_service and user.sites.filter(site=site).exists()


def _login() -> str:
    """The operating system's word for who runs this; the environment may lie."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # containers run under ids without a name
        return f"uid-{os.getuid()}"
