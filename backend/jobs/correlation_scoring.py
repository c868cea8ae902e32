"""The correlation engine as a benchmark predictor; needs no Django set-up.

bench.py --predictor backend.jobs.correlation_scoring:correlate
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

import numpy as np

from backend.twin.correlation.engine import find_links
from backend.twin.correlation.link import Link
from backend.twin.correlation.streams import (
    BiometricStream,
    CorrelationWindow,
    SymptomStream,
    WorseWhen,
)

NIGHTLY = {"sleep_minutes", "hrv_rmssd_ms"}  # where daily: of the night that ended
_WORSE: Mapping[str, WorseWhen] = {"high_is_worse": "high", "high_is_better": "low"}
_DAY = np.timedelta64(24 * 3600, "s")
Columns = tuple[np.ndarray, np.ndarray]  # times on the local clock, values


class Patient(Protocol):
    """What the benchmark hands over."""

    biometrics: Mapping[str, Columns]
    symptoms: Mapping[str, Columns]
    polarity: Mapping[str, str]
    history_from: np.datetime64
    reports_from: np.datetime64
    until: np.datetime64
    max_lag_hours: int


class Finding(NamedTuple):
    """What the benchmark takes back; 90 % intervals."""

    biometric: str
    symptom: str
    coefficient: float
    ci: tuple[float, float]
    lag_hours: float
    lag_interval: tuple[float, float]
    p_link: float
    direct: bool | None
    published: bool


def correlate(patient: Patient) -> list[Finding]:
    """Every examined pair of a patient."""
    return findings(find_links(window(patient)))


def findings(links: Iterable[Link]) -> list[Finding]:
    """The examined pairs among these as the benchmark reads them."""
    found = (finding(link) for link in links)
    return [one for one in found if one is not None]


def window(patient: Patient) -> CorrelationWindow:
    """The patient's streams; a sleep value with one a day is a night's."""
    return CorrelationWindow(
        tuple(
            BiometricStream(name, times, values, nightly=_nightly(name, times))
            for name, (times, values) in patient.biometrics.items()
        ),
        tuple(
            SymptomStream(
                name, times, values, _WORSE.get(patient.polarity.get(name, ""))
            )
            for name, (times, values) in patient.symptoms.items()
        ),
        patient.history_from,
        patient.reports_from,
        patient.until,
        patient.max_lag_hours,
    )


def finding(link: Link) -> Finding | None:
    """A link as the benchmark reads it; None where the pair was not examined."""
    if (
        link.coefficient is None
        or link.ci is None
        or link.lag_hours is None
        or link.lag_interval is None
        or link.p_link is None
    ):
        return None
    return Finding(
        link.biometric,
        link.symptom,
        link.coefficient,
        link.ci,
        link.lag_hours,
        link.lag_interval,
        link.p_link,
        link.direct,
        link.published,
    )


def _nightly(name: str, times: np.ndarray) -> bool:
    return (
        name in NIGHTLY and len(times) > 1 and bool(np.median(np.diff(times)) >= _DAY)
    )
