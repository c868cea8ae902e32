"""What the demo prints of an answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from backend.jobs import report
from backend.jobs.demo import Person
from backend.predictions.answer import Instrument
from backend.predictions.remarks import UrgentFinding
from backend.predictions.stored import StoredForecast
from backend.twin.scales import scale
from tests.conftest import NOW
from tests.twin.made import LAST, forecast

FOUND = UrgentFinding("self-harm", "phq9", LAST, 1.0, "{score}")
NOTICE = "2 answers to a self-harm item could not be read; look at them in the EHR."


def printed(*keys: str, **said: Any) -> list[str]:
    """The report on one patient with a forecast of each of these scales."""
    items = tuple(
        Instrument(forecast(scale(key), 5.0), (), UUID(int=number))
        for number, key in enumerate(keys)
    )
    usual = {"refused": {}, "urgent_findings": (), "notices": ()}
    usual |= {"no_longer_standing": ()}
    answer = StoredForecast(
        id=UUID(int=100),
        patient_id=UUID(int=101),
        as_of=LAST,
        created=NOW - timedelta(hours=1),
        age_seconds=3600.0,
        stale=False,
        stale_reason="",
        reused=False,
        historical=False,
        instruments=items,
        delivery={item.identifier: "pending" for item in items},
        **{**usual, **said},
    )
    person = Person(label="one", patient=None, as_of=LAST)  # type: ignore[arg-type]
    return list(report.answers([(person, answer)]))


def test_a_finding_without_a_forecast_is_printed_above_the_forecasts() -> None:
    lines = printed("mood-0-10", refused={"no-value": 2}, urgent_findings=(FOUND,))
    at = lines.index("  not used: 2 no-value")
    assert lines[at + 1 : at + 3] == [
        "  urgent: PHQ-9 total score: self-harm item above its threshold on 2026-03-01",
        "    (1 point)",
    ]
    assert lines[at + 3].startswith("  Mood rating 0-10")


def test_a_finding_that_its_forecast_says_is_not_printed_twice() -> None:
    assert printed("phq9", urgent_findings=(FOUND,)) == printed("phq9")


@pytest.mark.parametrize("keys", [("phq9",), ("mood-0-10",)])
def test_notices_are_printed(keys: tuple[str, ...]) -> None:
    text = " ".join(line.strip() for line in printed(*keys, notices=(NOTICE,)))
    assert f"notice: {NOTICE}" in text


def test_what_no_longer_stands_in_the_ehr_is_printed() -> None:
    lines = printed("mood-0-10", no_longer_standing=(UUID(int=7),))
    text = " ".join(line.strip() for line in lines)
    assert f"forecast {UUID(int=7)} in the EHR used an entry that was taken" in text


def test_the_early_warning_stands_below_the_first_forecast_only() -> None:
    lines = printed("mood-0-10", "stress-0-100")
    warned = [at for at, line in enumerate(lines) if line.startswith("    Early w")]
    second = next(at for at, line in enumerate(lines) if line.startswith("  Stress"))
    assert len(warned) == 2
    assert max(warned) < second
    assert lines[second - 1] == (
        "    No control chart: 20 observed days; a chart takes 28 or more."
    )
