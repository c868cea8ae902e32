"""How much of a medicine, and how often: R4's Dosage and Timing, where they say it.

Where amounts differ (a taper, more in the evening), which of them holds from the day of
the order on is not said. Equal ones at several times of day add up where each line
names its times; else how many there are is unsaid. A dose as needed is kept apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from backend.twin.history import Dose
from backend.twin.record import Reason
from fhir_integration.codes import UCUM
from fhir_integration.instruments import dicts
from fhir_integration.kinds.modified import is_modified
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
    **dict.fromkeys(("tablet", "tablet(s)", "tablets", "tab", "tabs"), "{tablet}"),
    **dict.fromkeys(("capsule", "capsule(s)", "capsules", "cap", "caps"), "{capsule}"),
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
_UNSURE = frozenset({"frequencyMax", "periodMax", "dayOfWeek"})
_ANY_MEAL = frozenset({"AC", "C", "PC"})  # before, with, after: which meal is unsaid
# HL7's v3-GTSAbbreviation -> doses a day.
_ABBREVIATIONS = {"QD": 1.0, "QOD": 0.5, "BID": 2.0, "TID": 3.0, "QID": 4.0}
_GTS = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"


def stated_doses(instructions: object) -> tuple[Dose | Reason, ...]:
    """The regular dose and the one as needed that instructions state, if they do.

    A reason where one is stated that cannot be read: NO_UNIT, WRONG_UNIT, IMPLAUSIBLE
    for nothing or too much, NOT_A_NUMBER for anything but one plain amount, MODIFIED
    where a modifier extension changes what a line says.
    """
    lines = dicts(instructions if isinstance(instructions, list) else [instructions])
    if any(map(is_modified, lines)):
        return (Reason.MODIFIED,)
    needed = [line for line in lines if _is_as_needed(line)]
    regular = [line for line in lines if not _is_as_needed(line)]
    found = (_of_lines(regular), _of_lines(needed))
    return tuple(dict.fromkeys(dose for dose in found if dose is not None))


def _of_lines(lines: list[Json]) -> Dose | Reason | None:
    """What lines that hold at once come to; None where they state no dose."""
    stated = [(line, _of_line(line)) for line in lines]
    read = [(line, dose) for line, dose in stated if dose is not None]
    for _, dose in read:
        if isinstance(dose, Reason):
            return dose
    doses = [dose for _, dose in read if isinstance(dose, Dose)]
    if len({(dose.amount, dose.unit) for dose in doses}) > 1:
        return Reason.NOT_A_NUMBER
    if len(doses) < 2:
        return doses[0] if doses else None
    per_day = _together([line for line, _ in read], doses)
    return replace(doses[0], per_day=per_day)


def _together(lines: list[Json], doses: list[Dose]) -> float | None:
    """Doses a day of equal lines; None unless each is for other times of every day.

    Two lines that say the same may be one written twice. A `sequence`, or bounds that
    differ, may have one follow on the other.
    """
    times = [_times(line) for line in lines]
    spans = {repr((line.get("sequence"), _bounds(line))) for line in lines}
    named = set().union(*times)
    if len(spans) > 1 or not all(times) or len(named) < sum(map(len, times)):
        return None
    counts = [dose.per_day for dose in doses]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _of_line(line: Json) -> Dose | Reason | None:
    """The one dose of one line; None where it states none."""
    read = {_dose(dose, line) for dose in _doses(line) if dose is not None}
    if not read:
        return None
    return read.pop() if len(read) == 1 else Reason.NOT_A_NUMBER


def _is_as_needed(instruction: Json) -> bool:
    has_cause = "asNeededCodeableConcept" in instruction
    return has_cause or instruction.get("asNeededBoolean") is True


def planned_end(instructions: object) -> object:
    """The one end, as written, that bounds all dosage instructions; None without."""
    lines = dicts(instructions)
    ends = [None if is_modified(one) else _bounds(one).get("end") for one in lines]
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
    needed = _is_as_needed(instruction)
    per_day = None if needed else _per_day(instruction)
    return Dose(float(amount), unit, per_day, as_needed=needed)


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
    """Doses a day; None where it is unsaid, a range, or by weekday."""
    timing = instruction.get("timing")
    if not isinstance(timing, dict):
        return None
    repeat = timing.get("repeat")
    if not isinstance(repeat, dict):
        return _abbreviated(timing)
    if not _UNSURE.isdisjoint(repeat):
        return None
    if "period" not in repeat:
        at = _each(repeat.get("timeOfDay"))
        return float(len(at)) if at else _abbreviated(timing)
    count = _paced(repeat)
    return count if _agrees(count, instruction) else None


def _paced(repeat: Json) -> float | None:
    """`frequency` times every `period`, as doses a day."""
    frequency, period = _count(repeat.get("frequency", 1)), _count(repeat["period"])
    unit = repeat.get("periodUnit")
    hours = _HOURS.get(unit) if isinstance(unit, str) else None
    if hours is None or frequency is None or period is None:
        return None
    return frequency * 24 / (period * hours)


def _agrees(count: float | None, instruction: Json) -> bool:
    """False where several times of day are named and `frequency` counts others.

    "Once a day, mornings and evenings" means two to some senders and one to others;
    "once a day, with meals" may mean every meal.
    """
    times = _times(instruction)
    if times & _ANY_MEAL:
        return count is not None and count > 1
    return len(times) < 2 or count == len(times)


def _times(instruction: Json) -> set[str]:
    """The times of day that a line names, by the clock or by the day's course."""
    timing = instruction.get("timing")
    repeat = timing.get("repeat") if isinstance(timing, dict) else None
    if not isinstance(repeat, dict):
        return set()
    return _each(repeat.get("timeOfDay")) | _each(repeat.get("when"))


def _each(texts: object) -> set[str]:
    inner: Iterable[object] = texts if isinstance(texts, list) else ()
    return {text for text in inner if isinstance(text, str)}


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
