"""The page's section on the fortnight's mean."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from export_scripts import record_baselines
from export_scripts.real_windows import REFERENCE, Answered
from export_scripts.shift_section import shift_section


@pytest.fixture(scope="module")
def recorded(made_answers: Answered, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain baseline's figures, recorded as a slow one's are."""
    found, every = made_answers.found, made_answers.windows
    few = found.windows.subset(every)
    quantiles = made_answers.quantiles[REFERENCE]
    figures = record_baselines.figures
    rows = {
        "all": {"ets": figures(found, every, quantiles)},
        "subset": {"ces": figures(found, [every[i] for i in few], quantiles[few])},
    }
    path = tmp_path_factory.mktemp("recorded") / "figures.toml"
    path.write_text(record_baselines.written(len(every), "made here", rows))
    return path


def test_recorded_figures_are_made_as_ours_are(
    made_answers: Answered, recorded: Path
) -> None:
    text = "\n".join(shift_section(made_answers, recorded))
    row = re.search(r"\| ewclim14 \| (\S+) \|.*\| (\S+) \|$", text, re.MULTILINE)
    assert row
    assert f"| ets | {row[1]} |" in text
    assert f"{row[2]} |" in text[text.index("| ets |") :].splitlines()[0]
    assert "(made here)" in text
    assert "| ces | " in text
    assert "Brier score 0." in text
    assert "The chart's sensitivity is" in text
    assert "nan" not in text


def test_without_charts_and_records_the_rest_stands(
    made_answers: Answered, tmp_path: Path
) -> None:
    silent = [replace(one, warning=None) for one in made_answers.made]
    text = "\n".join(shift_section(replace(made_answers, made=silent), tmp_path / "no"))
    assert "Recorded once" not in text
    assert "EWMA" not in text
    assert "| MindTwin | 0." in text


def test_records_of_other_windows_are_not_shown(
    made_answers: Answered, tmp_path: Path
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(record_baselines.written(1, "elsewhere", {}))
    assert "elsewhere" not in "\n".join(shift_section(made_answers, other))


def test_a_record_without_a_subset_shows_none(
    made_answers: Answered, tmp_path: Path
) -> None:
    only = tmp_path / "only.toml"
    figures = {"mae14": 1.0, "auc_up": 0.5, "auc_down": 0.5, "auc_up_alike": 0.5}
    count = len(made_answers.windows)
    only.write_text(record_baselines.written(count, "here", {"all": {"ets": figures}}))
    text = "\n".join(shift_section(made_answers, only))
    assert "| ets | 1.000 | 0.500 | 0.500 | 0.500 |" in text
    assert "the slowest" not in text
