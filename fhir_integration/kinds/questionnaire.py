"""A QuestionnaireResponse: the scores and safety answers in a filled-in form.

An item is known by its code, never by its words or its place. R4 gives the items of a
response no code of their own, so the code is where forms put it: in the `linkId`
("/44250-9"), whose last part is a LOINC code, or in `definition`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from backend.twin.record import Reason
from backend.twin.scales import Scale, scale
from fhir_integration import codes
from fhir_integration.instruments import Instrument, Part, dicts, may_hide, named
from fhir_integration.kinds.modified import is_modified
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
# Where items stand: in R4, and in the versions before it.
_NESTED = ("item", "answer", "group", "question")
_OF_A_VALUE = ("value", "_value", "modifierExtension")
_MODIFIED = "modifierExtension"
_BEFORE_THE_END = re.compile(r".*[/#:]", re.DOTALL)
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
    asked = list(_asked_in(resource, _MAX_DEPTH))
    known = _known(asked)
    loses = holds_answers(resource)
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
    said = totalled(read, at=at, of=_form(resource))
    if _hides_answer(resource, asked):
        return (*said, Refused(Reason.UNKNOWN_CODE, safety=True))
    return said


def holds_answers(resource: Json) -> bool:
    """True if an answer to a safety item is in it, or may be: a form's unread part.

    Of forms of other versions of FHIR too, whose items stand in groups of questions.
    """
    asked = list(_asked_in(resource, _MAX_DEPTH))
    if any(inner.part is Part.SAFETY for _, inner in _known(asked)):
        return True
    return _hides_answer(resource, asked)


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


def _asked_in(holder: Json, depth: int) -> Iterator[tuple[Json, Instrument | None]]:
    """Every item with what it asks, groups and items below answers included.

    What modifies a group, an item or an answer modifies all that stands in it.
    """
    if depth == 0:
        return
    modifier = holder.get(_MODIFIED)
    for name in _NESTED:
        inside = holder.get(name)
        for stated in [inside] if isinstance(inside, dict) else dicts(inside):
            item = {**stated, _MODIFIED: modifier} if modifier else stated
            if name != "answer":
                yield item, _asked(item)
            yield from _asked_in(item, depth - 1)


def _known(asked: list[tuple[Json, Instrument | None]]) -> list[Known]:
    """The items that a table knows."""
    return [
        (item, inner)
        for item, inner in asked
        if inner is not None and inner.part is not Part.PANEL
    ]


def _hides_answer(resource: Json, asked: list[tuple[Json, Instrument | None]]) -> bool:
    """True for a form of a known name with answers that no table knows."""
    form = _by_name(resource)
    known = _known(asked)
    is_unread = not known or any(
        inner is None and "answer" in item and not _is_derived(item)
        for item, inner in asked
    )
    return form is not None and is_unread and may_hide(form, [one for _, one in known])


def _is_derived(item: Json) -> bool:
    return str(item.get("linkId")).rsplit("/", maxsplit=1)[-1] == codes.DERIVED[1]


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


def _by_name(resource: Json) -> Scale | None:
    """The questionnaire that the form's address names by its end (a closed list)."""
    address = resource.get("questionnaire")
    if isinstance(address, dict):  # a Reference, before R4
        address = address.get("reference")
    if not isinstance(address, str):
        return None
    place = address.split("|", maxsplit=1)[0].rstrip("/").lower()
    key = codes.FORMS.get(_BEFORE_THE_END.sub("", place))
    return None if key is None else scale(key)


def _read(item: Json, asked: Instrument, *, at: Moment) -> Result:
    answers = dicts(item.get("answer"))
    if len(answers) > 1:
        return Refused(Reason.MALFORMED, asked.part is Part.SAFETY)
    if is_modified(item):
        return Refused(Reason.MODIFIED, asked.part is Part.SAFETY)
    return read_part(_as_element(answers[0] if answers else {}), asked, at=at)


def _as_element(answer: Json) -> Json:
    """An answer's value[x] in the shapes of an Observation's; two stay as they are."""
    element = {
        key: value for key, value in answer.items() if key.startswith(_OF_A_VALUE)
    }
    if sum(key.startswith("value") for key in element) > 1:
        return element
    if "valueCoding" in element:
        element["valueCodeableConcept"] = {"coding": [element.pop("valueCoding")]}
    if "valueDecimal" in element:
        element["valueQuantity"] = {"value": element.pop("valueDecimal")}
    return element
