"""Names of medicines in a line that are none, and no name at all."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from backend.jobs.pharmacogenomics_lines import (
    LONGEST_NAME,
    UNREAD,
    answer_line,
    read_line,
)
from backend.twin.pharmacogenomics.report import default_options, report


def answered(**line: Any) -> dict[str, Any]:
    asked = read_line(orjson.dumps({"id": "p1", **line}))
    made: dict[str, Any] = json.loads(answer_line(asked, report(asked.case)))
    return made


@pytest.mark.parametrize(
    "told", [None, "", " ", True, {}, 1.5, "x" * (LONGEST_NAME + 1)]
)
def test_a_name_that_is_none_leaves_the_rest_answered(told: object) -> None:
    made = answered(medications=[told, "sertraline"])
    words = {one["medication"]: one["action"] for one in made["recommendations"]}
    assert words.keys() == {"sertraline", UNREAD}
    assert (words["sertraline"] != "unknown", words[UNREAD]) == (True, "unknown")
    (fault,) = made["errors"]
    assert (fault["code"], fault["where"]) == ("malformed", "medications[0]")


@pytest.mark.parametrize("told", [None, "", {}])
def test_a_medicine_taken_without_a_name_is_never_taken_for_none(told: object) -> None:
    made = answered(medications=["sertraline"], current_medications=[told])
    (fault,) = made["errors"]
    assert (fault["code"], fault["where"]) == ("malformed", "current_medications[0]")
    (unchecked,) = [one for one in made["stops"] if one["code"] == "medicine-not-known"]
    assert (unchecked["drug"], unchecked["severity"]) == ("sertraline", "caution")


def test_no_name_asks_for_the_ssris_and_bupropion() -> None:
    for nothing in ([], None):
        words = answered(medications=nothing)["recommendations"]
        assert tuple(one["medication"] for one in words) == default_options()
