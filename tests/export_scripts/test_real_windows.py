"""The benchmark by its path, the served path by its name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from export_scripts import real_windows
from export_scripts.real_windows import OURS, PLAIN, Answered, asked, people, predicted


def test_the_benchmark_leaves_no_module_behind(made_answers: Answered) -> None:
    assert made_answers.found.windows.HORIZON == 14
    assert not {"windows", "predictors", "score"} & sys.modules.keys()


def test_everybody_answers_every_window(made_answers: Answered) -> None:
    count = len(made_answers.windows)
    assert made_answers.quantiles.keys() == {OURS, *PLAIN}
    for quantiles in made_answers.quantiles.values():
        assert quantiles.shape == (count, 14, 11)
        assert (np.diff(quantiles, axis=-1) >= 0).all()
    assert len(made_answers.made) == count
    assert people(made_answers.windows) == f"{count} windows, 13 patients, 2 data sets."


def test_a_baseline_is_scored_as_the_benchmark_scores_it(
    made_answers: Answered,
) -> None:
    found = made_answers.found
    raw, _ = found.score.run(
        found.predictors.ewclim14_fine, made_answers.windows, batch=7
    )
    expected = found.score.pooled(found.score.per_window(made_answers.windows, raw))
    ours = found.score.pooled(made_answers.scores["ewclim14"])
    assert ours.to_dict() == pytest.approx(expected.to_dict())


def test_what_is_not_finite_is_refused(made_answers: Answered) -> None:
    def broken(batch: Sequence[Any]) -> np.ndarray:
        return np.full((len(batch), 14, 11), np.nan)

    with pytest.raises(ValueError, match="not finite"):
        predicted(broken, made_answers.windows, "broken")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (np.full(11, np.nan), "not finite"),
        (np.linspace(1, 0, 11), "descend"),
        (np.linspace(0, 99, 11), "outside"),
    ],
)
def test_the_served_path_is_held_to_its_word(
    made_answers: Answered,
    monkeypatch: pytest.MonkeyPatch,
    row: np.ndarray,
    words: str,
) -> None:
    path = SimpleNamespace(
        answers=lambda batch: batch,
        aligned=lambda made, _: np.tile(row, (len(made), 14, 1)),
    )
    monkeypatch.setattr(real_windows, "served", lambda: path)
    with pytest.raises(ValueError, match=words):
        asked(made_answers.windows, "served")
