"""Does the EHR keep what was sent? Compared by what matters, not byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from functools import partial
from math import isclose
from typing import Any

from fhir_integration import codes
from fhir_integration.errors import KeptOtherwise
from fhir_integration.strict_json import Json

Same = Callable[[Json, Json], bool]
_OURS = frozenset({codes.FORECAST, codes.CORRELATION})


def compare(sent: Json, kept: Json, *, created: bool = True) -> None:
    """Raise KeptOtherwise unless the EHR keeps what matters of what was sent.

    Servers may add metadata, reorder components, spell references in full and write
    12.0 as 12; they may not drop or change identifier, status, code, patient, period,
    AI label or any number. Where the resource was there before (`created` is False) it
    was written from the same record by the same models, but perhaps on another day, so
    its grade may be another one.
    """
    ignored = set() if created else {"grade"}
    compare_parts(sent, kept, {k: v for k, v in _FULL.items() if k not in ignored})


def compare_day(sent: Json, kept: Json) -> None:
    """The same for one day of a flat forecast; its AI label may be stripped."""
    compare_parts(sent, kept, _DAY)


def compare_correlation(sent: Json, kept: Json, *, created: bool = True) -> None:
    """The same for a correlation: its value, what it is of, and every component.

    Its note, too, says that it is no cause. Where it was there before, another release
    may have worded and graded it.
    """
    ignored = set() if created else {"grade", "note"}
    compare_parts(sent, kept, {k: v for k, v in _LINK.items() if k not in ignored})


def compare_coefficient(sent: Json, kept: Json, *, created: bool = True) -> None:
    """The same for a flat correlation; its AI label may be stripped, its note not."""
    ignored = set() if created else {"note"}
    compare_parts(sent, kept, {k: v for k, v in _FLAT_LINK.items() if k not in ignored})


def compare_voucher(sent: Json, kept: Json) -> None:
    """The same for a Provenance: it names our Device and all that it vouches for.

    What a server finds in its place, if it searches by less than it was asked, may be a
    Provenance of its own.
    """
    compare_parts(sent, kept, _VOUCHER)


def compare_parts(sent: Json, kept: Json, parts: Mapping[str, Same]) -> None:
    """Raise KeptOtherwise with the first part that is not the same, or not there."""
    for part, same in parts.items():
        try:
            is_same = same(sent, kept)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            is_same = False
        if not is_same:
            raise KeptOtherwise(part)


def own_identifiers(resource: Json) -> object:
    """Of its identifiers ours, whatever the EHR adds."""
    return {
        (identifier["system"], identifier["value"])
        for identifier in resource["identifier"]
        if identifier["system"] == codes.PREDICTION
    }


def _code(element: Json) -> tuple[str, str]:
    for coding in element["code"]["coding"]:
        if coding["system"] in _OURS:
            return coding["system"], coding["code"]
    raise KeyError("no code of ours")


def is_labelled(resource: Json) -> bool:
    """Whether it says that an AI asserts it."""
    labels = resource["meta"]["security"]
    return any(label["code"] == codes.AI_LABEL["code"] for label in labels)


def _subject(resource: Json) -> list[str]:
    return relative(resource["subject"]["reference"]).split("/")


def relative(reference: str) -> str:
    """ "Type/id" of a reference, which a server may spell in full or with a version."""
    return "/".join(reference.split("/_history/", maxsplit=1)[0].split("/")[-2:])


def _agents(resource: Json) -> set[str]:
    who = [agent["who"] for agent in resource["agent"]]
    return {relative(one["reference"]) for one in who if "reference" in one}


def _targets(resource: Json) -> set[str]:
    return {relative(target["reference"]) for target in resource["target"]}


def _period(resource: Json) -> tuple[str, str]:
    period = resource["effectivePeriod"]
    return period["start"][:10], period["end"][:10]


def _grade(resource: Json) -> set[str]:
    return {
        coding["code"]
        for component in resource["component"]
        if _code(component)[1] == "reliability-grade"
        for coding in component["valueCodeableConcept"]["coding"]
    }


def notes(resource: Json) -> set[str]:
    """The words beside it."""
    return {note["text"] for note in resource["note"]}


def _concepts(resource: Json) -> set[tuple[str, ...]]:
    """What goes with what, and directly or not; a name where there is no code."""
    stated = [
        (_code(component)[1], component["valueCodeableConcept"])
        for component in resource["component"]
        if _code(component)[1] in _NAMING
    ]
    return {
        (name, coding["system"], coding["code"])
        for name, concept in stated
        for coding in concept.get("coding", [])
    } | {(name, concept["text"]) for name, concept in stated if "coding" not in concept}


_NAMING = frozenset({"predictor", "outcome", "kind"})
_Component = tuple[list[str], list[float]]  # units, numbers


def _same_numbers(sent: Json, kept: Json) -> bool:
    ours, theirs = _components(sent), _components(kept)
    return ours.keys() == theirs.keys() and all(
        _close(ours[name], theirs[name]) for name in ours
    )


def _close(ours: _Component, theirs: _Component) -> bool:
    """Equal units, and numbers equal up to the last digit that a server may cut.

    Another build of a model's runtime may move that digit as well.
    """
    (units, numbers), (kept_units, kept_numbers) = ours, theirs
    return (
        units == kept_units
        and len(numbers) == len(kept_numbers)
        and all(map(partial(isclose, rel_tol=0, abs_tol=2e-3), numbers, kept_numbers))
    )


def _components(resource: Json) -> dict[tuple[str, str], _Component]:
    """(code, horizon day) -> what the component says in numbers."""
    return dict(_component(component) for component in resource["component"])


def _component(component: Json) -> tuple[tuple[str, str], _Component]:
    """A probability's threshold is among its numbers."""
    extensions = component.get("extension", [])
    days = [
        str(extension["valueInteger"])
        for extension in extensions
        if extension["url"] == codes.HORIZON_DAY
    ]
    [(kind, value)] = [
        (kind, value)
        for kind, value in component.items()
        if kind.startswith("value") or kind == "dataAbsentReason"
    ]
    units, numbers = _stated(kind, value)
    for extension in extensions:
        if extension["url"] == codes.THRESHOLD:
            threshold = extension["valueQuantity"]
            units = [*units, threshold["code"]]
            numbers = [*numbers, float(threshold["value"])]
    return (_code(component)[1], "".join(days)), (units, numbers)


