"""Groups of windows: who is in them, and what is unknown."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from export_scripts.real_windows import OURS, Answered
from export_scripts.subgroups import (
    LENGTHS,
    at_floor,
    group_row,
    group_section,
    observed,
    personal,
)


def cells(text: str, group: str) -> list[str]:
    line = next(row for row in text.splitlines() if row.startswith(f"| {group} |"))
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_every_way_of_grouping_splits_all_windows(made_answers: Answered) -> None:
    text = "\n".join(group_section(made_answers))
    for groups in (
        ("clinical samples", "community samples"),
        tuple(f"{least} to {most} observed days" for least, most in LENGTHS),
        ("grade high", "grade medium", "grade low"),
        ("half or more at the lowest answer", "fewer than half at the lowest answer"),
    ):
        counted = sum(int(cells(text, group)[0]) for group in groups)
        assert counted == len(made_answers.windows)
    clinical = sum(w.clinical for w in made_answers.windows)
    assert cells(text, "clinical samples")[:3] == [str(clinical), "1", "1"]
    assert "Age and sex are unknown" in text


def test_a_group_has_its_own_figures(made_answers: Answered) -> None:
    chosen = np.array([w.dataset == "calm_study" for w in made_answers.windows])
    row = group_row(made_answers, "study", chosen)
    score = made_answers.found.score
    mean = score.pooled(made_answers.scores[OURS][chosen])
    assert row[4:6] == [f"{mean['mae']:.3f}", f"{mean['wql']:.3f}"]
    assert row[6] == f"{100 * mean['cov80']:.1f}"


def test_an_empty_group_has_none(made_answers: Answered) -> None:
    row = group_row(made_answers, "none", np.zeros(len(made_answers.windows), bool))
    assert row == ["none", "0", "0", "0", *["."] * 5]


def test_days_and_lowest_answers_are_counted(made_answers: Answered) -> None:
    one = made_answers.windows[0]
    seen = one.series.values[np.isfinite(one.series.values)]
    assert observed([one]).tolist() == [len(seen)]
    low = one._replace(lo=float(np.median(seen)))
    assert at_floor([low])[0] == np.mean(seen <= np.median(seen))


def test_age_is_named_where_a_file_has_it(tmp_path: Path) -> None:
    (tmp_path / "study.csv").write_text("patient_id,date,Sex , age\n")
    (tmp_path / "_table.csv").write_text("gender\n")
    assert personal(tmp_path).endswith("holds it: age, sex.")
