"""The table of words and rules: complete, sourced, and refused where it is wrong."""

from __future__ import annotations

import pytest

from backend.twin.correlation.insight_table import insight_table, read_table
from backend.twin.measures import measures
from backend.twin.scales import scales

TABLE = insight_table()
GOOD = """
[biometrics.heart-rate]
more = "higher heart rate"
less = "lower heart rate"
source = "ours"

[symptoms.mood]
scales = ["mood-0-10"]
worse = "lower mood"
better = "better mood"
source = "ours"

[rules.pulse]
biometrics = ["heart-rate"]
symptoms = ["mood"]
advice = "Talk."
source = "ours"
"""


def test_every_measure_and_every_scale_has_words_and_a_source() -> None:
    assert set(TABLE.biometrics) == set(measures())
    assert set(TABLE.symptoms) == set(scales())
    blocks = [*TABLE.biometrics.values(), *TABLE.symptoms.values(), *TABLE.rules]
    assert all(one.source for one in blocks)


def test_the_three_rules_are_there() -> None:
    assert [rule.key for rule in TABLE.rules] == [
        "hrv-anxiety",
        "sleep-mood",
        "activity-mood",
    ]
    assert all("doi:" in rule.source for rule in TABLE.rules)


@pytest.mark.parametrize(
    ("biometric", "symptom", "rule"),
    [
        ("hrv-rmssd", "anxiety-0-100", "hrv-anxiety"),
        ("hrv-sdnn", "gad7", "hrv-anxiety"),
        ("sleep-duration", "mood-0-10", "sleep-mood"),
        ("steps-daily", "phq9", "activity-mood"),
        ("heart-rate", "anxiety-0-10", None),
        ("hrv-rmssd", "mood-0-10", None),
        ("hrv-rmssd", "nothing known", None),
    ],
)
def test_a_rule_speaks_of_its_pairs_alone(
    biometric: str, symptom: str, rule: str | None
) -> None:
    found = TABLE.advice(biometric, symptom)
    assert (found.key if found else None) == rule


def test_a_small_table_is_read() -> None:
    made = read_table(GOOD)
    assert made.biometrics["heart-rate"].more == "higher heart rate"
    assert made.symptoms["mood-0-10"].better == "better mood"
    assert made.rules[0].biometrics == ("heart-rate",)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("biometrics.heart-rate", "biometrics.pulse", "no such measure: pulse"),
        ('scales = ["mood-0-10"]', 'scales = ["m"]', "no such scale: m"),
        ('["mood-0-10"]', '["mood-0-10", "mood-0-10"]', "words twice: mood-0-10"),
        ('["heart-rate"]', '["spo2"]', "signal has no words: spo2"),
        ('symptoms = ["mood"]', 'symptoms = ["x"]', "symptom has no words: x"),
        ('advice = "Talk."', "", r"\[rules.pulse\]: fields are"),
        ('less = "lower heart rate"', "", r"\[biometrics.heart-rate\]"),
    ],
)
def test_a_wrong_table_is_refused(old: str, new: str, why: str) -> None:
    assert old in GOOD
    with pytest.raises(ValueError, match=why):
        read_table(GOOD.replace(old, new))
