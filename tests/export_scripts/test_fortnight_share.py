"""The script behind the fortnight's share; the constant is tested in the twin."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.simulation.diaries import Diaries, simulate_diaries
from export_scripts.fortnight_share import DAYS, fortnight_share, main


def diaries(rows: np.ndarray) -> Diaries:
    """People with one symptom each, who reported every day."""
    whole = rows[:, None]
    return Diaries(complete=whole, reported=whole, changes=np.zeros(rows.shape))


def test_the_script_prints_the_constant(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--people", "200", "--seed", "3"])
    rng = np.random.default_rng(3)
    expected = fortnight_share(simulate_diaries(rng, people=200, days=DAYS))
    assert float(capsys.readouterr().out) == pytest.approx(expected, abs=5e-4)


def test_the_fortnights_share_is_the_root_of_fourteen_for_days_without_memory() -> None:
    """Independent days around a level that is known: a mean strays by 1 / sqrt(14)."""
    noise = np.random.default_rng(5).normal(0.5, 0.1, size=(2000, 1014))
    found = fortnight_share(diaries(noise))
    # The weighted past itself strays by the root of the sum of its squared weights.
    share = 0.5 ** (1 / 14)
    level = (1 - share) / (1 + share)
    assert found == pytest.approx(np.sqrt((1 / 14 + level) / (1 + level)), rel=0.03)


def test_who_hardly_moves_has_no_fortnight_to_compare() -> None:
    noise = np.random.default_rng(6).normal(0.5, 0.1, size=(400, 84))
    still = np.full((100, 84), 0.5)
    still[:, -1] = 1.0  # would be a large error, were it divided by a spread of nothing
    both = np.concatenate([noise, still])
    assert fortnight_share(diaries(both)) == fortnight_share(diaries(noise))
