"""Forecasts after the first entries."""

from __future__ import annotations

import numpy as np
import pytest

from export_scripts.cold_start import (
    ENTRIES,
    cold_start_section,
    first_windows,
    in_widths,
    last_value,
)
from export_scripts.real_diaries import diaries
from export_scripts.real_windows import REFERENCE, Answered, Bench
from export_scripts.subgroups import observed


def test_a_window_ends_with_its_last_entry(made_bench: Bench) -> None:
    diary = diaries(made_bench, "westhoff_young")[0]
    found = dict(first_windows(made_bench, diary))
    assert set(found) <= set(ENTRIES)
    assert {1, 2, 3, 4, 5, 6} <= set(found)
    for entries, one in found.items():
        assert observed([one])[0] == entries
        assert np.isfinite(one.series.values[[0, -1]]).all()
        assert np.isfinite(one.target).sum() >= 3


def test_too_late_an_entry_and_too_few_targets_make_no_window(
    made_bench: Bench,
) -> None:
    diary = diaries(made_bench, "westhoff_young")[0]
    gap = np.concatenate([diary.values[:2], np.full(200, np.nan), diary.values])
    late = diary._replace(values=gap, others={})
    assert [k for k, _ in first_windows(made_bench, late)] == []
    short = diary._replace(values=diary.values[:2], others={})
    assert [k for k, _ in first_windows(made_bench, short)] == []


def test_errors_are_the_benchmarks_but_for_their_unit(made_answers: Answered) -> None:
    windows = made_answers.windows
    scores = made_answers.scores[REFERENCE]
    found = in_widths(made_answers.found, windows, made_answers.quantiles[REFERENCE])
    sd = np.array([np.nanstd(w.series.values) for w in windows])
    width = np.array([w.hi - w.lo for w in windows])
    for name in ("mae", "wql"):
        np.testing.assert_allclose(found[name], scores[name] * sd / width)
    for name in ("cov80", "cov95"):
        np.testing.assert_allclose(found[name], scores[name])


def test_the_last_value_is_a_point(made_answers: Answered) -> None:
    one = made_answers.windows[0]
    values = np.append(one.series.values, [7.0, np.nan])
    late = one._replace(series=one.series._replace(values=values))
    assert last_value([late]).tolist() == [[[7.0] * 11] * 14]


@pytest.mark.slow
def test_every_stage_stands_in_the_section(made_bench: Bench) -> None:
    text = "\n".join(cold_start_section(made_bench, ["calm_study"]))
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("|")]
    assert [row[0] for row in rows[2:]] == [f"| {n}" for n in range(1, 7)] + [
        "| 7 to 13"
    ]
    assert rows[2][2] == "14"
    assert "2 data sets" in text
    assert "nan" not in text
