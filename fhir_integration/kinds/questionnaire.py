"""A QuestionnaireResponse: the scores and safety answers in a filled-in form.

An item is known by its code, never by its words or its place. R4 gives the items of a
response no code of their own, so the code is where forms put it: in the `linkId`
("/44250-9"), whose last part is a LOINC code, or in `definition`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from backend.twin.record import Reason
from backend.twin.scales import Scale, scale
from fhir_integration import codes
from fhir_integration.instruments import Instrument, Part, dicts, named
from fhir_integration.kinds.refused import Refused
from fhir_integration.observation import (
    Result,
    is_assertion_of_ai,
    read_part,
    totalled,
)
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject
from fhir_integration.times import Moment, moment

_USED = frozenset({"completed", "amended"})
_REFUSED = {
    "in-progress": Reason.NOT_FINAL,
    "stopped": Reason.NOT_FINAL,
    "entered-in-error": Reason.ENTERED_IN_ERROR,
}
_NOTHING_LOST = frozenset({Reason.ENTERED_IN_ERROR, Reason.WRONG_TYPE})
_MAX_DEPTH = 50  # nobody asks deeper; a response is data from outside
_OURS = (codes.INSTRUMENT, codes.RATING)

Known = tuple[Json, Instrument]  # an item and what it asks


def authored(resource: Json) -> Moment | Reason:
    """When the form was filled in."""
    if "authored" not in resource:
        return Reason.NO_DATE
    return moment(resource["authored"])


def read_response(
    resource: Json, *, subject: Subject, until: date
) -> tuple[Result, ...]:
    """The scores and safety answers of one response, and what was refused.

    A total that the form states is read; without one, a complete set of items is added
    up (`Reading.summed`). A form without a known item is refused as a whole. Never
    raises, whatever the object holds.
    """
    known = list(_known(resource.get("item"), _MAX_DEPTH))
    form = _form(resource)
    loses = _asks_safety(known, form)
    objection = _objection(resource, subject=subject)
    if objection is not None:
        lost = loses and objection not in _NOTHING_LOST
        return (Refused(objection, lost and not subject.is_another(resource)),)
    if not known:
        return (Refused(Reason.UNKNOWN_CODE, loses),)
    at = authored(resource)
    if isinstance(at, Reason) or at.day > until:
        reason = at if isinstance(at, Reason) else Reason.IN_FUTURE
        return (Refused(reason, loses),)
    read = [(inner, _read(item, inner, at=at)) for item, inner in known]
    return totalled(read, at=at, of=form)


def _objection(resource: Json, *, subject: Subject) -> Reason | None:
    kind = resource.get("resourceType")
    if kind != "QuestionnaireResponse" or is_assertion_of_ai(resource):
        return Reason.WRONG_TYPE
    status = resource.get("status")
    if not isinstance(status, str):
        return Reason.MALFORMED
    if status not in _USED:
        return _REFUSED.get(status, Reason.MALFORMED)
    return None if subject.owns(resource) else Reason.WRONG_PATIENT


def _known(items: object, depth: int) -> Iterator[Known]:
    """Every item that a table knows, groups and items below answers included."""
    if depth == 0:
        return
    for item in dicts(items):
        asked = _asked(item)
        if asked is not None and asked.part is not Part.PANEL:
            yield item, asked
        yield from _known(item.get("item"), depth - 1)
        for answer in dicts(item.get("answer")):
            yield from _known(answer.get("item"), depth - 1)


def _asked(item: Json) -> Instrument | None:
    definition, link = item.get("definition"), item.get("linkId")
    found = _defined(definition) if isinstance(definition, str) else None
    if found is None and isinstance(link, str):
        found = named(codes.LOINC, link.rsplit("/", maxsplit=1)[-1])
    return found


def _defined(definition: str) -> Instrument | None:
    """What a definition's address ends in: a code after the last # or /."""
    address, _, code = definition.replace("#", "/").rpartition("/")
    if address.startswith(codes.LOINC):
        return named(codes.LOINC, code)
    return named(address, code) if address in _OURS else None


def _form(resource: Json) -> Scale | None:
    """The questionnaire that the form's canonical address names by its panel."""
    address = resource.get("questionnaire")
    if not isinstance(address, str):
        return None
    host, _, code = address.split("|", maxsplit=1)[0].rpartition("/")
    is_loinc = host.removeprefix("https://").removeprefix("http://") == "loinc.org/q"
    key = codes.PANELS.get((codes.LOINC, code)) if is_loinc else None
    return None if key is None else scale(key)


def _asks_safety(known: list[Known], form: Scale | None) -> bool:
    """True if an answer to a safety item is in it, or may be: a form's unread part."""
    if any(inner.part is Part.SAFETY for _, inner in known):
        return True
    return not known and form is not None and form.safety_item is not None


def _read(item: Json, asked: Instrument, *, at: Moment) -> Result:
    answers = dicts(item.get("answer"))
    if len(answers) > 1:
        return Refused(Reason.MALFORMED, asked.part is Part.SAFETY)
    return read_part(_as_element(answers[0] if answers else {}), asked, at=at)


def _as_element(answer: Json) -> Json:
    """An answer's value[x] in the shapes of an Observation's."""
    element = {key: value for key, value in answer.items() if key.startswith("value")}
    if "valueCoding" in element:
        element["valueCodeableConcept"] = {"coding": [element.pop("valueCoding")]}
    if "valueDecimal" in element:
        element["valueQuantity"] = {"value": element.pop("valueDecimal")}
    return element
