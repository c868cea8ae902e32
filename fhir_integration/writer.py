"""Writes a forecast into the EHR once, however often it is called; reads it back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isclose
from typing import Any

from backend.twin.errors import EhrMalformed
from backend.twin.ports import ForecastDocument, Receipt
from fhir_integration import codes, forecast_resources
from fhir_integration.client import FhirClient
from fhir_integration.invariants import check_forecast, check_structure
from fhir_integration.strict_json import Json


def write_forecast(
    client: FhirClient, document: ForecastDocument, *, until: float
) -> Receipt:
    """Device, Observation, Provenance, each by conditional create.

    The Observation is read back by its id and compared before the Provenance vouches
    for it. Cut off anywhere, a repeat finds what is there and does the rest. Raises
    EhrMalformed where the EHR keeps something else than was sent, NotConformant where
    we would send something that R4 or our own rules forbid.
    """
    device = forecast_resources.device(document.forecast)
    check_structure(device)
    name = device["identifier"][0]["value"]
    at_device = client.create(
        device, if_none_exist=f"identifier={codes.MODEL}|{name}", until=until
    )
    sent = forecast_resources.observation(
        document, device_reference=at_device.reference
    )
    check_structure(sent)
    check_forecast(sent, document.forecast.scale)
    written = client.create(
        sent,
        if_none_exist=f"identifier={codes.PREDICTION}|{document.identifier}",
        until=until,
    )
    kept = client.read(written.reference, until=until)
    compare(sent, kept, created=written.created)
    provenance = forecast_resources.provenance(
        document,
        observation_reference=written.reference,
        device_reference=at_device.reference,
    )
    check_structure(provenance)
    at_provenance = client.create(
        provenance, if_none_exist=f"target={written.reference}", until=until
    )
    return Receipt(
        observation=written.reference,
        device=at_device.reference,
        provenance=at_provenance.reference,
        created=written.created,
    )


def compare(sent: Json, kept: Json, *, created: bool = True) -> None:
    """Raise EhrMalformed unless the EHR keeps what matters of what was sent.

    Servers may add metadata, reorder components, spell references in full and write
    12.0 as 12; they may not drop or change identifier, status, code, patient, period,
    AI label or any number. Where the resource was there before (`created` is False) it
    was written from the same record by the same models, but perhaps on another day, so
    its grade may be another one.
    """
    for part, same in _PARTS.items():
        if part == "grade" and not created:
            continue
        try:
            is_same = same(sent, kept)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            is_same = False
        if not is_same:
            raise EhrMalformed(f"the EHR keeps another {part} than was sent")


def _identifier(resource: Json) -> object:
    return {
        (identifier["system"], identifier["value"])
        for identifier in resource["identifier"]
        if identifier["system"] == codes.PREDICTION
    }


def _code(element: Json) -> tuple[str, str]:
    for coding in element["code"]["coding"]:
        if coding["system"] == codes.FORECAST:
            return coding["system"], coding["code"]
    raise KeyError("no code of ours")


def _label(resource: Json) -> bool:
    labels = resource["meta"]["security"]
    return any(label["code"] == codes.AI_LABEL["code"] for label in labels)


def _subject(resource: Json) -> list[str]:
    reference: str = resource["subject"]["reference"]
    return reference.split("/_history/", maxsplit=1)[0].split("/")[-2:]


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
    days = [
        str(extension["valueInteger"])
        for extension in component.get("extension", [])
        if extension["url"] == codes.HORIZON_DAY
    ]
    [(kind, value)] = [(k, v) for k, v in component.items() if k.startswith("value")]
    return (_code(component)[1], "".join(days)), _stated(kind, value)


def _stated(kind: str, value: Any) -> _Component:
    """`Any`: the shape follows from `kind`, and a server may have bent it."""
    match kind:
        case "valueQuantity":
            quantities = [value]
        case "valueRange":
            quantities = [value["low"], value["high"]]
        case "valueSampledData":
            return [], [float(number) for number in value["data"].split()]
        case _:
            return [], []
    return [q["code"] for q in quantities], [float(q["value"]) for q in quantities]


def _equal(of: Callable[[Json], object]) -> Callable[[Json, Json], bool]:
    return lambda sent, kept: of(sent) == of(kept)


_PARTS = {
    "identifier": _equal(_identifier),
    "status": _equal(lambda resource: resource["status"]),
    "code": _equal(_code),
    "AI label": _equal(_label),
    "patient": _equal(_subject),
    "period": _equal(_period),
    "set of numbers": _same_numbers,
    "grade": _equal(_grade),
}
