from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

from backend.pages.svg import BOTTOM, HEIGHT, TOP, svg
from backend.twin.scales import scale
from tests.twin.made import forecast

MOOD = scale("mood-0-10")


def heights(points: str) -> list[float]:
    return [float(point.split(",")[1]) for point in points.split()]


def test_the_picture_is_well_formed_and_says_what_it_shows() -> None:
    root = ET.fromstring(svg(forecast(MOOD, 5.0)))
    assert root.get("role") == "img"
    assert MOOD.title in (root.get("aria-label") or "")


def test_a_higher_score_is_drawn_higher() -> None:
    root = ET.fromstring(svg(forecast(MOOD, [float(day % 10) for day in range(14)])))
    line = root.find("polyline")
    assert line is not None
    drawn = heights(line.get("points", ""))
    assert len(drawn) == 14
    assert drawn[1] < drawn[0]


def test_the_80_band_lies_inside_the_95_band_and_both_on_the_paper() -> None:
    root = ET.fromstring(svg(forecast(MOOD, 5.0)))
    wide, narrow = (heights(p.get("points", "")) for p in root.findall("polygon"))
    assert min(wide) <= min(narrow) <= max(narrow) <= max(wide)
    assert min(wide) >= TOP
    assert max(wide) <= HEIGHT - BOTTOM


def test_a_title_from_outside_cannot_carry_markup() -> None:
    hostile = replace(MOOD, title='<script>alert("x")</script>')
    assert "<script" not in svg(forecast(hostile, 5.0))
