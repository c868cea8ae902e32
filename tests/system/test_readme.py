from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backend.twin.simulation.wearable_demo import LAG_HOURS

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
    assert "days to" in first and second.count("computed now") == 0
    assert second.count("(stored answer, equal record and models)") == 5
    for output in (first, second):
        found = re.search(r"read back: (\d+) of (\d+) forecasts", output)
        assert found
        assert found[1] == found[2]
        assert "read back: 1 of 1 links are there exactly once" in output
        for kind in ("3 of 3 implications", "5 of 5 proposals", "1 of 1 conflicts"):
            assert f"read back: {kind} are there exactly once" in output
    assert second.count("(stored answer, equal record and tables)") == 1
    written = [re.findall(r"identifier (\S+)", output) for output in (first, second)]
    assert len(written[0]) == 1 and written[0] == written[1]


def test_the_demo_shows_a_link_with_its_lag_and_a_silence(
    installation: Installation,
) -> None:
    output = installation.manage("demo", "--today", "2026-11-20")
    _, linked, silent = re.split(r"patient-[67], 90 days to", output)
    found = re.search(r"lag (\d+) hours \(90 % (\d+) to (\d+)\)", linked)
    assert found
    lag, low, high = map(int, found.groups())
    assert low <= lag <= high and abs(lag - LAG_HOURS) <= 1
    assert "This is an association, not a cause" in linked
    assert "No link is sure enough to be put into words." in silent
    assert re.search(r"to find a link of 0.3 takes about\s+\d+ to \d+", silent)
    assert "coefficient" not in silent.partition("4  Pull and advise")[0]


def test_the_demo_shows_genes_and_medicines_in_conflict(
    installation: Installation,
) -> None:
    output = installation.manage("demo", "--today", "2026-11-20")
    shown = " ".join(output.partition("4  Pull and advise on medicines")[2].split())
    for said in (
        "CYP2C19 *2/*2 Poor Metabolizer",
        "CYP2D6 *1/*1 Normal Metabolizer, with what is taken Poor Metabolizer",
        "no result of CYP2B6, CYP2C9, CYP3A4, CYP3A5, HLA-A, HLA-B",
        "taken: bupropion, citalopram",
        "citalopram (taken): consider alternative, caution high CPIC consider",
        "Not known: a result for HLA-B*15:02",
        "DetectedIssue/",
        "trained on simulated outcomes",
    ):
        assert said in shown, said


def test_the_demo_runs_on_a_real_diary(
    installation: Installation, shared: Path
) -> None:
    diary = shared / "data" / "symptoms" / "kossakowski_mdd.csv"
    output = installation.manage("demo", "--diary", str(diary))
    assert "read back: 16 of 16 forecasts are there exactly once" in output
    assert "nobody has both symptom entries and wearables" in output
    assert "of nobody's genes is anything known" in output
    assert "0 problems" in output


@pytest.mark.parametrize("service", ["forecast", "correlation", "pharmacogenomics"])
def test_a_demo_says_in_one_line_that_a_service_is_switched_off(
    installation: Installation, service: str
) -> None:
    installation.manage("services", "off", service, "--reason", "trial")
    done = installation.run("manage.py", "demo", code=1)
    assert f"the service '{service}' is switched off" in done.stderr
    assert "Traceback" not in done.stderr
