"""What must hold of a correlation Observation before it leaves.

Beyond what holds of all our Observations: a coefficient that is one, intervals around
what they are of, times within the window, probabilities, and units.
"""

from __future__ import annotations

from datetime import date

from backend.twin.correlation.from_record import MAX_LAG_HOURS
from backend.twin.correlation.insight_grade import BOUNDS
from fhir_integration import codes
from fhir_integration.invariants import hold, rules_of_all
from fhir_integration.strict_json import Json

_SLACK = 1e-4  # the numbers are rounded to four decimals
# Freed from the signal's noise, the coefficient of a perfect link scatters around one.
# No insight's interval is wider than this share of it: beyond, it cannot hold one.
LARGEST = 1 / (1 - BOUNDS[-1].width / 2)
_SHARES = frozenset({"p-link", "q-value", "p-value-alone", "coverage"})
_UNITS = {"h": 1.0, "d": 24.0}  # of a lag, in hours
_NUMBERS = frozenset({"ci90", "lag", "lag-interval", "n-effective"}) | _SHARES


def check_correlation(observation: Json) -> None:
    """Raise NotConformant with the first rule that a correlation of ours breaks."""
    check_coefficient(observation)
    parts = {_code(part): part for part in observation["component"]}
    hold(
        {
            "a component stands twice": len(parts) == len(observation["component"]),
            "it does not say what goes with what": {"predictor", "outcome"}
            <= set(parts),
            "a unit is not UCUM's for it": _units(parts),
            "the interval does not hold the coefficient": _within(
                _number(observation), parts.get("ci90")
            ),
            "the interval does not hold the lag": "lag" not in parts
            or _within(_number(parts["lag"]), parts.get("lag-interval")),
            "the lag is longer than any looked for": _lag_fits(parts),
            "a probability or share is none": all(
                0 <= _number(part) <= 1
                for code, part in parts.items()
                if code in _SHARES
            ),
            "the reports are fewer than one": _counted(parts),
        }
    )


def check_coefficient(observation: Json) -> None:
    """The same for what stands outside components: all that a flat one has."""
    begin, end = _window(observation)
    hold(
        {
            **rules_of_all(observation, codes.CORRELATION),
            "the subject is no Patient": _is_patient(observation["subject"]),
            "the coefficient is beyond one": abs(_number(observation)) <= LARGEST,
            "the coefficient's unit is not 1": _unit(observation) == {"1"},
            "the window ends before it begins": begin <= end,
            "the note does not say that it is no cause": any(
                "an association, not a cause" in note["text"]
                for note in observation["note"]
            ),
        }
    )


def _is_patient(subject: Json) -> bool:
    kind, _, own_id = subject["reference"].partition("/")
    return kind == "Patient" and codes.FHIR_ID.fullmatch(own_id) is not None


def _code(component: Json) -> str:
    code: str = component["code"]["coding"][0]["code"]
    return code


def _window(observation: Json) -> tuple[date, date]:
    period = observation["effectivePeriod"]
    return date.fromisoformat(period["start"]), date.fromisoformat(period["end"])


def _number(element: Json) -> float:
    return float(element["valueQuantity"]["value"])


def _unit(element: Json) -> set[str]:
    """Codes and printed units of its value or of both ends of its interval."""
    stated = element.get("valueRange", {"value": element.get("valueQuantity")})
    return {one[name] for one in stated.values() for name in ("code", "unit")}


def _units(parts: dict[str, Json]) -> bool:
    found = {code: _unit(part) for code, part in parts.items() if code in _NUMBERS}
    lags = [found.pop(code) for code in ("lag", "lag-interval") if code in found]
    of_lag = not lags or (lags[0] in ({"h"}, {"d"}) and lags == lags[:1] * len(lags))
    return of_lag and all(units == {"1"} for units in found.values())


def _within(value: float, interval: Json | None) -> bool:
    """Whether the interval holds the value; one that is not stated says nothing."""
    if interval is None:
        return True
    ends = interval["valueRange"]
    low, high = float(ends["low"]["value"]), float(ends["high"]["value"])
    return low - _SLACK <= value <= high + _SLACK


def _lag_fits(parts: dict[str, Json]) -> bool:
    """The signals begin that long before the reports, however short the window is."""
    if "lag" not in parts:
        return True
    unit = parts["lag"]["valueQuantity"]["code"]
    return abs(_number(parts["lag"])) * _UNITS.get(unit, 24.0) <= MAX_LAG_HOURS


def _counted(parts: dict[str, Json]) -> bool:
    """At least one report, and worth something."""
    worth = _number(parts["n-effective"]) if "n-effective" in parts else 1
    return "n" in parts and parts["n"]["valueInteger"] >= 1 and worth > 0
