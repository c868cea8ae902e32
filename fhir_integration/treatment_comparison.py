"""Does the EHR keep what was sent of advice on a medicine?

As with all that we write: metadata, order and spelling of references may differ; what
is said, of whom and from what may not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from fhir_integration.comparison import (
    Same,
    compare_parts,
    equal,
    is_labelled,
    notes,
    own_identifiers,
    relative,
    within,
)
from fhir_integration.strict_json import Json

Told = tuple[object, ...]


def compare_treatment(sent: Json, kept: Json, *, created: bool = True) -> None:
    """Raise KeptOtherwise unless the EHR keeps what matters of what was sent.

    By the resource's type. Where it was there before (`created` is False), another
    release may have worded it: then words and the details of rows may differ.
    """
    parts = _PARTS[sent["resourceType"]]
    compare_parts(sent, kept, {**parts, **({} if created else _EARLIER)})


def compare_words(sent: Json, kept: Json, *, created: bool = True) -> None:
    """The same for an Observation in words alone; its AI label may be stripped."""
    parts = {**_PARTS["Observation"], **({} if created else _EARLIER)}
    compare_parts(sent, kept, {k: v for k, v in parts.items() if k != "AI label"})


def _codings(concept: Json) -> frozenset[Told]:
    return frozenset((one["system"], one["code"]) for one in concept.get("coding", []))


def _of_code(resource: Json) -> frozenset[Told]:
    return _codings(resource["code"])


def _reference(name: str) -> Callable[[Json], object]:
    return lambda resource: relative(resource[name]["reference"])


def _references(name: str) -> Callable[[Json], set[object]]:
    return lambda resource: {
        relative(link["reference"]) for link in resource.get(name, [])
    }


def _label(resource: Json) -> bool:
    return (
        "meta" in resource and "security" in resource["meta"] and is_labelled(resource)
    )


def _keeps_components(keeps: Callable[[Json, Json], bool]) -> Same:
    """The same if each component that was sent is kept by one that is there."""

    def same(sent: Json, kept: Json) -> bool:
        there = kept.get("component", [])
        return all(
            any(keeps(ours, theirs) for theirs in there)
            for ours in sent.get("component", [])
        )

    return same


def _keeps_codes(ours: Json, theirs: Json) -> bool:
    """Its own code, and of a coded value the codes; a server may add others."""
    values = [one.get("valueCodeableConcept", {}) for one in (ours, theirs)]
    return _of_code(ours) <= _of_code(theirs) and _codings(values[0]) <= _codings(
        values[1]
    )


def _keeps_all(ours: Json, theirs: Json) -> bool:
    """With them a number, a text of its own and what only an extension says.

    A concept's words may be dropped beside its codes: the notes have them too.
    """
    return (
        _keeps_codes(ours, theirs)
        and _words(ours) in (_words(theirs), None)
        and _number(ours) == _number(theirs)
        and set(_details(ours)) <= set(_details(theirs))
    )


def _words(part: Json) -> object:
    """What is said in words alone."""
    concept = part.get("valueCodeableConcept", {})
    return part.get("valueString", None if "coding" in concept else concept.get("text"))


def _number(part: Json) -> Told | None:
    stated = part.get("valueQuantity")
    return stated and (round(float(stated["value"]), 4), stated["code"])


def _details(element: Json) -> Iterator[Told]:
    for one in element.get("extension", []):
        values = [
            _plain(value) for key, value in one.items() if key.startswith("value")
        ]
        yield (one["url"], *values, frozenset(_details(one)))


def _plain(value: object) -> object:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else str(value)  # type: ignore[arg-type]


def _texts(*names: str) -> Callable[[Json], object]:
    return lambda resource: [resource.get(name) for name in names]


_ANY: dict[str, Same] = {
    "identifier": equal(own_identifiers),
    "status": equal(lambda resource: resource["status"]),
    "code": within(_of_code),
}
_PARTS: Mapping[str, Mapping[str, Same]] = {
    "Observation": {
        **_ANY,
        "patient": equal(_reference("subject")),
        "AI label": equal(_label),
        "genotypes": within(_references("derivedFrom")),
        "set of components": _keeps_components(_keeps_all),
        "note": within(notes),
    },
    "Task": {
        **_ANY,
        "intent": equal(_texts("intent")),
        "patient": equal(_reference("for")),
        "reason": equal(_reference("reasonReference")),
        "note": within(notes),
    },
    "DetectedIssue": {
        **_ANY,
        "patient": equal(_reference("patient")),
        "severity": equal(_texts("severity")),
        "order": within(_references("implicated")),
        "note": equal(_texts("detail")),
    },
}
_EARLIER: dict[str, Same] = {
    "set of components": _keeps_components(_keeps_codes),
    "note": lambda _sent, _kept: True,
}
