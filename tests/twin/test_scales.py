from __future__ import annotations

import json
from pathlib import Path

import pytest
from fhir.resources.R4B.observation import Observation
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.errors import UnknownScale
from backend.twin.scales import (
    Scale,
    by_code,
    known_scales,
    local_scale,
    read_scales,
    safety_scale,
    scale,
    scales,
)

OBSERVATIONS = Path(__file__).resolve().parents[1] / "data" / "fhir" / "scales"
LOINC = "http://loinc.org"
INSTRUMENT = "https://mindtwin.example/fhir/CodeSystem/instrument"
RATING = "https://mindtwin.example/fhir/CodeSystem/rating"

every_scale = pytest.mark.parametrize("key", sorted(known_scales()))


@every_scale
def test_each_scale_is_read_from_a_real_observation(key: str) -> None:
    observation = json.loads((OBSERVATIONS / f"{key}.json").read_text())
    Observation.model_validate(observation)
    coding = observation["code"]["coding"][0]
    found = by_code(coding["system"], coding["code"])
    assert found is scale(key)
    if not found.is_answer_only:
        quantity = observation["valueQuantity"]
        assert found.low <= quantity["value"] <= found.high
        assert quantity["code"] == found.unit


def test_no_observation_is_left_without_its_scale() -> None:
    assert {path.stem for path in OBSERVATIONS.glob("*.json")} == set(known_scales())


def test_an_instrument_without_a_total_is_no_series() -> None:
    screener = {"wish", "thoughts", "method", "intent", "plan", "behaviour"}
    single = {"cssrs", "cssrs-behaviour-recent", "cms-self-harm", "cms-self-harm-days"}
    single |= {f"cssrs-{name}" for name in screener}
    assert set(known_scales()) - set(scales()) == single
    assert scale("cssrs").is_answer_only
    assert safety_scale(LOINC, "93293-9") is scale("cssrs")


@every_scale
def test_each_scale_names_its_source_and_has_room_for_scores(key: str) -> None:
    made = scale(key)
    assert made.source
    assert made.width == made.high - made.low > 0


@every_scale
@given(data=st.data())
def test_a_band_holds_its_score(key: str, data: st.DataObject) -> None:
    made = scale(key)
    score = data.draw(st.floats(made.low, made.high))
    band = made.band(score)
    if not made.bands:
        assert band is None
        return
    assert band is not None
    assert band.low <= score
    higher = [other.low for other in made.bands if other.low > band.low]
    assert score < min(higher, default=float("inf"))  # a gap belongs to the band below


@every_scale
@given(data=st.data())
def test_worse_scores_never_have_a_milder_band(key: str, data: st.DataObject) -> None:
    made = scale(key)
    scores = st.floats(made.low, made.high)
    low, high = sorted((data.draw(scores), data.draw(scores)))
    better, worse = (low, high) if made.higher_is_worse else (high, low)
    ranks = [band.rank if (band := made.band(s)) else 0 for s in (better, worse)]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    ("score", "name", "severe"),
    [(4, "none or minimal", False), (9.6, "mild", False), (20, "severe", True)],
)
def test_phq9_bands(score: float, name: str, *, severe: bool) -> None:
    band = scale("phq9").band(score)
    assert band is not None
    assert (band.name, band.severe) == (name, severe)


def test_a_score_below_the_first_band_has_none() -> None:
    assert scale("phq9").band(-1) is None


@pytest.mark.parametrize("high", [10, 100])
@pytest.mark.parametrize(
    ("word", "higher_is_worse"),
    [
        ("mood", False),
        ("sleep-quality", False),
        ("energy", False),
        ("anxiety", True),
        ("irritability", True),
        ("stress", True),
    ],
)
def test_direction_of_the_ratings(word: str, high: int, higher_is_worse: bool) -> None:
    made = scale(f"{word}-0-{high}")
    assert (made.system, made.cadence) == (RATING, "daily")
    assert (made.low, made.high) == (0, high)
    assert made.higher_is_worse is higher_is_worse


def test_codings_that_the_table_does_not_know() -> None:
    assert by_code(LOINC, "8867-4") is None
    assert by_code(RATING, "44261-6") is None  # a code belongs to its system
    with pytest.raises(UnknownScale, match="phq9"):
        scale("phq-9")


def test_the_safety_item_leads_to_its_scale() -> None:
    assert safety_scale(LOINC, "44260-8") is scale("phq9")
    assert safety_scale(LOINC, "44261-6") is None
    assert safety_scale(INSTRUMENT, "epds-item-10") is scale("epds")
    assert safety_scale(LOINC, "epds-item-10") is None
    assert scale("gad7").safety_system == ""


@pytest.mark.parametrize(
    ("key", "code", "high"),
    [
        ("phq9", "44260-8", 3),
        ("epds", "epds-item-10", 3),
        ("madrs", "madrs-item-10", 6),
        ("hamd17", "hamd17-item-3", 4),
        ("cssrs", "93293-9", 5),
        ("cssrs-wish", "93246-7", 1),
        ("cssrs-thoughts", "93247-5", 1),
        ("cssrs-method", "93248-3", 1),
        ("cssrs-intent", "93249-1", 1),
        ("cssrs-plan", "93250-9", 1),
        ("cssrs-behaviour", "93267-3", 1),
        ("cssrs-behaviour-recent", "93269-9", 1),
        ("cms-self-harm", "54652-3", 1),
        ("cms-self-harm-days", "54653-1", 3),
        ("phq9-teen", "phq9-teen-item-9", 3),
    ],
)
def test_any_answer_above_zero_calls_for_a_human(
    key: str, code: str, high: float
) -> None:
    item = scale(key).safety_item
    assert item is not None
    assert (item.code, item.low, item.above, item.high) == (code, 0, 0, high)


