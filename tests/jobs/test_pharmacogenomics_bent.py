"""Lines bent by structure: each is answered or refused, and none is quoted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

import orjson

from backend.jobs.pharmacogenomics_facts import LineRefused
from backend.jobs.pharmacogenomics_lines import answer_line, read_line, refusal_line
from backend.twin.pharmacogenomics.report import report
from tests.jobs.test_pharmacogenomics_lines import CANARY, LINE

ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 1e308, 2**63, "", "*", "*1/*4", "n/a", "\0", CANARY),
    *("*1xN/*2", "*1x99999999999999999999/*1", "\u00b2", "*15:02 positive", "CYP2D6"),
    *("Poor Metabolizer", "lithium and valproate", "over_3_months", [], {}, [[]]),
    *(["*1", None], {"a": {}}),
)


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every part of a line."""
    parts: Any = ()
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in parts:
        yield (*above, key)
        yield from places(part, (*above, key))


def bent(draw: Random) -> dict[str, Any]:
    """The line with one to three parts replaced by something odd."""
    made = deepcopy(LINE)
    for _ in range(draw.randint(1, 3)):
        *above, last = draw.choice(list(places(made)))
        part: Any = made
        for key in above:
            part = part[key]
        part[last] = deepcopy(draw.choice(ODD))
    return made


def test_no_bent_line_breaks_the_reader_or_the_engine() -> None:
    draw, refused = Random(20_261_123), 0
    for number in range(600):
        try:
            asked = read_line(orjson.dumps(bent(draw)))
        except LineRefused as error:
            refused += 1
            told = json.loads(refusal_line(error, number))["errors"]
        else:
            told = json.loads(answer_line(asked, report(asked.case)))["errors"]
        assert CANARY not in json.dumps(told)
    assert 50 < refused < 550
