"""The early warning of a forecast as components of its Observation.

Probabilities have codes and a unit of their own (UCUM `1`), apart from the scores.
"""

from __future__ import annotations

from backend.twin.early_warning import Chance, EarlyWarning
from backend.twin.trajectory import Forecast
from backend.twin.warning_words import event_words
from fhir_integration import codes
from fhir_integration.elements import concept, quantity
from fhir_integration.strict_json import Json


def chance_components(forecast: Forecast) -> list[Json]:
    """A component for each event that the early warning is about.

    None where a forecast was stored before there were warnings.
    """
    warning = forecast.warning
    if warning is None:
        return []
    return [_chance(chance, warning, forecast) for chance in warning.chances]


def _chance(chance: Chance, warning: EarlyWarning, forecast: Forecast) -> Json:
    """The probability with its threshold (score units), or why there is none."""
    event = event_words(chance, warning, of=forecast)
    code = concept(codes.FORECAST, f"{codes.CHANCE}{chance.event}")
    made: Json = {"code": {**code, "text": f"Model estimate, probability: {event}"}}
    if chance.probability is None or chance.threshold is None:
        absent = concept(codes.ABSENT, "not-applicable")
        return {**made, "dataAbsentReason": {**absent, "text": chance.reason}}
    threshold = quantity(chance.threshold, forecast.scale.unit)
    return {
        "extension": [{"url": codes.THRESHOLD, "valueQuantity": threshold}],
        **made,
        "valueQuantity": quantity(chance.probability, "1"),
    }
