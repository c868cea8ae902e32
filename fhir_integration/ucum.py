"""Quantities of body signals in their measure's unit; units are never guessed.

A UCUM code decides where there is one, else the printed unit by a closed list. What
both lists do not know is refused, and so is a code that the printed unit contradicts.
One code that UCUM does not have is read, since public records send it as such: bpm.
Source: ucum.org/ucum; printed units as real records have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from backend.twin.measures import Measure
from backend.twin.record import Reason
from fhir_integration.codes import UCUM
from fhir_integration.numbers import finite
from fhir_integration.strict_json import Json


@dataclass(frozen=True, slots=True)
class _Unit:
    """A unit: base value = (value + shift) * ratio. Units of one kind share a base."""

    kind: str
    ratio: Fraction = Fraction(1)
    shift: float = 0.0


def _times(kind: str, **codes: Fraction | int) -> dict[str, _Unit]:
    return {code: _Unit(kind, Fraction(ratio)) for code, ratio in codes.items()}


_COUNT, _RATE, _PERCENT = _Unit("count"), _Unit("rate"), _Unit("part", Fraction(1, 100))
# A bare "1" is a count or a part of a whole: which, the measure says.
_UNITS = {
    **_times("time", us=Fraction(1, 10**6), ms=Fraction(1, 1000), s=1),
    **_times("time", min=60, h=3600, d=86_400),
    **dict.fromkeys(
        (
            "/min",
            "1/min",
            "{beats}/min",
            "{Beats}/min",
            "{beat}/min",
            "{heartbeats}/min",
            "bpm",
        ),
        _RATE,
    ),
    **dict.fromkeys(("{breaths}/min", "{Breaths}/min", "{breath}/min"), _RATE),
    **dict.fromkeys(("{count}/min", "{counts}/min", "{resp}/min"), _RATE),
    **dict.fromkeys(("/s", "1/s", "{beats}/s", "Hz"), _Unit("rate", Fraction(60))),
    **dict.fromkeys(("/h", "1/h", "{beats}/h"), _Unit("rate", Fraction(1, 60))),
    **dict.fromkeys(("{steps}", "{Steps}", "{step}", "{count}", "{#}"), _COUNT),
    "1": _COUNT,
    "%": _PERCENT,
    "%{O2}": _PERCENT,
    "Cel": _Unit("temperature"),
    "K": _Unit("temperature", shift=-273.15),
    "[degF]": _Unit("temperature", Fraction(5, 9), -32.0),
}
# Printed units -> UCUM code; written in lower case, single spaces.
_PRINTED = {
    word: code
    for code, words in {
        "/min": (
            "bpm,beats/min,beats/minute,beats per minute,beat/min,beats / min,b/min,"
            "breaths/min,breaths/minute,breaths per minute,resp/min,"
            "count/min,counts/min,count/minute,counts per minute,per minute,/minute"
        ),
        "Cel": "c,°c,degc,deg c,degree c,degrees c,celsius,degrees celsius",
        "[degF]": "f,°f,degf,deg f,degree f,degrees f,fahrenheit,degrees fahrenheit",
        "%": "%o2,% o2,%spo2,percent,per cent",
        "{steps}": "steps,step,count,counts",
        "{steps}/d": "steps/d,steps/day,steps per day,per day,/day",
        "min/d": "min/day,minutes/day,minutes per day",
        "h": "hour,hours,hr,hrs",
        "min": "minute,minutes,mins",
        "s": "second,seconds,sec,secs",
        "ms": "millisecond,milliseconds,msec,msecs",
    }.items()
    for word in words.split(",")
}


@dataclass(frozen=True, slots=True)
class Conversion:
    """From one unit to another of its kind; calling it converts a value."""

    before: float = 0.0
    times: int = 1
    over: int = 1
    after: float = 0.0

    def __call__(self, value: float) -> float:
        """The value in the other unit; the very same where both units are one."""
        return (value + self.before) * self.times / self.over + self.after


@cache
def between(code: str, unit: str) -> Conversion | None:
    """From one UCUM code to another; None where they measure different things."""
    if code == unit:
        return Conversion()
    start, end = _UNITS.get(code), _UNITS.get(unit)
    if code == "1" and end is not None and end.kind == "part":
        start = _Unit("part")
    if start is None or end is None or start.kind != end.kind:
        return None
    ratio = start.ratio / end.ratio
    return Conversion(start.shift, ratio.numerator, ratio.denominator, -end.shift)


def conversion(quantity: Json, measure: Measure) -> Conversion | Reason:
    """From the unit of a Quantity to the measure's; NO_UNIT or WRONG_UNIT without."""
    code, printed = quantity.get("code"), quantity.get("unit")
    word = " ".join(printed.split()) if isinstance(printed, str) else ""
    if code is None:
        if printed is None or printed == "":
            return Reason.NO_UNIT
        return _to(_code_of(word), measure) or Reason.WRONG_UNIT
    if not isinstance(code, str) or quantity.get("system") not in (None, UCUM):
        return Reason.WRONG_UNIT
    made = _to(code, measure)
    said = _to(_code_of(word), measure)
    if made is None or _is_other(word, said=said, made=made):
        return Reason.WRONG_UNIT
    return made


def _code_of(word: str) -> str:
    return word if word in _UNITS else _PRINTED.get(word.lower(), word)


def _to(code: str, measure: Measure) -> Conversion | None:
    return Conversion() if code in measure.also else between(code, measure.unit)


def _is_other(word: str, *, said: Conversion | None, made: Conversion) -> bool:
    """True if the printed unit is one that we know, and not the one of the code."""
    is_known = word in _UNITS or word.lower() in _PRINTED
    return is_known and said != made


def in_unit(quantity: object, measure: Measure) -> float | Reason:
    """The value of a Quantity in the measure's unit, or why there is none."""
    if not isinstance(quantity, dict):
        return Reason.MALFORMED
    if "value" not in quantity:
        return Reason.NO_VALUE
    if "comparator" in quantity:  # "less than 50" is not a value
        return Reason.NOT_A_NUMBER
    convert = conversion(quantity, measure)
    if isinstance(convert, Reason):
        return convert
    value = finite(quantity["value"])
    return value if isinstance(value, Reason) else convert(value)
