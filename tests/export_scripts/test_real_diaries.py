"""Whole diaries, and windows cut from them."""

from __future__ import annotations

import numpy as np

from export_scripts.real_diaries import diaries, window
from export_scripts.real_windows import Answered, Bench


def test_a_window_cut_alike_is_the_benchmarks_own(made_answers: Answered) -> None:
    found = made_answers.found
    made = {(d.patient, d.symptom): d for d in diaries(found, "calm_study")}
    for theirs in made_answers.windows:
        if theirs.dataset != "calm_study":
            continue
        diary = made[theirs.patient, theirs.symptom]
        at = int((theirs.series.dates[-1] - diary.first).astype(int)) + 1
        ours = window(found, diary, at, start=at - len(theirs.series.dates))
        assert ours[:6] == theirs[:6]
        np.testing.assert_array_equal(ours.target, theirs.target)
        np.testing.assert_array_equal(ours.series.dates, theirs.series.dates)
        np.testing.assert_array_equal(ours.series.values, theirs.series.values)
        assert ours.series[2:7] == theirs.series[2:7]
        assert ours.series.others.keys() == theirs.series.others.keys()
        for name, values in theirs.series.others.items():
            np.testing.assert_array_equal(ours.series.others[name], values)


def test_days_after_the_diary_are_absent(made_bench: Bench) -> None:
    diary = diaries(made_bench, "westhoff_young")[0]
    last = window(made_bench, diary, len(diary.values))
    assert np.isnan(last.target).all()
    assert len(last.target) == 14


def test_some_patients_are_the_same_at_every_call(made_bench: Bench) -> None:
    few, again = (
        {d.patient for d in diaries(made_bench, "calm_study", most=3)} for _ in "ab"
    )
    assert few == again
    assert len(few) == 3
    assert not any(d.symptom == "panic" for d in diaries(made_bench, "calm_study"))
