from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.system.conftest import Installation

README = Path(__file__).resolve().parents[2] / "README.md"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def masked(text: str) -> list[str]:
    """Lines without what differs from run to run: the EHR's ids."""
    return [UUID.sub("<id>", line).rstrip() for line in text.strip().splitlines()]


def test_the_readme_shows_what_the_demo_prints(installation: Installation) -> None:
    text = README.read_text(encoding="utf-8")
    shown = re.search(
        r"`make demo TODAY=(\S+)` prints:\n\n```\n(.*?)```", text, flags=re.DOTALL
    )
    assert shown
    day, output = shown.groups()
    assert masked(installation.manage("demo", "--today", day)) == masked(output)


def test_a_second_demo_writes_nothing_twice(installation: Installation) -> None:
    first = installation.manage("demo")
    second = installation.manage("demo")
    assert re.search(r"Deliver: [1-9]\d* written now, 0 failed", first)
    assert "Deliver: 0 written now, 0 failed" in second
    assert "(stored answer, equal record and models)" in second
    for output in (first, second):
        found = re.search(r"read back: (\d+) of (\d+) forecasts", output)
        assert found
        assert found[1] == found[2]


def test_the_demo_runs_on_a_real_diary(
    installation: Installation, shared: Path
) -> None:
    diary = shared / "data" / "symptoms" / "kossakowski_mdd.csv"
    output = installation.manage("demo", "--diary", str(diary))
    assert "read back: 16 of 16 forecasts are there exactly once" in output
    assert "0 problems" in output


def test_a_demo_says_in_one_line_that_forecasts_are_switched_off(
    installation: Installation,
) -> None:
    installation.manage("services", "off", "forecast", "--reason", "trial")
    done = installation.run("manage.py", "demo", code=1)
    assert "the service 'forecast' is switched off" in done.stderr
    assert "Traceback" not in done.stderr
