from __future__ import annotations

import pytest

from backend.twin.pharmacogenomics.activity import nearest_key, read_score, total

KEYS = ("0.0", "0.25", "1.0", "2.5", "4.0", "≥3.0", "≥3.75", "≥5.0", "n/a")


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("1", "1.0"),
        ("1.0", "1.0"),
        ("1.25", "1.25"),
        (" 0.50 ", "0.5"),
        ("≥3", "≥3.0"),
        (">=3.0", "≥3.0"),
        (">= 3.25", "≥3.25"),
        ("n/a", "None"),
        ("-1", "None"),
        ("1,5", "None"),
        (">3", "None"),
        ("", "None"),
        ("nan", "None"),
        ("100", "None"),
    ],
)
def test_scores_as_written(text: str, spelled: str) -> None:
    assert str(read_score(text)) == spelled


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("0.0", "0.0", "0.0"),
        ("1.0", "0.25", "1.25"),
        ("≥3.0", "0.75", "≥3.75"),
        ("0.5", "≥3.0", "≥3.5"),
        ("≥3.0", "≥3.0", "≥6.0"),
        ("n/a", "≥3.0", "n/a"),
        ("1.0", "n/a", "n/a"),
    ],
)
def test_sums(one: str, other: str, expected: str) -> None:
    assert total(one, other) == total(other, one) == expected


@pytest.mark.parametrize(
    ("score", "key"),
    [
        ("0.25", "0.25"),
        ("4", "4.0"),
        ("≥3.75", "≥3.75"),
        ("3.5", "≥3.0"),
        ("4.5", "≥3.75"),
        ("≥4.0", "≥3.75"),
        ("17", "≥5.0"),
        ("0.3", None),
        ("2.75", None),
        ("≥2.0", None),
    ],
)
def test_a_score_that_has_no_key_is_not_rounded(score: str, key: str | None) -> None:
    read = read_score(score)
    assert read
    assert nearest_key(read, KEYS) == key
