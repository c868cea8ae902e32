"""Pharmacogenomic answers for a whole file: a line of JSON in, a line of JSON out.

Nothing is stored. The output grows beside its final name (`.part`) and takes it at the
end; a run that was cut off goes on after the last line that is complete. A note beside
it (`.part.json`) says what the lines come from; where that differs, or is not known,
the run starts over. Empty lines are passed over; every other one has its answer, in the
same order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Protocol

from backend.jobs.pharmacogenomics_facts import LineRefused
from backend.jobs.pharmacogenomics_lines import (
    LONGEST,
    Asked,
    answer_line,
    read_line,
    refusal_line,
)
from backend.twin.pharmacogenomics.knowledge import knowledge_digest
from backend.twin.pharmacogenomics.report import Report, report

CALCULATION = 2  # raise when the same line would be answered otherwise
TOGETHER = 50  # lines that are answered before they are on disk
BLOCK = 1 << 20  # bytes
_BOM = b"\xef\xbb\xbf"
Line = tuple[int, bytes]  # its number in the file from 1, its text


class Scoring(Protocol):
    """A response model: what it makes of a report, and what is told beside it."""

    @property
    def told(self) -> Mapping[str, str | int | float]:
        """Which model it is, in what stands beside every answer."""

    def scored(self, asked: Asked, made: Report) -> Report:
        """The report with the model's figures."""


@dataclass(frozen=True, slots=True)
class Input:
    """A file as it was when it was counted: its lines that are not empty."""

    path: Path
    lines: int
    sha256: str


def count(path: Path) -> Input:
    """Count a file and take its digest. Raises OSError."""
    with path.open("rb") as file:
        lines = sum(1 for _ in _lines(file))
        file.seek(0)
        return Input(path, lines, hashlib.file_digest(file, "sha256").hexdigest())


def write_answers(
    source: Input, output: Path, *, model: Scoring | None = None
) -> Iterator[int]:
    """Write the file; yields how many lines are answered, by and by. Raises OSError."""
    part = output.with_name(f"{output.name}.part")
    note = output.with_name(f"{output.name}.part.json")
    _start_over_unless(part, note, origin=_origin(source, model))
    done = _finished(part)
    yield done
    with source.path.open("rb") as file, part.open("ab") as answers:
        lines = islice(_lines(file), done, None)
        while some := list(islice(lines, TOGETHER)):
            answers.writelines([_answer(*one, model) for one in some])
            answers.flush()
            done += len(some)
            yield done
    part.replace(output)
    note.unlink()


def _answer(number: int, line: bytes, model: Scoring | None) -> bytes:
    """The answer to a line, or why there is none."""
    try:
        asked = read_line(line)
    except LineRefused as error:
        return refusal_line(error, number)
    made = report(asked.case)
    if model is None:
        return answer_line(asked, made)
    return answer_line(asked, model.scored(asked, made), model=model.told)


def _lines(file: BinaryIO) -> Iterator[Line]:
    """Every line that is not empty; of an endless one no more than is too long."""
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        rest = line
        while len(rest) > LONGEST and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST + 1)
        text = line.removeprefix(_BOM) if number == 1 else line
        if text.strip():
            yield number, text


def _origin(source: Input, model: Scoring | None) -> dict[str, str | int]:
    """What the answers come from: the input, the tables, the arithmetic, the model."""
    return {
        "input": source.sha256,
        "tables": knowledge_digest(),
        "calculation": CALCULATION,
        "model": json.dumps(dict(model.told)) if model else "",
    }


def _start_over_unless(
    part: Path, note: Path, *, origin: Mapping[str, str | int | float]
) -> None:
    """Drop what another run left behind; answers of two origins never share a file."""
    text = json.dumps(origin)
    if note.exists() and note.read_bytes() == text.encode():
        return
    part.unlink(missing_ok=True)  # first: a note never vouches for another's answers
    note.write_text(text, encoding="utf-8")


def _finished(part: Path) -> int:
    """How many answers are complete; a torn last one is cut off."""
    if not part.exists():
        return 0
    whole = done = read = 0
    with part.open("r+b") as file:
        while block := file.read(BLOCK):
            done += block.count(b"\n")
            if b"\n" in block:
                whole = read + block.rindex(b"\n") + 1
            read += len(block)
        file.truncate(whole)
    return done
