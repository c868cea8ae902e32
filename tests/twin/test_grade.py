from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.grade import Evidence, grade
from backend.twin.trajectory import Grade

GOOD = Evidence(
    cadence="daily", method="ensemble", observed_days=40, span_days=45, age_days=1
)
ASKED = Evidence(
    cadence="questionnaire",
    method="irregular",
    observed_days=8,
    span_days=120,
    age_days=1,
)
ORDER = [Grade.LOW, Grade.MEDIUM, Grade.HIGH]

evidences = st.builds(
    lambda days, gaps, **rest: Evidence(
        observed_days=days, span_days=days + gaps, **rest
    ),
    days=st.integers(1, 126),
    gaps=st.integers(0, 60),
    cadence=st.sampled_from(["daily", "questionnaire"]),
    method=st.sampled_from(["ensemble", "climatology", "irregular", "prior"]),
    age_days=st.integers(0, 200),
)


@pytest.mark.parametrize(
    ("changes", "level", "word"),
    [
        ({}, Grade.HIGH, "40 observed days"),
        ({"observed_days": 30, "span_days": 30}, Grade.HIGH, "30 or more"),
        ({"observed_days": 29, "span_days": 29}, Grade.MEDIUM, "14 to 29"),
        ({"observed_days": 13, "span_days": 13}, Grade.LOW, "fewer than 14"),
        ({"observed_days": 1, "span_days": 1}, Grade.LOW, "1 observed day "),
        ({"span_days": 81}, Grade.MEDIUM, "49 % of 81 days"),
        ({"span_days": 80}, Grade.HIGH, "observed"),
        ({"age_days": 8}, Grade.MEDIUM, "last entry is 8 days old"),
        ({"age_days": 13}, Grade.MEDIUM, "last entry is 13 days old"),
        ({"age_days": 14}, Grade.LOW, "no forecast day lies ahead: the last entry is"),
        ({"age_days": 28}, Grade.LOW, "no forecast day lies ahead"),
        ({"age_days": 29}, Grade.LOW, "historical"),
        ({"span_days": 81, "age_days": 8}, Grade.LOW, "49 % of 81 days"),
        ({"span_days": 81, "age_days": 8}, Grade.LOW, "last entry is 8 days old"),
        ({"span_days": 81, "method": "climatology"}, Grade.MEDIUM, "no model"),
        ({"method": "climatology"}, Grade.MEDIUM, "no model"),
        ({"method": "irregular"}, Grade.MEDIUM, "no model: few scores, at their own"),
        (
            {"method": "prior"},
            Grade.LOW,
            "one day with an entry in the last 126 days: how",
        ),
    ],
)
def test_what_holds_a_grade_down(
    changes: dict[str, object], level: Grade, word: str
) -> None:
    found, reasons = grade(replace(GOOD, **changes))
    assert found is level
    assert any(word in reason for reason in reasons)


@pytest.mark.parametrize(
    ("changes", "level", "word"),
    [
        ({}, Grade.MEDIUM, "8 days with scores (6 or more)"),
        ({"observed_days": 6}, Grade.MEDIUM, "6 days with scores (6 or more)"),
        ({"observed_days": 5}, Grade.LOW, "5 days with scores (fewer than 6)"),
        ({"observed_days": 2}, Grade.LOW, "no model: few scores, at their own days"),
        ({"observed_days": 1, "method": "prior"}, Grade.LOW, "1 day with a score ("),
        ({"age_days": 13}, Grade.MEDIUM, "8 days with scores"),
        ({"age_days": 14}, Grade.LOW, "lies ahead"),
        ({"age_days": 120}, Grade.LOW, "lies ahead"),
        ({"age_days": 121}, Grade.LOW, "historical"),
    ],
)
def test_a_questionnaire_counts_scores_and_not_how_densely_they_lie(
    changes: dict[str, object], level: Grade, word: str
) -> None:
    found, reasons = grade(replace(ASKED, **changes))
    assert found is level
    assert any(word in reason for reason in reasons)


def test_one_step_down_from_medium_is_low() -> None:
    thin = replace(GOOD, observed_days=14, span_days=40)
    assert grade(thin)[0] is Grade.LOW


def test_the_reasons_name_everything_that_counted_and_nothing_else() -> None:
    assert grade(GOOD)[1] == ("40 observed days (30 or more)",)
    worst = replace(GOOD, span_days=81, age_days=8, method="climatology")
    assert grade(worst)[1] == (
        "40 observed days (30 or more)",
        "49 % of 81 days have an entry",
        "the last entry is 8 days old",
        "fallback: the person's own recent days, no model",
    )


@given(evidences)
def test_few_entries_are_always_low_and_reasons_begin_with_their_number(
    evidence: Evidence,
) -> None:
    level, reasons = grade(evidence)
    assert reasons[0].startswith(f"{evidence.observed_days} ")
    if evidence.observed_days < (14 if evidence.cadence == "daily" else 6):
        assert level is Grade.LOW


@given(evidences)
def test_without_a_model_and_for_a_questionnaire_nothing_is_high(
    evidence: Evidence,
) -> None:
    if evidence.method != "ensemble" or evidence.cadence == "questionnaire":
        assert grade(evidence)[0] is not Grade.HIGH


@given(evidences, st.integers(0, 60))
def test_more_answered_days_never_lower_a_grade(evidence: Evidence, more: int) -> None:
    fuller = replace(
        evidence,
        observed_days=evidence.observed_days + more,
        span_days=evidence.span_days + more,
    )
    before, after = (ORDER.index(grade(e)[0]) for e in (evidence, fuller))
    assert after >= before


@given(evidences, st.integers(1, 60))
def test_an_older_last_entry_never_raises_a_grade(
    evidence: Evidence, older: int
) -> None:
    aged = replace(evidence, age_days=evidence.age_days + older)
    assert ORDER.index(grade(aged)[0]) <= ORDER.index(grade(evidence)[0])