def _stated(kind: str, value: Any) -> _Component:
    """`Any`: the shape follows from `kind`, and a server may have bent it."""
    match kind:
        case "valueQuantity":
            quantities = [value]
        case "valueRange":
            quantities = [value["low"], value["high"]]
        case "valueInteger":
            return [], [float(value)]
        case "valueSampledData":
            return [], [float(number) for number in value["data"].split()]
        case _:
            return [], []
    units = [f"{q.get('comparator', '')}{q['code']}" for q in quantities]
    return units, [float(q["value"]) for q in quantities]


def _same_value(sent: Json, kept: Json) -> bool:
    ours, theirs = sent["valueQuantity"], kept["valueQuantity"]
    return _close(_stated("valueQuantity", ours), _stated("valueQuantity", theirs))


def within(of: Callable[[Json], Set[object]]) -> Same:
    """The same if the EHR keeps all of it, and perhaps more."""
    return lambda sent, kept: of(sent) <= of(kept)


def equal(of: Callable[[Json], object]) -> Same:
    """The same if the EHR keeps just that."""
    return lambda sent, kept: of(sent) == of(kept)


_BOTH: dict[str, Same] = {
    "identifier": equal(own_identifiers),
    "status": equal(lambda resource: resource["status"]),
    "code": equal(_code),
    "patient": equal(_subject),
}
_FULL: dict[str, Same] = {
    **_BOTH,
    "AI label": equal(is_labelled),
    "period": equal(_period),
    "set of numbers": _same_numbers,
    "grade": equal(_grade),
}
_DAY: dict[str, Same] = {
    **_BOTH,
    "day": equal(lambda resource: resource["effectiveDateTime"][:10]),
    "number": _same_value,
}
_FLAT_LINK: dict[str, Same] = {
    **_BOTH,
    "period": equal(_period),
    "number": _same_value,
    "note": within(notes),
}
_LINK: dict[str, Same] = {
    **_FLAT_LINK,
    **_FULL,
    "pair": within(_concepts),
}
_VOUCHER: dict[str, Same] = {"agent": within(_agents), "target": within(_targets)}
