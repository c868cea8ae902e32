"""A site's own codes: a FHIR ConceptMap says which known code each of them means."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_integration import codes
from fhir_integration.codes import SiteCodes
from fhir_integration.instruments import dicts, named
from fhir_integration.strict_json import Json

_Code = tuple[str, str]  # system, code
# Of R4's equivalences those that lose and add no meaning.
_SAME = frozenset({"equal", "equivalent"})
_OTHERS = frozenset(
    {
        *("relatedto", "wider", "subsumes", "narrower", "specializes"),
        *("inexact", "unmatched", "disjoint"),
    }
)
_CONCEPTS = ("code", "valueCodeableConcept", "medicationCodeableConcept")


def read_concept_map(resource: Json) -> SiteCodes:
    """The site's codes and what they mean, of an R4 ConceptMap.

    Only equal and equivalent targets count: a wider code would say something else.
    Raises ValueError saying what is wrong: not a ConceptMap, a part that R4 requires is
    missing, two meanings of one code, a LOINC number whose check digit does not fit.
    """
    if resource.get("resourceType") != "ConceptMap":
        raise ValueError("site codes: not a ConceptMap")
    found: dict[_Code, _Code] = {}
    for of, meant in _pairs(resource):
        if found.setdefault(of, meant) != meant:
            raise ValueError(f"site codes: {of[1]!r} has two meanings")
    if not found:
        raise ValueError("site codes: the ConceptMap says of no code what it equals")
    return found


def translated(resource: Json, site_codes: SiteCodes) -> Json:
    """The resource with what its codes mean added, where none of them is known.

    The code itself, coded values and medicines, and the same of components. What the
    EHR said stays, and stays first. The resource handed in is not changed.
    """
    if not site_codes:
        return resource
    made = _with_meanings(resource, site_codes)
    components = made.get("component")
    if isinstance(components, list):
        inner = [
            _with_meanings(one, site_codes) if isinstance(one, dict) else one
            for one in components
        ]
        made = {**made, "component": inner}
    return made


def _with_meanings(element: Json, site_codes: SiteCodes) -> Json:
    made = element
    for name in _CONCEPTS:
        concept = element.get(name)
        if not isinstance(concept, dict):
            continue
        stated = dicts(concept.get("coding"))
        meant = list(_meant(stated, site_codes))
        if meant:
            made = {**made, name: {**concept, "coding": [*stated, *meant]}}
    return made


def _meant(stated: list[Json], site_codes: SiteCodes) -> Iterator[Json]:
    pairs = [(one.get("system"), one.get("code")) for one in stated]
    texts = [(s, c) for s, c in pairs if isinstance(s, str) and isinstance(c, str)]
    if any(named(system, code) for system, code in texts):
        return
    for meant in dict.fromkeys(site_codes[of] for of in texts if of in site_codes):
        yield {"system": meant[0], "code": meant[1]}


def _pairs(resource: Json) -> Iterator[tuple[_Code, _Code]]:
    for group in _objects(resource, "group"):
        source, target = _text(group, "source"), _text(group, "target")
        for element in _objects(group, "element"):
            code = _text(element, "code")
            for meant in _objects(element, "target", required=False):
                if _is_same(meant):
                    yield (source, code), _checked(target, _text(meant, "code"))


def _is_same(target: Json) -> bool:
    how = _text(target, "equivalence")
    if how not in _SAME | _OTHERS:
        raise ValueError(f"site codes: {how!r} is no equivalence of R4")
    return how in _SAME


def _checked(system: str, code: str) -> _Code:
    is_number = codes.canonical(system) == codes.LOINC and not code.startswith("L")
    if is_number and not codes.check_digit_fits(code):
        raise ValueError(f"site codes: {code!r} is no LOINC number: its check digit")
    return codes.canonical(system), code


def _objects(holder: Json, name: str, *, required: bool = True) -> list[Json]:
    value = holder.get(name)
    if value is None and not required:
        return []
    found = dicts(value)
    if not isinstance(value, list) or not found or len(found) < len(value):
        raise ValueError(f"site codes: {name} must be a list of objects")
    return found


def _text(holder: Json, name: str) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"site codes: {name} is missing or is no text")
    return value
