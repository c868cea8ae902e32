"""Columns described one by one, and spread as the twin will find them again."""

from __future__ import annotations

import numpy as np
import pytest

from backend.inference.agreement import COLUMNS
from export_scripts.card_inputs import (
    CODES,
    SAMPLED,
    data_digest,
    described,
    histogram,
    histograms,
    sampled,
)
from export_scripts.datasets import Windows

LIMITS = (-12.0, 12.0)


@pytest.fixture(scope="module")
def seen() -> Windows:
    return sampled(1)


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_every_column_stands_within_its_range(name: str, seen: Windows) -> None:
    columns = described(name)["features"]
    assert tuple(column["name"] for column in columns) == COLUMNS[name]
    values = getattr(seen.arrays, name).reshape(-1, len(columns)).T
    for column, found in zip(columns, values, strict=True):
        low, high = column["range"]
        assert np.nanmin(found) >= low - 1e-5, column
        assert np.nanmax(found) <= high + 1e-5, column
        assert column["code"].split(":")[0] in CODES
        assert np.isnan(found).any() == ("NaN" in column["missing"]), column


def test_histograms_are_of_all_columns_and_sum_to_one(seen: Windows) -> None:
    found = histograms(seen, ["features", "anchor"])
    assert found["people"] == SAMPLED
    for name, columns in found["arrays"].items():
        assert tuple(columns) == COLUMNS[name]
        for each in columns.values():
            assert sum(each["shares"]) + each["missing"] == pytest.approx(1, abs=1e-4)
            assert len(each["shares"]) == len(each["edges"]) - 1 >= 2
    assert found["arrays"]["features"]["lag1_z"]["missing"] > 0.01


def test_a_smooth_column_has_ten_bins_of_like_share() -> None:
    values = np.random.default_rng(1).normal(size=5000)
    found = histogram(values, LIMITS)
    assert len(found["shares"]) == 10
    assert found["shares"] == pytest.approx([0.1] * 10, abs=0.001)
    assert (found["edges"][0], found["edges"][-1]) == LIMITS


def test_what_lies_further_out_counts_in_the_outermost_bin_and_nan_apart() -> None:
    found = histogram(np.array([-99.0, -1.0, 1.0, 99.0, np.nan]), LIMITS)
    assert found["shares"] == [0.2, 0.2, 0.2, 0.2]
    assert found["missing"] == 0.2


def test_each_of_a_few_values_has_its_bin_however_rare() -> None:
    rare = np.array([0.0] * 990 + [1.0] * 5 + [-1.0] * 5)
    found = histogram(rare, (-1.0, 1.0))
    assert found["edges"] == [-1.0, -0.5, 0.5, 1.0]
    assert found["shares"] == [0.005, 0.99, 0.005]


def test_a_frequent_value_has_a_bin_of_its_own_and_noise_does_not_leave_it() -> None:
    rng = np.random.default_rng(2)
    values = np.concatenate([np.zeros(4000), rng.normal(size=1000)])
    found = histogram(values, LIMITS)
    noisy = np.concatenate([rng.normal(scale=1e-9, size=4000), values[4000:]])
    again = np.histogram(noisy, found["edges"])[0] / 5000
    assert max(found["shares"]) == pytest.approx(0.8, abs=0.01)
    assert again == pytest.approx(found["shares"], abs=1e-6)


def test_the_digest_of_the_data_knows_seed_and_target(seen: Windows) -> None:
    found = data_digest(seen)
    assert data_digest(sampled(1)) == found
    assert data_digest(sampled(2))["value"] != found["value"]
    moved = Windows(seen.arrays, seen.target + 1, seen.width)
    assert data_digest(moved)["value"] != found["value"]
