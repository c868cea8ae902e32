"""The coming fortnight of a forecast, whoever answers, and the warning read off it."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.climatology import FORTNIGHT_SHARE
from backend.twin.features import ForecastWindow
from tests.twin.asking import BOTH, DIARY, SMOOTH, ask
from tests.twin.made import window


@pytest.mark.parametrize(
    ("made", "members", "share"),
    [
        (window(SMOOTH), BOTH, 1.0),  # the made models answer all rows alike
        (window(DIARY), frozenset(), FORTNIGHT_SHARE),
    ],
    ids=["ensemble", "climatology"],
)
def test_how_wide_a_fortnight_is_beside_its_days(
    made: ForecastWindow, members: frozenset[str], share: float
) -> None:
    (found,), _ = ask(made, members=members)
    day = found.quantiles[0]
    width = found.fortnight[-1] - found.fortnight[0]
    assert width == pytest.approx(share * (day[-1] - day[0]))


@pytest.mark.parametrize(
    "made",
    [window([9, 12] * 5, of="phq9", every=7), window([4, 5]), window([4])],
    ids=["questionnaire", "two days", "one day"],
)
def test_a_fortnight_of_few_scores_is_narrower_than_its_last_day(
    made: ForecastWindow,
) -> None:
    (found,), _ = ask(made)
    widths = [row[9] - row[1] for row in (found.fortnight, found.quantiles[-1])]
    assert 0 < widths[0] < widths[1]


def test_the_warning_is_read_off_the_fortnight() -> None:
    """Both models see a fall by half an sd: the mean lies below that half of times."""
    falling = {"symptom_transformer": -0.5, "symptom_xgboost": -0.5}
    (found,), _ = ask(window(DIARY), answers=falling)
    assert found.warning is not None
    (worse, band) = found.warning.chances
    assert (worse.event, worse.side) == ("worse", "below")  # mood: higher is better
    assert worse.probability == pytest.approx(0.5)
    assert band.reason == "the scale has no severity bands"
    assert found.warning.mean == pytest.approx(np.mean(DIARY))
    assert found.warning.chart is not None


def test_history_is_no_warning() -> None:
    (found,), _ = ask(window(DIARY), later_days=29)
    assert found.warning is not None
    assert {one.probability for one in found.warning.chances} == {None}
    assert found.warning.no_chart.startswith("historical")
