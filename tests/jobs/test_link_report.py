"""What the demo prints of correlations."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from backend.jobs import link_report
from backend.jobs.demo import LinkOutcome, Person
from backend.predictions.stored import NOT_SENT
from backend.predictions.stored_correlation import StoredCorrelation
from backend.twin.correlation.link import Link
from backend.twin.correlation.report import CorrelationReport, correlation_report
from backend.twin.correlation.streams import (
    BiometricStream,
    CorrelationWindow,
    SymptomStream,
)
from backend.twin.errors import PatientDeceased
from backend.twin.trajectory import ModelUse
from tests.conftest import NOW
from tests.twin.made import LAST

SIGNAL, SYMPTOM, SENT = "hrv-rmssd", "anxiety-0-10", UUID(int=7)
BEGIN, END = np.datetime64("2026-01-01", "s"), np.datetime64("2026-04-01", "s")
TIMES = BEGIN + np.arange(100) * np.timedelta64(6 * 3600, "s")
LINK = Link(
    biometric=SIGNAL,
    symptom=SYMPTOM,
    window=(BEGIN, END),
    n=300,
    coverage=0.9,
    lag_unit="hours",
    coefficient=-0.5,
    ci=(-0.6, -0.4),
    lag_hours=6.0,
    lag_interval=(5.0, 7.0),
    p_link=0.994,
    p_value=1e-6,
    q_value=1e-5,
    p_marginal=1e-6,
    n_eff=120.4,
    reports_needed=200,
    direct=True,
    published=True,
)
NIGHTS = {"lag_unit": "nights", "lag_hours": 24.0, "lag_interval": (12.0, 36.0)}
ASSOCIATION = {"direct": False, "p_marginal": 1e-9}
SILENT = {"published": False, "reasons": ("no link stands out",)}
MODEL = ModelUse("biometric_correlation", 1, "a" * 64, "production", 1.0)


def reported(*links: Link) -> CorrelationReport:
    """The report on one signal and one symptom with these links."""
    signal = BiometricStream(SIGNAL, TIMES, np.ones(100), unit="ms")
    symptom = SymptomStream(SYMPTOM, TIMES, np.ones(100), "high")
    window = CorrelationWindow((signal,), (symptom,), BEGIN, BEGIN, END)
    return correlation_report(window, links)


def stored(*links: Link, **said: Any) -> StoredCorrelation:
    report = reported(*links)
    pairs = [(one.link.biometric, one.link.symptom) for one in report.insights]
    answer = StoredCorrelation(
        id=UUID(int=100),
        patient_id=UUID(int=101),
        as_of=LAST,
        created=NOW - timedelta(hours=1),
        age_seconds=3600.0,
        stale=False,
        stale_reason="",
        historical=False,
        reused=False,
        report=report,
        models=(MODEL,),
        identifiers=dict.fromkeys(pairs, SENT),
        delivery={SENT: "pending"},
        refused={},
        urgent_findings=(),
        notices=(),
        no_longer_standing=(),
    )
    return replace(answer, **said)


def found(*answers: LinkOutcome) -> list[tuple[Person, LinkOutcome]]:
    people = [
        Person(f"p{number}", None, LAST, wearables=True)  # type: ignore[arg-type]
        for number, _ in enumerate(answers)
    ]
    return list(zip(people, answers, strict=True))


def printed(*answers: LinkOutcome) -> str:
    lines = link_report.answers(found(*answers), days=90)
    return "\n".join(lines)


def test_a_link_is_printed_with_its_numbers_and_what_it_is_not() -> None:
    text = printed(stored(LINK))
    for said in (
        "p0, 90 days to 2026-03-01 (computed now)",
        "precedes less anxiety by about 6 hours",
        "coefficient -0.50 (90 % -0.60 to -0.40); lag 6 hours (90 % 5 to 7)",
        "p(link) 0.99, direct; 300 reports, n_eff 120.4; reliability high:",
        "association, not a cause",
        "biofeedback may be worth discussing. (rule:",
        f"Observation identifier {SENT}",
        "model biometric_correlation version 1 (sha256 aaaaaaaaaaaa)",
    ):
        assert said in text
    assert "pair" not in text and all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (NIGHTS, "lag 1 nights (90 % 0.5 to 1.5)"),
        ({**NIGHTS, "lag_unit": "days"}, "lag 1 days (90 % 0.5 to 1.5)"),
        (ASSOCIATION, "p(link) 0.99, association; 300 reports"),
    ],
)
def test_lags_without_an_hour_and_associations_are_told_apart(
    other: dict[str, Any], said: str
) -> None:
    assert said in printed(stored(replace(LINK, **other)))


def test_advice_is_printed_only_where_a_rule_speaks() -> None:
    assert "may be worth" not in printed(
        stored(replace(LINK, coefficient=0.5, ci=(0.4, 0.6)))
    )


def test_a_silence_says_why_and_what_it_would_take() -> None:
    silent = replace(LINK, **SILENT)
    text = printed(stored(silent, replace(silent, biometric="steps")))
    assert "No link is sure enough to be put into words." in text
    assert "300 reports" in text and "takes about 200." in text
    assert "2 pairs: no link stands out" in text and "coefficient" not in text
    assert "1 pair: no link stands out" in printed(stored(silent))


def test_notices_and_reuse_are_printed() -> None:
    text = printed(stored(LINK, reused=True, notices=("the engine alone",), models=()))
    assert "stored answer, equal record and models" in text
    assert "  notice: the engine alone" in text and "model " not in text


def test_those_with_a_link_come_first_and_the_rest_is_counted() -> None:
    silent = stored(replace(LINK, **SILENT))
    text = printed(silent, PatientDeceased(), silent, stored(LINK), silent)
    assert text.index("p3, 90 days") < text.index("p0, 90 days")
    assert f"p1: {PatientDeceased()}" in text
    assert "and 2 more patients with wearables: 0 with a link, 2 without" in text
    many = printed(*[stored(LINK)] * 5)
    assert "and 2 more patients with wearables: 2 with a link, 0 without" in many


def test_nobody_with_wearables_is_said_in_a_line() -> None:
    assert printed() == "   nobody has both symptom entries and wearables\n"


def test_what_was_sent_is_named_by_its_pair() -> None:
    unsent = stored(LINK, delivery={SENT: NOT_SENT})
    closed, silent = PatientDeceased(), stored(replace(LINK, **SILENT))
    pair = f"{SIGNAL} and {SYMPTOM}"
    assert link_report.sent(found(closed, silent, stored(LINK))) == {SENT: pair}
    assert link_report.sent(found(unsent)) == {}
