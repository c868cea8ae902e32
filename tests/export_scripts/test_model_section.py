"""The page's section on the models, read from their cards."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from export_scripts.model_section import HEAD, model_section
from export_scripts.onnx_export import Export, Places, publish
from tests.export_scripts.conftest import TRAINING

Make = Callable[..., Export]


def rows(*places: Path) -> list[dict[str, str]]:
    lines = [line for line in model_section(places) if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[1:]]
    return [dict(zip(HEAD, line, strict=True)) for line in cells]


def test_the_latest_version_of_each_repository_has_a_row(
    export_of: Make, where: Places
) -> None:
    """Version 10 is later than 9; what a killed export left is nothing."""
    for version in (9, 10):
        publish(export_of(), replace(where, version=version))
    (where.repository / "repeat" / ".new-11").mkdir()
    built = replace(where, repository=where.repository.parent / "built")
    publish(export_of(), built)
    found = rows(where.repository, built.repository, where.repository / "absent")
    assert [(row["model"], row["version"]) for row in found] == [
        ("repeat", "10"),
        ("repeat", "1"),
    ]
    size = len((where.repository / "repeat" / "10" / "model.onnx").read_bytes())
    assert found[0]["bytes"] == f"{size:,}"
    assert found[0]["CRPS lower than climatology's by, %"] == "+1.00 [+0.50, +1.50]"
    assert float(found[0]["ms, 1 row"]) >= 0
    assert "one thread" in found[0]["machine"]


@pytest.mark.parametrize(
    ("training", "said"),
    [
        (
            {
                "preset": "large",
                "parameters": 44_000_000,
                "windows": 3200,
                "steps": 50,
                "steps_of_the_recipe": 50_000,
            },
            ("large", "44,000,000", "50 of 50,000 steps", "3,200"),
        ),
        ({"rounds": 200, "windows": 7}, (".", ".", "200 rounds", "7")),
        ({}, (".", ".", ".", "7")),
    ],
)
def test_a_row_says_how_far_a_model_was_trained_and_what_it_knows_not(
    export_of: Make,
    where: Places,
    training: dict[str, object],
    said: tuple[str, ...],
) -> None:
    publish(export_of(training={**TRAINING, **training}), where)
    (row,) = rows(where.repository)
    shown = ("preset", "parameters", "trained", "people trained on")
    assert tuple(row[name] for name in shown) == said


def test_what_is_shipped_has_its_rows() -> None:
    root = Path(__file__).resolve().parents[2] / "model_repository"
    found = {row["model"]: row for row in rows(root)}
    assert {"symptom_transformer", "symptom_xgboost"} <= set(found)
    for model, row in found.items():
        versions = (root / model).glob("[0-9]*/card.json")
        latest = max(json.loads(path.read_text())["version"] for path in versions)
        assert row["version"] == str(latest)
    assert found["symptom_transformer"]["preset"] == "compact"
