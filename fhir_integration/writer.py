"""Writes a forecast into the EHR once, however often it is called; reads it back."""

from __future__ import annotations

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
    compare(sent, client.read(written.reference, until=until))
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


def compare(sent: Json, kept: Json) -> None:
    """Raise EhrMalformed unless the EHR keeps what matters of what was sent.

    Servers may add metadata, reorder components, spell references in full and write
    12.0 as 12; they may not drop or change identifier, status, code, patient, period,
    AI label or any number.
    """
    for part, of in _PARTS.items():
        try:
            same = of(sent) == of(kept)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            same = False
        if not same:
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


def _components(resource: Json) -> list[tuple[str, ...]]:
    return sorted(_component(component) for component in resource["component"])


def _component(component: Json) -> tuple[str, ...]:
    """Code, horizon day and every number of a component, as text that sorts."""
    days = [
        str(extension["valueInteger"])
        for extension in component.get("extension", [])
        if extension["url"] == codes.HORIZON_DAY
    ]
    [(kind, value)] = [(k, v) for k, v in component.items() if k.startswith("value")]
    return _code(component)[1], "".join(days), *_value(kind, value)


def _value(kind: str, value: Any) -> list[str]:
    """`Any`: the shape follows from `kind`, and a server may have bent it."""
    match kind:
        case "valueQuantity":
            return [repr(float(value["value"])), value["code"]]
        case "valueRange":
            ends = (value["low"], value["high"])
            return [part for end in ends for part in _value("valueQuantity", end)]
        case "valueSampledData":
            return [repr(float(number)) for number in value["data"].split()]
        case _:
            return [coding["code"] for coding in value["coding"]]


_PARTS = {
    "identifier": _identifier,
    "status": lambda resource: resource["status"],
    "code": _code,
    "AI label": _label,
    "patient": _subject,
    "period": _period,
    "set of numbers": _components,
}
