"""What laboratories and forms say that rules on medicines ask for: kidneys, heart, ...

Sources of the codes: loinc.org's names of these numbers, as HL7's guides use them (the
filtration rates of the Clinical Guidelines guide's chronic kidney disease value sets).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Literal

Lab = Literal["egfr", "creatinine", "qtc", "pregnancy"]


@dataclass(frozen=True, slots=True)
class LabFact:
    """One value of one day, in the unit of its kind; `code` is LOINC's as sent.

    egfr: estimated filtration rate, mL/min per 1.73 m²; creatinine: in serum, plasma or
    blood, mg/dL; qtc: corrected QT interval, ms. Of `pregnancy` 1 is pregnant and 0 is
    not, on that day alone.
    """

    kind: Lab
    value: float
    unit: str
    day: date
    code: str
    source: str


@dataclass(frozen=True, slots=True)
class LabKind:
    """How a kind is stated: LOINC numbers, units (UCUM) with what they are of `unit`.

    `low` and `high`: beyond these no body goes, in `unit`.
    """

    key: Lab
    codes: tuple[str, ...]
    unit: str
    units: Mapping[str, float]
    low: float
    high: float


_RATE = "mL/min/{1.73_m2}"
_KINDS = (
    LabKind(
        key="egfr",
        codes=("33914-3", "77147-7", "76633-7", "62238-1", "98979-8", "69405-9"),
        unit=_RATE,
        # Its codes say per 1.73 m² themselves, so "mL/min" beside them means just that.
        units=dict.fromkeys(
            (_RATE, "mL/min/1.73.m2", "mL/min/{1.73m2}", "mL/min/1.73m2", "mL/min"), 1.0
        ),
        low=1.0,
        high=250.0,
    ),
    LabKind(
        key="creatinine",
        codes=("2160-0", "38483-4", "14682-9", "59826-8"),
        unit="mg/dL",
        # 113.12 g/mol
        units={"mg/dL": 1.0, "umol/L": 0.011312, "mmol/L": 11.312},
        low=0.05,
        high=50.0,
    ),
    LabKind(
        key="qtc",
        codes=("8636-3",),
        unit="ms",
        units={"ms": 1.0, "s": 1000.0},
        low=200.0,
        high=800.0,
    ),
    LabKind("pregnancy", ("82810-3",), "1", {}, 0.0, 1.0),
)
LAB_KINDS: Mapping[str, LabKind] = MappingProxyType(
    {code: kind for kind in _KINDS for code in kind.codes}
)
