from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.scales import scale
from fhir_integration.codes import ITEMS, LOINC
from fhir_integration.items import item_scales, total_of, totals_of

PHQ9, PHQ2, GAD7 = ITEMS["phq9"], ITEMS["phq2"], ITEMS["gad7"]


def answered(*codes: str, number: float = 1.0) -> dict[str, float]:
    return dict.fromkeys(codes, number)


@pytest.mark.parametrize(("key", "count"), [("phq9", 9), ("gad7", 7), ("phq2", 2)])
def test_the_items_fill_the_scale(key: str, count: int) -> None:
    codes = ITEMS[key]
    assert len(set(codes)) == len(codes) == count
    assert total_of(answered(*codes, number=0.0), scale(key)) == scale(key).low
    assert total_of(answered(*codes, number=3.0), scale(key)) == scale(key).high


@pytest.mark.parametrize("key", sorted(ITEMS))
def test_a_missing_answer_is_not_zero(key: str) -> None:
    for left_out in ITEMS[key]:
        some = [code for code in ITEMS[key] if code != left_out]
        assert total_of(answered(*some), scale(key)) is None


def test_what_has_no_items_has_no_sum() -> None:
    assert total_of(answered(*PHQ9), scale("madrs")) is None


@pytest.mark.parametrize(
    ("codes", "totals"),
    [
        ((), {}),
        (PHQ9, {"phq9": 9.0}),
        (PHQ2, {"phq2": 2.0}),
        (PHQ9[:3], {}),
        ((*PHQ2, *GAD7), {"phq2": 2.0, "gad7": 7.0}),
        ((*PHQ9, *GAD7, "69722-7"), {"phq9": 9.0, "gad7": 7.0}),
    ],
)
def test_every_complete_questionnaire_has_its_total(
    codes: tuple[str, ...], totals: dict[str, float]
) -> None:
    assert totals_of(answered(*codes)) == totals


def test_an_item_leads_to_the_longest_questionnaire() -> None:
    assert item_scales()[LOINC, "44250-9"] is scale("phq9")
    assert item_scales()[LOINC, "69736-7"] is scale("gad7")
    assert (LOINC, "69722-7") not in item_scales()  # difficulty is in no total


@given(st.dictionaries(st.sampled_from([*PHQ9, *GAD7, "x"]), st.integers(0, 3)))
def test_a_total_is_never_outside_its_scale(items: dict[str, int]) -> None:
    for key, total in totals_of(dict(items)).items():
        assert scale(key).low <= total <= scale(key).high
