"""The script behind the prior's constants; the constants are tested in the twin."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.climatology import fortnight_quantiles, mean_of, weighted_quantiles
from export_scripts.prior import fortnight_share, main, prior


def test_the_script_prints_every_constant(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--people", "200", "--seed", "3"])
    lines = dict(line.split() for line in capsys.readouterr().out.splitlines())
    expected = prior(3, count=200)._asdict()
    assert {name: float(value) for name, value in lines.items()} == {
        name: pytest.approx(value, abs=5e-4) for name, value in expected.items()
    }


def test_with_its_share_four_of_five_means_lie_in_the_interval() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=(500, 60))
    values[rng.random(values.shape) < 0.2] = np.nan
    means = rng.normal(scale=0.5, size=500)
    share = fortnight_share(values, means)
    weights = np.broadcast_to(0.5 ** (np.arange(60)[::-1] / 14), values.shape)
    days = weighted_quantiles(values, weights)
    made = np.array([fortnight_quantiles(row[None], share=share) for row in days])
    inside = (made[:, 1] - 1e-9 <= means) & (means <= made[:, 9] + 1e-9)
    assert inside.mean() == pytest.approx(0.8, abs=0.003)


def test_a_mean_on_the_days_own_interval_needs_the_whole_of_it() -> None:
    values = np.tile([0.0, 1.0, 2.0, 3.0, 10.0], (1, 4))
    weights = np.broadcast_to(0.5 ** (np.arange(20)[::-1] / 14), values.shape)
    days = weighted_quantiles(values, weights)
    assert fortnight_share(values, days[:, 9]) == pytest.approx(1.0)
    assert fortnight_share(values, mean_of(days)) == 0.0
