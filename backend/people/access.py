"""THE gate: every way to a patient's data asks here, and every answer is recorded.

Permission, then the minimum of data, then the audit row, and only then does anything
leave. When the row cannot be written (AuditUnavailable) nothing leaves. Call these
functions outside of transactions: a row written inside one disappears with it when it
rolls back, and an EHR is asked here.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import NoReturn
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from backend.audit.ledger import Action, Outcome, record
from backend.people import crypto
from backend.people.models import Patient, PatientQuerySet, Site, User
from backend.twin.errors import NotVisible, TwinError
from backend.twin.ports import Ehr
from backend.twin.record import PatientRecord

_TABLE, _COLUMN = "people_patient", "ehr_id"  # where the EHR's id is sealed for


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
    actor: Actor, patient_id: UUID, *, action: Action, purpose: str = "TREAT"
) -> Patient:
    """The patient, if the actor may see them; one audit row either way.

    Raises NotVisible for unknown and forbidden alike, AuditUnavailable when the row
    could not be written.
    """
    patient = _permitted(actor, patient_id, action=action, purpose=purpose)
    record(action=action, actor=actor.name, purpose=purpose, patients=[patient.pk])
    return patient


def open_record(
    actor: Actor,
    patient_id: UUID,
    *,
    purpose: str,
    ehr: Callable[[Site], Ehr],
    since: date,
    until: date,
) -> tuple[Patient, PatientRecord]:
    """The patient and the symptom entries with since <= day <= until, from their EHR.

    One audit row, PULL, whether it succeeded, was denied or failed. Raises NotVisible,
    EhrError, SealBroken (the stored EHR id was tampered with), AuditUnavailable.
    """
    patient = _permitted(actor, patient_id, action=Action.PULL, purpose=purpose)
    with _recorded(actor, patient, action=Action.PULL, purpose=purpose) as detail:
        pulled = ehr(patient.site).read_symptoms(
            ehr_id_of(patient), since=since, until=until
        )
        detail |= {
            "since": since.isoformat(),
            "until": until.isoformat(),
            "entries": sum(len(series.entries) for series in pulled.series),
            "refused": len(pulled.refused),
        }
    return patient, pulled


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


def ehr_id_of(patient: Patient) -> str:
    """The patient's id in their EHR. Raises SealBroken."""
    return crypto.unseal(
        patient,
        table=_TABLE,
        column=_COLUMN,
        row=patient.pk,
        blob=patient.ehr_id_sealed,
    ).decode()


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
            patient.ehr_id_sealed = crypto.seal(
                patient,
                table=_TABLE,
                column=_COLUMN,
                row=patient.pk,
                plain=ehr_id.encode(),
            )
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


@contextmanager
def _recorded(
    actor: Actor, patient: Patient, *, action: Action, purpose: str
) -> Iterator[dict[str, str | int]]:
    """Record what happens inside: SUCCESS with its details, or FAILED and the class."""
    detail: dict[str, str | int] = {"error": "unexpected"}  # a fault of ours
    try:
        yield detail
        del detail["error"]
    except TwinError as error:
        detail["error"] = type(error).__name__
        raise
    finally:
        record(
            action=action,
            actor=actor.name,
            outcome=Outcome.FAILED if "error" in detail else Outcome.SUCCESS,
            purpose=purpose,
            patients=[patient.pk],
            detail=detail,
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
