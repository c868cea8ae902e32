"""What happened to a medicine: ordered, taken, given, handed out, stopped.

A date that names no day leaves the event without one: the medicine counts, the date is
refused. Nobody is said to take a medicine because it was ordered or handed out, and
nobody to have stopped because an order was carried out. What is on hold has a HOLD
beside its START: it was begun and is not being taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from backend.twin.history import (
    CourseState,
    Dose,
    MedicationChange,
    MedicationEvent,
)
from backend.twin.ingredients import by_rxnorm
from backend.twin.record import Reason
from fhir_integration.kinds.dosage import planned_end, stated_doses
from fhir_integration.kinds.medicine import rxnorm_code
from fhir_integration.kinds.refused import Refused
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject
from fhir_integration.times import Moment, moment

_ORDERS = frozenset(
    {"order", "original-order", "reflex-order", "filler-order", "instance-order"}
)
_NO_ORDERS = frozenset({"proposal", "plan", "option"})
_REFUSED = {
    "entered-in-error": Reason.ENTERED_IN_ERROR,
    "cancelled": Reason.CANCELLED,
    "declined": Reason.CANCELLED,
    "not-done": Reason.CANCELLED,
    "draft": Reason.NOT_FINAL,
    "intended": Reason.NOT_FINAL,
    "preparation": Reason.NOT_FINAL,
    "in-progress": Reason.NOT_FINAL,
    "on-hold": Reason.NOT_FINAL,
    "stopped": Reason.NOT_FINAL,
    "unknown": Reason.NOT_FINAL,
}
_STATES = {state.value: state for state in CourseState}
_NOT_TAKEN = "not-taken"
_ORDERED = frozenset(_STATES)
_STATED = _ORDERED | {_NOT_TAKEN}
_DONE = frozenset({"completed"})

Results = tuple[MedicationEvent | Refused, ...]


class _Stated(NamedTuple):
    """What a resource says: a change, the date's own text, and a dose if it has one."""

    change: MedicationChange
    date: object
    dose: Dose | None = None
    state: CourseState | None = None


Doses = tuple[Dose, ...]


def read_medication(
    resource: Json, *, subject: Subject, source: str, lookup: Mapping[str, Json]
) -> Results:
    """The events of one MedicationRequest, -Statement, -Administration or -Dispense.

    `lookup` holds the Medications that came with it, by reference. Each event comes
    once; a date or dose that is stated and cannot be read is refused beside them.
    Never raises, whatever the object holds.
    """
    kind = resource.get("resourceType")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        return (Refused(Reason.WRONG_TYPE),)
    objection = _objection(resource, used=read.used)
    if objection is None and not subject.owns(resource):
        objection = Reason.WRONG_PATIENT
    if objection is not None:
        return (Refused(objection),)
    code = rxnorm_code(resource, lookup=lookup)
    if isinstance(code, Reason):
        return (Refused(code),)
    stated = stated_doses(resource.get(read.dosage))
    doses = tuple(dose for dose in stated if isinstance(dose, Dose))
    events = [_event(one, code, source) for one in read.events(resource, doses)]
    unread = [reason for _, reason in events if reason is not None]
    unread += [reason for reason in stated if isinstance(reason, Reason)]
    refused = [Refused(reason) for reason in dict.fromkeys(unread)]
    return (*(event for event, _ in events), *refused)


def _objection(resource: Json, *, used: frozenset[str]) -> Reason | None:
    status = resource.get("status")
    if not isinstance(status, str):
        return Reason.MALFORMED
    if status not in used:
        return _REFUSED.get(status, Reason.MALFORMED)
    is_order = resource.get("resourceType") == "MedicationRequest"
    return _order_objection(resource) if is_order else None


def _order_objection(resource: Json) -> Reason | None:
    """A proposal or plan is no order yet, and an order may forbid a medicine."""
    intent, forbids = resource.get("intent"), resource.get("doNotPerform", False)
    if not isinstance(forbids, bool) or not isinstance(intent, str):
        return Reason.MALFORMED
    if forbids:
        return Reason.CANCELLED
    if intent in _ORDERS:
        return None
    return Reason.NOT_FINAL if intent in _NO_ORDERS else Reason.MALFORMED


def _event(
    stated: _Stated, code: str, source: str
) -> tuple[MedicationEvent, Reason | None]:
    """The event, and why its date, if it states one, is not read."""
    at = None if stated.date is None else moment(stated.date)
    known = at if isinstance(at, Moment) else None
    event = MedicationEvent(
        ingredients=by_rxnorm(code),
        code=code,
        change=stated.change,
        day=known.day if known else None,
        at=known.at if known else "",
        dose=stated.dose,
        source=source,
        state=stated.state,
    )
    return event, at if isinstance(at, Reason) else None


def _ordered(request: Json, doses: Doses) -> list[_Stated]:
    """R4 has no date for "stopped": the planned end would be a wrong one."""
    state, end = _STATES[request["status"]], None
    is_over = state is CourseState.STOPPED
    if not is_over:
        end = planned_end(request.get("dosageInstruction"))
    return _course(request.get("authoredOn"), end, doses, state=state, is_over=is_over)


def _taken(statement: Json, doses: Doses) -> list[_Stated]:
    """Of a statement "completed" says, in R4, that it is no longer taken."""
    began, end = _when(statement)
    if statement["status"] == _NOT_TAKEN:
        date = statement.get("dateAsserted") if began is None else began
        return [_Stated(MedicationChange.NOT_TAKEN, date)]
    state = _STATES[statement["status"]]
    is_over = state in (CourseState.STOPPED, CourseState.COMPLETED)
    return _course(began, end, doses, state=state, is_over=is_over)


def _course(
    began: object, end: object, doses: Doses, *, state: CourseState, is_over: bool
) -> list[_Stated]:
    events = [_Stated(MedicationChange.START, began, None, state)]
    events += [_Stated(MedicationChange.DOSE, began, dose, state) for dose in doses]
    if state is CourseState.ON_HOLD:  # since when, R4 has no element for
        events.append(_Stated(MedicationChange.HOLD, None, None, state))
    if is_over or end is not None:
        events.append(_Stated(MedicationChange.STOP, end, None, state))
    return events


def _given(administration: Json, doses: Doses) -> list[_Stated]:
    began, _ = _when(administration)
    return [_Stated(MedicationChange.GIVEN, began, _only(doses))]


def _dispensed(dispense: Json, doses: Doses) -> list[_Stated]:
    date = dispense.get("whenHandedOver", dispense.get("whenPrepared"))
    return [_Stated(MedicationChange.DISPENSED, date, _only(doses))]


def _only(doses: Doses) -> Dose | None:
    """One event has one dose: of a daily one and one as needed it has neither."""
    return doses[0] if len(doses) == 1 else None


def _when(resource: Json) -> tuple[object, object]:
    """Begin and end as written: effectiveDateTime, or effectivePeriod's two."""
    period = resource.get("effectivePeriod")
    if not isinstance(period, dict):
        return resource.get("effectiveDateTime", period), None
    return period.get("start"), period.get("end")


class _Reader(NamedTuple):
    """Which statuses of a type count, where its dose stands, and what it says."""

    used: frozenset[str]
    dosage: str
    events: Callable[[Json, Doses], list[_Stated]]


_READERS = {
    "MedicationRequest": _Reader(_ORDERED, "dosageInstruction", _ordered),
    "MedicationStatement": _Reader(_STATED, "dosage", _taken),
    "MedicationAdministration": _Reader(_DONE, "dosage", _given),
    "MedicationDispense": _Reader(_DONE, "dosageInstruction", _dispensed),
}