@pytest.mark.parametrize(
    ("key", "answer", "meaning"),
    [
        ("cssrs", 1, "a wish to be dead"),
        ("cssrs", 5, "intent and a plan"),
        *(("cssrs", 0, ""), ("cssrs", 6, ""), ("cssrs", 2.5, "")),
        ("cssrs-plan", 1, "yes"),
        ("phq9", 3, ""),
    ],
)
def test_an_answer_is_said_in_words(key: str, answer: float, meaning: str) -> None:
    item = scale(key).safety_item
    assert item is not None
    assert item.meaning(answer) == meaning


@pytest.mark.parametrize(
    ("key", "ends", "severe_from", "change"),
    [
        ("phq9", "0-27", 20, 5),
        ("phq9-teen", "0-27", 20, None),
        ("gad7", "0-21", 15, 4),
        ("phq2", "0-6", None, None),
        ("pcl5", "0-80", None, 12),
        ("who5", "0-100", None, 10),
        ("who5-raw", "0-25", None, 2.5),
        ("epds", "0-30", None, 4),
        ("isi", "0-28", 22, 6),
        ("madrs", "0-60", 35, None),
        ("hamd17", "0-52", 24, None),
        ("ymrs", "0-60", 25, 6.6),
        ("cssrs", "0-5", None, None),
    ],
)
def test_what_the_publications_say(
    key: str, ends: str, severe_from: float | None, change: float | None
) -> None:
    made = scale(key)
    severe = [band.low for band in made.bands if band.severe]
    assert (f"{made.low:g}-{made.high:g}", made.important_change) == (ends, change)
    assert severe == ([] if severe_from is None else [severe_from])
    assert made.higher_is_worse is (not key.startswith("who5"))


@pytest.mark.parametrize(
    ("key", "youngest"),
    [
        *(("phq9", 12), ("gad7", 12), ("phq2", 12), ("pcl5", 18)),
        *(("who5", 9), ("who5-raw", 9), ("madrs", None), ("mood-0-10", None)),
    ],
)
def test_ages_stand_only_with_a_source(key: str, youngest: int | None) -> None:
    made = scale(key)
    assert (made.youngest, made.oldest) == (youngest, None)
    assert (made.ages_source is None) is (youngest is None)
    assert made.youngest is None or type(made.youngest) is int


def test_a_local_scale_has_bounds_and_no_opinion() -> None:
    made = local_scale("restless", system="urn:diary", low=1, high=7)
    assert (made.low, made.high, made.cadence) == (1, 7, "daily")
    assert made.higher_is_worse is None
    assert made.bands == ()
    assert made.key == "diary:restless"


BLOCK = """
[new]
title = "A new scale"
system = "urn:new"
code = "1"
unit = "{score}"
low = 0
high = 10
cadence = "daily"
source = "a paper"
"""


def test_a_block_needs_no_direction() -> None:
    made = read_scales(BLOCK)["new"]
    assert made.higher_is_worse is None
    assert isinstance(made.low, float)


def test_bands_rank_from_mildest_whatever_the_direction() -> None:
    bands = (
        'higher_is_worse = false\nbands = [{name = "poor", low = 0, high = 4},'
        '{name = "fine", low = 5, high = 10}]'
    )
    made: Scale = read_scales(BLOCK + bands)["new"]
    assert [(band.name, band.rank) for band in made.bands] == [("poor", 1), ("fine", 0)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("high = 10", "high = 0"), "low must be below high"),
        (("daily", "hourly"), "cadence"),
        (('unit = "{score}"\n', ""), "unit"),
        (("low = 0", "lowest = 0"), "lowest"),
        (('"a paper"', '"a paper"\nimportant_change = 2'), "source come together"),
        (('"a paper"', '"a paper"\nchange_source = "x"'), "source come together"),
        (('"a paper"', '"a paper"\nyoungest = 12'), "ages and their source"),
        (('"a paper"', '"a paper"\nages_source = "x"'), "ages and their source"),
        (
            ('"a paper"', '"a paper"\nyoungest = 9\noldest = 8\nages_source = "x"'),
            "youngest must not be above oldest",
        ),
        (
            ('"a paper"', '"a paper"\nsafety_item = {code="2",title="t",above=3}'),
            "threshold",
        ),
        (('"a paper"', '"a paper"\nbands=[{name="a",low=0,high=9}]'), "cover"),
        (('"a paper"', '"a paper"\nbands=[{name="a",low=1,high=10}]'), "cover"),
        (('"a paper"', '"a paper"\nbands=[{name="a",low=0,high=10}]'), "direction"),
        (
            (
                '"a paper"',
                '"a paper"\nbands=[{name="a",low=0,high=6},{name="b",low=5,high=10}]',
            ),
            "ascend",
        ),
    ],
)
def test_a_block_that_contradicts_itself_is_refused(
    change: tuple[str, str], why: str
) -> None:
    with pytest.raises(ValueError, match=rf"\[new\].*{why}"):
        read_scales(BLOCK.replace(*change))


def test_two_scales_cannot_share_a_code() -> None:
    with pytest.raises(ValueError, match="share one code"):
        read_scales(BLOCK + BLOCK.replace("[new]", "[other]"))
