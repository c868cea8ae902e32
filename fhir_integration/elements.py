"""FHIR's small data types, as this room writes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from fhir_integration.codes import UCUM
from fhir_integration.strict_json import Json


def concept(system: str, code: str, display: str | None = None) -> Json:
    """A CodeableConcept of one coding."""
    coding = {"system": system, "code": code}
    return {"coding": [{**coding, "display": display} if display else coding]}


def quantity(value: float, unit: str) -> Json:
    """A Quantity in a UCUM unit, rounded."""
    return {"value": rounded(value), "unit": unit, "system": UCUM, "code": unit}


def value_range(ends: Sequence[float], unit: str) -> Json:
    """A Range from the lower to the upper of two ends."""
    return {"low": quantity(ends[0], unit), "high": quantity(ends[1], unit)}


def rounded(value: float) -> float:
    """Four decimals; + 0.0 turns -0.0 into 0.0."""
    return round(float(value), 4) + 0.0


def instant(moment: datetime) -> str:
    """A FHIR instant in UTC, to the millisecond. `moment` must be aware."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
