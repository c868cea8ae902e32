"""Patient: what a model or the gate must know. Names and addresses are never kept."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

from backend.twin.person import Person, Sex
from backend.twin.record import Reason
from fhir_integration.codes import FHIR_ID
from fhir_integration.instruments import dicts
from fhir_integration.kinds.day_span import day_span
from fhir_integration.kinds.refused import Refused
from fhir_integration.labels import is_restricted
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject

# Nobody is known to have lived longer than 122 years.
_LONGEST_LIFE = timedelta(days=130 * 365.25)
_NO_ID = ""
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


def read_person(
    resource: Json, *, source: str = "", base_url: str = "", on: date | None = None
) -> Person | Refused:
    """Who a Patient resource describes; nothing in it is guessed, and it never raises.

    A date of birth after `on`, or more than 130 years before, counts as unsaid (without
    `on` every date is believed). Links to other records count when they are relative or
    below `base_url`. A record that another one replaced without our learning which is
    not active. `active` or `deceased` in a shape that cannot be read refuses the whole:
    to go on could mean to compute for somebody who died.
    """
    del source  # a Person carries no reference: the digest must not follow versions
    if resource.get("resourceType") != "Patient":
        return Refused(Reason.WRONG_TYPE)
    active, deceased = _flag(resource, "active"), _flag(resource, "deceasedBoolean")
    if isinstance(active, Reason) or isinstance(deceased, Reason):
        return Refused(Reason.MALFORMED)
    born = _born(resource, on=on)
    replaced_by = _linked(resource, "replaced-by", base_url=base_url)
    replaces = _linked(resource, "replaces", base_url=base_url)
    return Person(
        born_first=born and born[0],
        born_last=born and born[1],
        sex=_sex(resource),
        deceased=deceased is True or _has_date_of_death(resource),
        died=_died(resource, on=on),
        active=active is not False and _NO_ID not in replaced_by,
        replaced_by=replaced_by[0] if replaced_by else "",
        replaces=tuple(name for name in replaces if name != _NO_ID),
        restricted=is_restricted(resource),
    )


def _flag(resource: Json, key: str) -> bool | Reason | None:
    stated = resource.get(key)
    return stated if stated is None or isinstance(stated, bool) else Reason.MALFORMED


def _has_date_of_death(resource: Json) -> bool:
    """True if there is one, even where only `_deceasedDateTime` says that it is unsaid.

    The choice of type, deceased[x], says that somebody died.
    """
    names = "deceasedDateTime", "_deceasedDateTime"
    return any(resource.get(name) is not None for name in names)


def _sex(resource: Json) -> Sex:
    stated: Sex
    for stated in get_args(Sex):
        if resource.get("gender") == stated:
            return stated
    return "unknown"


def _born(resource: Json, *, on: date | None) -> tuple[date, date] | None:
    is_absent = _is_said_absent(resource.get("_birthDate"))
    born = None if is_absent else day_span(resource.get("birthDate"))
    if born is None or on is None:
        return born
    first, last = born
    if first > on or on - last > _LONGEST_LIFE:
        return None
    return first, min(last, on)


def _is_said_absent(beside: object) -> bool:
    """True if an extension beside the value says that there is none."""
    extensions = beside.get("extension") if isinstance(beside, dict) else None
    return any(one.get("url") == _ABSENT for one in dicts(extensions))


def _died(resource: Json, *, on: date | None) -> date | None:
    """The day of death, where it is one day and not still to come."""
    died = day_span(resource.get("deceasedDateTime"))
    if died is None or died[0] != died[1] or (on is not None and died[0] > on):
        return None
    return died[0]


def _linked(resource: Json, kind: str, *, base_url: str) -> list[str]:
    """Ids of the linked records, sorted; `_NO_ID` for one that cannot be named here."""
    links = resource.get("link")
    stated = [
        link.get("other")
        for link in (links if isinstance(links, list) else [])
        if isinstance(link, dict) and link.get("type") == kind
    ]
    return sorted({_patient_id(other, base_url=base_url) for other in stated})


def _patient_id(other: object, *, base_url: str) -> str:
    reference = other.get("reference") if isinstance(other, dict) else None
    if not isinstance(reference, str):
        return _NO_ID
    own_id = reference.split("/_history/", maxsplit=1)[0].rpartition("/")[2]
    if not FHIR_ID.fullmatch(own_id):
        return _NO_ID
    named = Subject.at(base_url, own_id).owns({"subject": {"reference": reference}})
    return own_id if named else _NO_ID
