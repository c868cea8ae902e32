"""How much of a medicine, and how often: R4's Dosage and Timing, where they say it.

One dose counts only: where several differ (a taper, more in the evening), which of them
holds from the order's day on is not said.
"""

from __future__ import annotations

from backend.twin.history import Dose
from backend.twin.record import Reason
from fhir_integration.codes import UCUM
from fhir_integration.instruments import dicts
from fhir_integration.strict_json import Json

# Codes of UCUM and of HL7's v3-orderableDrugForm -> UCUM; case matters: Mg is a ton.
_CODES = {
    "mg": "mg",
    "g": "g",
    "ug": "ug",
    "mL": "mL",
    "ml": "mL",
    "[iU]": "[iU]",
    "[IU]": "[iU]",
    "meq": "meq",
    "mmol": "mmol",
    "{tbl}": "{tablet}",
    "{tablet}": "{tablet}",
    "{capsule}": "{capsule}",
    "TAB": "{tablet}",
    "CAP": "{capsule}",
}
# Printed units in use, in lower case -> UCUM; any other is not guessed.
_WORDS = {
    "mg": "mg",
    "g": "g",
    "mcg": "ug",
    "µg": "ug",
    "ml": "mL",
    "tablet": "{tablet}",
    "tablet(s)": "{tablet}",
    "tab": "{tablet}",
    "capsule": "{capsule}",
    "cap": "{capsule}",
}
_MOST = 1e6  # of any unit above: beyond it only an error of the source
_FORMS = "http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm"
_HOURS = {
    "s": 1 / 3600,
    "min": 1 / 60,
    "h": 1.0,
    "d": 24.0,
    "wk": 168.0,
    "mo": 730.5,  # UCUM: 365.25 days a year
    "a": 8766.0,
}
# HL7's v3-GTSAbbreviation -> doses a day.
_ABBREVIATIONS = {"QD": 1.0, "QOD": 0.5, "BID": 2.0, "TID": 3.0, "QID": 4.0}
_GTS = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"


def stated_dose(instructions: object) -> Dose | Reason | None:
    """The one dose that dosage instructions state; None where they state none.

    A reason where one is stated that cannot be read: NO_UNIT, WRONG_UNIT, IMPLAUSIBLE
    for nothing or too much, NOT_A_NUMBER for anything but one plain amount.
    """
    inner = instructions if isinstance(instructions, list) else [instructions]
    stated = [
        (dose, one) for one in dicts(inner) for dose in _doses(one) if dose is not None
    ]
    if not stated:
        return None
    read = {_dose(dose, instruction) for dose, instruction in stated}
    return read.pop() if len(read) == 1 else Reason.NOT_A_NUMBER


def planned_end(instructions: object) -> object:
    """The one end, as written, that bounds all dosage instructions; None without."""
    ends = [_bounds(one).get("end") for one in dicts(instructions)]
    return ends[0] if ends and ends.count(ends[0]) == len(ends) else None


def _doses(instruction: Json) -> list[object]:
    """Quantities and ranges, in an order's Dosage and in an administration's."""
    rates = dicts(instruction.get("doseAndRate"))
    inner = [one.get(key) for one in rates for key in ("doseQuantity", "doseRange")]
    return [*inner, instruction.get("dose")]


def _dose(quantity: object, instruction: Json) -> Dose | Reason:
    if not isinstance(quantity, dict):
        return Reason.MALFORMED
    amount = quantity.get("value")
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        return Reason.NOT_A_NUMBER
    if "comparator" in quantity:  # "less than 5" is not a dose
        return Reason.NOT_A_NUMBER
    if not 0 < amount < _MOST:
        return Reason.IMPLAUSIBLE
    unit = _unit(quantity)
    if isinstance(unit, Reason):
        return unit
    return Dose(float(amount), unit, _per_day(instruction))


def _unit(quantity: Json) -> str | Reason:
    """By its code where it has one, of UCUM or of a drug's form, else as printed."""
    code, printed = quantity.get("code"), quantity.get("unit")
    if code is not None:
        is_known = quantity.get("system") in (None, UCUM, _FORMS)
        return (_CODES.get(str(code)) if is_known else None) or Reason.WRONG_UNIT
    if printed is None:
        return Reason.NO_UNIT
    return _WORDS.get(str(printed).strip().lower()) or Reason.WRONG_UNIT


def _per_day(instruction: Json) -> float | None:
    """Doses a day; None where it is unsaid, a range, by weekday, or as needed."""
    if instruction.get("asNeededBoolean") or "asNeededCodeableConcept" in instruction:
        return None
    timing = instruction.get("timing")
    if not isinstance(timing, dict):
        return None
    repeat = timing.get("repeat")
    if not isinstance(repeat, dict) or "period" not in repeat:
        return _abbreviated(timing)
    if not {"frequencyMax", "periodMax", "dayOfWeek"}.isdisjoint(repeat):
        return None
    frequency, period = _count(repeat.get("frequency", 1)), _count(repeat["period"])
    unit = repeat.get("periodUnit")
    hours = _HOURS.get(unit) if isinstance(unit, str) else None
    if hours is None or frequency is None or period is None:
        return None
    return frequency * 24 / (period * hours)


def _abbreviated(timing: Json) -> float | None:
    code = timing.get("code")
    for coding in dicts(code.get("coding")) if isinstance(code, dict) else []:
        short = coding.get("code")
        if coding.get("system") == _GTS and isinstance(short, str):
            return _ABBREVIATIONS.get(short)
    return None


def _count(value: object) -> float | None:
    """A number that a timing can mean: at most a thousand, and not next to nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0.01 <= value <= 1000 else None


def _bounds(instruction: Json) -> Json:
    """`timing.repeat.boundsPeriod`, empty where any step is missing."""
    inner: object = instruction
    for key in ("timing", "repeat", "boundsPeriod"):
        inner = inner.get(key) if isinstance(inner, dict) else None
    return inner if isinstance(inner, dict) else {}
