"""Consent: does a directive of the patient's, in force, deny the use for their care?

The reading leans to one side: a denial counts unless it is known to concern something
else (research, marketing, one document, one person). Exceptions to a denial are not
weighed. R4 leaves the root provision without a type and lets `policyRule` say what it
is; where a type is sent there nevertheless, it is heard. An untyped provision denies
nothing. A rejected consent is a refusal of what it would have permitted. Of a shape
that R4 does not know only a denial is heard. Source: hl7.org/fhir/R4/consent.html, HL7
v3-ActCode and v3-ActReason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from backend.twin.record import Reason
from fhir_integration.codes import FHIR_ID
from fhir_integration.instruments import dicts
from fhir_integration.kinds.day_span import day_span
from fhir_integration.kinds.modified import is_modified
from fhir_integration.kinds.refused import Refused
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject
from fhir_integration.versions import is_other_version

# Opt-out, opt-out with exceptions, emergencies only, no consent. No other code system
# of policies uses these words, so they count in whichever they come.
_DENYING_POLICIES = frozenset({"OPTOUT", "OPTOUTE", "EMRGONLY", "NOCONSENT"})
_OTHER_SCOPES = frozenset({"research", "adr"})  # studies, advance care directives
# Research and its kinds, marketing, payment, public health, donation.
_OTHER_PURPOSES = frozenset(
    {"HRESCH", "BIORCH", "CLINTRCH", "HMARKT", "HPAYMT", "PUBHLTH", "DONAT"}
)
_OTHER_ACTIONS = frozenset({"correct"})
_PEOPLE = frozenset(
    {"Practitioner", "PractitionerRole", "RelatedPerson", "Patient", "CareTeam"}
)
_OBJECTIONS = {
    "draft": Reason.NOT_FINAL,
    "proposed": Reason.NOT_FINAL,
    "entered-in-error": Reason.ENTERED_IN_ERROR,
}
_HEARD = frozenset({"active", "rejected", "inactive"})
_MAX_DEPTH = 8  # of provisions within provisions; deeper ones are taken as denials


@dataclass(frozen=True, slots=True)
class Consented:
    """What a readable consent says on the day asked for; `source` is its reference."""

    denies: bool
    source: str


def read_consent(
    resource: Json, *, subject: Subject, on: date, searched: bool = False
) -> Consented | Refused:
    """Whether this consent denies, on that day, to use the record for the care.

    Refused where it is no consent of this patient's, not in force yet, or taken back;
    an inactive one is over and denies nothing, a rejected one denies what it asked for.
    One that is not understood in full denies where it says so, else it is MALFORMED.
    With `searched`, the EHR gave it when asked for this patient's: it is theirs unless
    it plainly names another, though not fully read unless it names them. Never raises.
    """
    status = resource.get("status")
    if resource.get("resourceType") != "Consent":
        return Refused(Reason.WRONG_TYPE)
    if not isinstance(status, str) or status not in _HEARD | _OBJECTIONS.keys():
        return Refused(Reason.MALFORMED)
    if status in _OBJECTIONS:
        return Refused(_OBJECTIONS[status])
    whose = {"subject": resource.get("patient", resource.get("subject"))}
    is_theirs = subject.owns(whose)
    if not is_theirs and (not searched or subject.is_another(whose)):
        return Refused(Reason.WRONG_PATIENT)
    ask = {"active": _denies, "rejected": _refuses}.get(status)
    denies = ask is not None and _is_about_care(resource) and ask(resource, on)
    if denies or (is_theirs and _is_understood(resource)):
        return Consented(denies, _source(resource))
    return Refused(Reason.MALFORMED)


def _is_understood(resource: Json) -> bool:
    """True if it is R4 throughout, as far as its meaning goes."""
    root = resource.get("provision", {})
    return (
        not is_other_version(resource)
        and not is_modified(resource)
        and isinstance(resource.get("policyRule", {}), dict)
        and isinstance(root, dict)
        and all(map(_is_plain, _rules(root, depth=0)))
    )


def _is_plain(rule: Json) -> bool:
    within = rule.get("provision", [])
    return (
        rule.get("type", "permit") in ("permit", "deny")
        and isinstance(within, list)
        and len(dicts(within)) == len(within)
        and not is_modified(rule)
    )


def _source(resource: Json) -> str:
    own_id = resource.get("id")
    known = isinstance(own_id, str) and FHIR_ID.fullmatch(own_id)
    return f"Consent/{own_id}" if known else "Consent"


def _is_about_care(resource: Json) -> bool:
    scopes = _codes(resource.get("scope"))
    return not scopes or not scopes <= _OTHER_SCOPES


def _denies(resource: Json, on: date) -> bool:
    policies = _policies(resource.get("policyRule"))
    for root in _roots(resource):
        if not _covers(root.get("period"), on):
            continue
        if policies & _DENYING_POLICIES and _is_our_purpose(root):
            return True
        if any(_is_denial(rule, on) for rule in _rules(root, depth=0)):
            return True
    return False


def _refuses(resource: Json, on: date) -> bool:
    """True if what was rejected would have permitted the use on that day."""
    roots = _roots(resource)
    would_deny = _policies(resource.get("policyRule")) & _DENYING_POLICIES
    if would_deny or any(_says_deny(root.get("type")) for root in roots):
        return False
    return any(_reaches_us(root, on) for root in roots)


def _roots(resource: Json) -> list[Json]:
    """The provision; in other versions several, `except` (STU3) or `decision` (R5)."""
    roots = [*_objects(resource.get("provision")), *_objects(resource.get("except"))]
    if "decision" in resource:
        roots.append({"type": resource["decision"]})
    return roots or [{}]


def _objects(value: object) -> list[Json]:
    return [value] if isinstance(value, dict) else dicts(value)


def _rules(provision: Json, *, depth: int) -> Iterator[Json]:
    """The provision and those within it."""
    yield provision
    within = _objects(provision.get("provision"))
    if depth < _MAX_DEPTH:
        for inner in within:
            yield from _rules(inner, depth=depth + 1)
    elif within:
        yield {"type": "deny"}


def _is_denial(rule: Json, on: date) -> bool:
    return _says_deny(rule.get("type")) and _reaches_us(rule, on)


def _says_deny(stated: object) -> bool:
    """True for the word in any case, alone or somewhere in a list or a concept."""
    if isinstance(stated, str):
        return stated.strip().casefold() == "deny"
    return any(map(_says_deny, _inner(stated)))


def _reaches_us(rule: Json, on: date) -> bool:
    """True unless the rule is known to concern another day, purpose or matter."""
    return (
        _covers(rule.get("period"), on)
        and _is_our_purpose(rule)
        and not _is_for_people_only(rule)
        and not dicts(rule.get("data"))  # of named resources only
        and not _all_in(_each_code(rule.get("action")), _OTHER_ACTIONS)
    )


def _covers(period: object, on: date) -> bool:
    """True unless the period is known to be over, or not to have begun."""
    if not isinstance(period, dict):
        return True
    start, end = day_span(period.get("start")), day_span(period.get("end"))
    return not (start is not None and on < start[0]) and not (
        end is not None and on > end[1]
    )


def _is_our_purpose(rule: Json) -> bool:
    purposes = {str(coding.get("code")) for coding in dicts(rule.get("purpose"))}
    return not _all_in(purposes, _OTHER_PURPOSES)


def _is_for_people_only(rule: Json) -> bool:
    """True if each actor is a person by name: who may log in is the EHR's own affair.

    An organisation may be the site itself, so it counts.
    """
    return _all_in({_kind(actor) for actor in dicts(rule.get("actor"))}, _PEOPLE)


def _kind(actor: Json) -> str:
    reference = actor.get("reference")
    stated = reference.get("reference") if isinstance(reference, dict) else None
    path = stated.split("/_history/", maxsplit=1)[0] if isinstance(stated, str) else ""
    return path.rpartition("/")[0].rpartition("/")[2]


def _all_in(found: set[str], known: frozenset[str]) -> bool:
    return bool(found) and found <= known


def _each_code(concepts: object) -> set[str]:
    return {code for concept in dicts(concepts) for code in _codes(concept)}


def _codes(concept: object) -> set[str]:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    return {str(coding.get("code")) for coding in dicts(codings)}


def _policies(stated: object) -> set[str]:
    """The words of a policy, in whatever shape: OPTOUT also as `.../opt-out` (STU3)."""
    if isinstance(stated, str):
        return {re.sub(r"^.*/|[-_\s]", "", stated).upper()}
    return {word for one in _inner(stated) for word in _policies(one)}


def _inner(stated: object) -> list[object]:
    if isinstance(stated, dict):
        return list(stated.values())
    return stated if isinstance(stated, list) else []
