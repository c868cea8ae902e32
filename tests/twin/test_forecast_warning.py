"""The coming fortnight of a forecast, whoever answers, and the warning read off it."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin import climatology
from backend.twin.features import ForecastWindow
from tests.twin.asking import BOTH, DIARY, ask
from tests.twin.made import window


@pytest.mark.parametrize(
    ("made", "members", "narrower"),
    [
        (window(DIARY), BOTH, True),
        (window(DIARY), frozenset(), True),
        (window([9, 12] * 5, of="phq9", every=7), BOTH, False),
        (window([4, 5]), BOTH, False),
    ],
    ids=["ensemble", "climatology", "shrinkage", "prior"],
)
def test_a_mean_is_narrower_than_days_where_days_are_known(
    made: ForecastWindow, members: frozenset[str], *, narrower: bool
) -> None:
    (found,), _ = ask(made, members=members)
    day = found.quantiles[0]
    widths = found.fortnight[-1] - found.fortnight[0], day[-1] - day[0]
    share = climatology.FORTNIGHT_SHARE if narrower else 1.0
    assert widths[0] == pytest.approx(share * widths[1])


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
