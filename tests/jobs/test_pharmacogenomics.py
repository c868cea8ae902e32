"""A whole file: line for line, cut off and gone on, with a model and without."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from backend.jobs import pharmacogenomics
from backend.jobs.pharmacogenomics import Scoring, count, write_answers
from backend.jobs.pharmacogenomics_lines import LONGEST, Asked
from backend.twin.pharmacogenomics.report import Report, scored
from backend.twin.pharmacogenomics.response import Response, SideEffect

CALLS = [{"gene": "CYP2D6", "diplotype": "*1/*1"}]


@dataclass
class Mild:
    """A model that expects the same of each medicine, one side effect included."""

    asked: list[str | int] = field(default_factory=list)
    told: Mapping[str, str | int | float] = field(
        default_factory=lambda: {"model": "mild"}
    )

    def scored(self, asked: Asked, made: Report) -> Report:
        self.asked.append(asked.id)
        mild = Response(0.6, 0.5, 0.9, (SideEffect("nausea", 0.9),))
        return scored(made, dict.fromkeys(made.to_score, mild))


def line(number: int, **more: Any) -> bytes:
    asked = {"id": f"p{number}", "calls": CALLS, "medications": ["paroxetine"]}
    return json.dumps({**asked, **more}).encode() + b"\n"


def file(folder: Path, lines: Sequence[bytes], name: str = "in.jsonl") -> Path:
    path = folder / name
    path.write_bytes(b"".join(lines))
    return path


def run(
    source: Path, output: Path, *, model: Scoring | None = None, steps: int = 10**6
) -> list[int]:
    """A whole run, or one that is cut off after so many steps."""
    done = []
    for step in write_answers(count(source), output, model=model):
        done.append(step)
        if len(done) == steps:
            break
    return done


def ids(output: Path) -> list[str | None]:
    return [json.loads(one)["id"] for one in output.read_bytes().splitlines()]


@pytest.fixture(autouse=True)
def few_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pharmacogenomics, "TOGETHER", 2)


def test_every_line_has_its_answer_in_order(tmp_path: Path) -> None:
    lines = [
        *(b"\xef\xbb\xbf" + line(0), b"{\n", b"\n", b"  \r\n", line(1)),
        *(b'{"id": "x", "calls": 5}\n', b"y" * (3 * LONGEST) + b"\n", line(2)),
        line(3).rstrip(b"\n"),
    ]
    source, output = file(tmp_path, lines), tmp_path / "out.jsonl"
    assert count(source).lines == 7
    assert run(source, output) == [0, 2, 4, 6, 7]
    assert ids(output) == ["p0", None, "p1", "x", None, "p2", "p3"]
    answers = [json.loads(one) for one in output.read_bytes().splitlines()]
    where = [one["errors"][0]["where"] for one in answers if one["errors"]]
    assert where == ["line 2", "line 6", "line 7"]
    assert {one.name for one in tmp_path.iterdir()} == {"in.jsonl", "out.jsonl"}


def test_an_empty_file_has_an_empty_answer(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    assert run(file(tmp_path, []), output) == [0]
    assert output.read_bytes() == b""


@pytest.mark.parametrize("torn", [b"", b'{"id": "p', b'{"id": "p2"}'])
def test_a_run_that_was_cut_off_goes_on_line_by_line(
    tmp_path: Path, torn: bytes
) -> None:
    source = file(tmp_path, [line(n) for n in range(7)])
    output, part = tmp_path / "out.jsonl", tmp_path / "out.jsonl.part"
    run(source, tmp_path / "whole.jsonl")
    assert run(source, output, steps=2) == [0, 2]
    with part.open("ab") as file_:
        file_.write(torn)
    assert run(source, output) == [2, 4, 6, 7]
    assert output.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not part.exists()


def test_answers_without_a_whole_line_start_from_the_first(tmp_path: Path) -> None:
    source, output = file(tmp_path, [line(0)]), tmp_path / "out.jsonl"
    run(source, output, steps=1)
    (tmp_path / "out.jsonl.part").write_bytes(b"{")
    assert run(source, output) == [0, 1]
    assert ids(output) == ["p0"]


def test_answers_longer_than_a_block_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pharmacogenomics, "BLOCK", 100)
    source, output = file(tmp_path, [line(n) for n in range(4)]), tmp_path / "out"
    run(source, output, steps=2)
    assert run(source, output) == [2, 4]
    assert ids(output) == ["p0", "p1", "p2", "p3"]


@pytest.mark.parametrize("other", ["input", "tables", "calculation", "model", "note"])
def test_answers_of_another_origin_are_never_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    source, output = file(tmp_path, [line(n) for n in range(4)]), tmp_path / "out"
    run(source, output, steps=2)
    model = None
    if other == "input":
        source = file(tmp_path, [line(n) for n in range(5, 9)])
    elif other == "tables":
        monkeypatch.setattr(pharmacogenomics, "knowledge_digest", lambda: "other")
    elif other == "calculation":
        monkeypatch.setattr(pharmacogenomics, "CALCULATION", -1)
    elif other == "model":
        model = Mild()
    else:
        (tmp_path / "out.part.json").write_bytes(b"\xff")
    assert run(source, output, model=model)[0] == 0


def test_the_model_scores_what_is_not_stopped(tmp_path: Path) -> None:
    model = Mild()
    source = file(tmp_path, [line(0), b"{\n", line(1, medications=["a herb"])])
    output = tmp_path / "out.jsonl"
    run(source, output, model=model)
    assert model.asked == ["p0", "p1"]
    found = [json.loads(one) for one in output.read_bytes().splitlines()]
    (word,) = found[0]["recommendations"]
    assert (word["action"], word["response"]["efficacy"]) == ("careful_monitoring", 0.6)
    assert found[0]["comparison"]["highest_efficacy"] == "paroxetine"
    assert found[0]["response_model"] == {"model": "mild"}
    (unknown,) = found[2]["recommendations"]
    assert (unknown["action"], unknown["response"]) == ("unknown", None)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for lines in (20, 400):
        source = file(tmp_path, [line(n) for n in range(lines)], f"{lines}.jsonl")
        run(source, tmp_path / "warm")
        tracemalloc.start()
        run(source, tmp_path / "out")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 100_000
