"""Two forecasters side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from export_scripts import compare
from export_scripts.real_windows import OURS, REFERENCE, Answered


@pytest.fixture
def here(made_answers: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "bench", lambda _: made_answers.found)


@pytest.mark.usefixtures("here")
def test_what_is_saved_compares_equal_to_itself(
    made_answers: Answered, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ours.npz"
    compare.main(["--save", str(file)])
    saved = np.load(file)["quantiles"]
    np.testing.assert_allclose(saved, made_answers.quantiles[OURS], atol=1e-4)
    compare.main([str(file), str(file)])
    text = capsys.readouterr().out
    assert text.count("+0.00 [+0.00, +0.00]") == len(compare.LOSSES)
    assert text.endswith("wql worse in: none\n")


def test_a_worse_forecaster_is_called_so(made_answers: Answered) -> None:
    good = made_answers.quantiles[REFERENCE]
    low = np.broadcast_to(good[..., :1], good.shape)
    text = compare.report(made_answers.found, made_answers.windows, [good, low])
    assert "wql worse in: calm_study -" in text
    scores = made_answers.found.score.pooled(made_answers.scores[REFERENCE])
    assert f"wql    {scores['wql']:8.4f}" in text


@pytest.mark.parametrize("files", [[], ["one.npz"]])
def test_fewer_than_two_files_are_an_error(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        compare.main(files)
    assert "name two files" in capsys.readouterr().err
