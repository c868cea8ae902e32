from __future__ import annotations

import pytest

from backend.twin.measures import by_code, measures, read_measures

BLOCK = """
[pulse]
title = "Pulse"
unit = "/min"
low = 20
high = 250
window = "instant"
source = "a test"
codes = [{ system = "urn:x", code = "1" }]
"""


def test_every_measure_says_where_its_range_comes_from() -> None:
    for key, measure in measures().items():
        assert measure.key == key
        assert measure.low < measure.high
        assert len(measure.source) > 15
        assert measure.codes


def test_the_two_variabilities_share_no_code() -> None:
    sdnn, rmssd = measures()["hrv-sdnn"], measures()["hrv-rmssd"]
    assert sdnn.codes == (("http://loinc.org", "80404-7"),)
    assert rmssd.codes == (
        ("https://mindtwin.example/fhir/CodeSystem/measure", "hrv-rmssd"),
    )


def test_both_codes_of_oxygen_saturation_name_one_measure() -> None:
    known = by_code()
    codes = ("59408-5", "2708-6")
    assert {known["http://loinc.org", code].key for code in codes} == {"spo2"}


def test_a_block_is_read() -> None:
    measure = read_measures(BLOCK)["pulse"]
    assert (measure.low, measure.high, measure.also) == (20.0, 250.0, ())


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (BLOCK.replace("low = 20", "low = 250"), "low must be below high"),
        (BLOCK.replace("instant", "eternity"), "no such window"),
        (BLOCK.replace("unit =", "units ="), r"\[pulse\]"),
        (BLOCK.replace("low =", "lowest ="), r"\[pulse\]"),
        (BLOCK + BLOCK.replace("[pulse]", "[heart]"), "share one code"),
    ],
)
def test_a_block_that_contradicts_itself_is_named(wrong: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_measures(wrong)
