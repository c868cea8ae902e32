"""The page's section on the specified architecture, read from its card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.twin.correlation.model_inputs import MODEL
from export_scripts import specification_section as module
from export_scripts.specification_section import TITLE, main, put, specification_section


def scores(log_score: float) -> dict[str, float]:
    return {"auc": 0.8, "ece": 0.0123, "log_score": log_score, "size_error": 0.2}


CARD: dict[str, Any] = {
    "git_commit": {"value": "0123456789abcdef"},
    "parity": {"max_abs": 2.5e-7, "batches": [1, 16]},
    "serving": {
        "machine": "a machine",
        "size_bytes": 15_900_000,
        "latency_ms": {"1": {"median": 300.2}, "16": {"median": 2400.0}},
    },
    "training": {
        "parameters": 3_967_941,
        "steps": 50,
        "steps_of_the_recipe": 390_650,
        "batch": 32,
        "windows": 500,
    },
    "metrics": {
        "people": 384,
        "pairs": 7000,
        "seed": 3,
        "compact_version": 2,
        "model": scores(0.6),
        "compact": scores(0.3),
        "engine": scores(0.4),
    },
}


def made(place: Path, card: dict[str, Any]) -> Path:
    folder = place / MODEL / "1"
    folder.mkdir(parents=True)
    (folder / "card.json").write_text(json.dumps(card))
    return place


def test_the_section_says_how_far_and_beside_what(tmp_path: Path) -> None:
    text = "\n".join(specification_section(made(tmp_path, CARD)))
    for said in (
        TITLE,
        "- code: 0123456789ab\n",
        "- machine: a machine",
        "3,967,941 parameters, 50 of 390,650 steps of 32 records (500 people)",
        "15,900,000 bytes; 300 ms at batch 1, 2400 ms at batch 16",
        "2.5e-07 at batches 1 and 16",
        "7,000 pairs of 384 simulated people held out (seed 3); compact is version 2",
        "| specification | 0.800 | 0.012 | 0.600 | 0.200 |",
        "by the log score: compact.",
    ):
        assert said in text


def test_a_better_specification_would_be_named(tmp_path: Path) -> None:
    metrics = {**CARD["metrics"], "model": scores(0.2)}
    text = "\n".join(
        specification_section(made(tmp_path, {**CARD, "metrics": metrics}))
    )
    assert "by the log score: specification." in text


def test_without_a_card_there_is_no_section(tmp_path: Path) -> None:
    assert specification_section(tmp_path) == []


SECTION = [TITLE, "", "new", ""]


@pytest.mark.parametrize(
    ("page", "after"),
    [
        ("# A\n\n# Speed\nx", f"# A\n\n{TITLE}\n\nnew\n\n# Speed\nx"),
        (
            f"# A\n\n{TITLE}\n\nold\n\n# Speed\nx",
            f"# A\n\n{TITLE}\n\nnew\n\n# Speed\nx",
        ),
        (
            f"# A\n\n{TITLE}\n\nold\n\n## B\n\nb\n\n# Speed\n",
            f"# A\n\n## B\n\nb\n\n{TITLE}\n\nnew\n\n# Speed\n",
        ),
        ("# A\n", f"# A\n\n{TITLE}\n\nnew\n"),
        (
            "# A\n\n# Correlations\n\n## C\n\n# Speed\n",
            f"# A\n\n{TITLE}\n\nnew\n\n# Correlations\n\n## C\n\n# Speed\n",
        ),
    ],
)
def test_it_takes_its_place_and_leaves_all_others(page: str, after: str) -> None:
    assert put(page, SECTION).rstrip("\n") == after.rstrip("\n")


def test_the_script_writes_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n\n# Speed\nx\n")
    monkeypatch.setattr(module, "PAGE", page)
    monkeypatch.setattr(module, "SPECIFIED", made(tmp_path / "made", CARD))
    main()
    assert page.read_text().startswith(f"# A\n\n{TITLE}\n")
