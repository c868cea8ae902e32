"""What of a wearable's files and a diary is used for links, and what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from backend.jobs.correlate_lines import DIARY_IN_UTC
from backend.twin.simulation.wearable_demo import wearable_records
from tests.jobs.correlating import (
    DAYS,
    LINKED,
    TODAY,
    Files,
    audited,
    changed,
    flat,
    part,
    run,
    written,
)

pytestmark = pytest.mark.django_db


def test_a_wrong_unit_is_refused_and_counted(link_files: Files) -> None:
    changed(link_files.wearables, ",ms,", ",kg,")
    said = run(*link_files.named, *DAYS)
    kg = link_files.wearables.read_text("utf-8").count(",kg,")
    assert f"{kg} wrong-unit" in flat(said)
    assert "precedes" not in said and "hrv-rmssd" not in said


def test_values_that_name_nobody_are_of_the_only_person(
    link_files: Files, tmp_path: Path
) -> None:
    files = written({LINKED: wearable_records(TODAY)[LINKED]}, tmp_path)
    changed(files.wearables, f",{LINKED}\n", ",\n")
    assert files == link_files
    assert "by about 6 hours" in part(run(*files.named, *DAYS), LINKED)


def test_values_that_name_nobody_of_several_are_nobodys(link_files: Files) -> None:
    changed(link_files.wearables, f",{LINKED}\n", ",\n")
    said = run(*link_files.named, *DAYS)
    count = link_files.wearables.read_text("utf-8").count(",\n")
    assert count > 1000 and f"{count} of nobody in the diary" in flat(said)
    assert "No biometric data in the window" in part(said, LINKED)


def test_days_that_are_not_looked_at_are_counted(link_files: Files) -> None:
    output = link_files.diary.with_name("links.json")
    run(
        *link_files.named,
        "--days",
        "30",
        "--as-of",
        "2026-02-01",
        "--json",
        str(output),
    )
    counts = json.loads(output.read_bytes())["files"]["wearables"]
    rows = link_files.wearables.read_text("utf-8").splitlines()[1:]
    asked = [row for row in rows if "2025-12-30" <= row[:10] <= "2026-02-01"]
    assert len(asked) <= counts["used"] < 1.1 * len(asked)
    assert counts["values"] == counts["of_other_days"] + counts["used"]


def test_times_of_the_zone_give_the_same_link(link_files: Files) -> None:
    for path in link_files:
        changed(path, "+01:00", "")
    said = run(*link_files.named, *DAYS, "--zone", "Africa/Lagos")
    assert "by about 6 hours" in part(said, LINKED)
    assert "the clock of Africa/Lagos" in part(said, LINKED)
    assert DIARY_IN_UTC not in flat(said)


def test_where_a_zone_would_help_it_is_asked_for(link_files: Files) -> None:
    for path in link_files:
        changed(path, "+01:00", "")
    said = flat(run(*link_files.named, *DAYS, "--as-of", "2026-02-20"))
    assert DIARY_IN_UTC in said and "name it by --zone" in said
    assert "no-time-of-day" in said
    assert "No biometric data in the window" in said


def test_data_points_are_read_and_the_fullest_version_counts(
    link_files: Files, tmp_path: Path
) -> None:
    points = tmp_path / "points.json"
    header = {"schema_id": {"namespace": "ieee", "name": "heart-rate"}}
    header |= {"uuid": "a-1", "user_id": LINKED}
    bodies = [
        {
            "heart_rate": {"value": 60 + n, "unit": "beats/min"},
            "effective_time_frame": {"date_time": f"2026-02-2{n}T08:00:00+01:00"},
        }
        for n in range(3)
    ]
    versions = [{"header": header, "body": bodies[:n]} for n in (1, 3, 2)]
    points.write_text(json.dumps(versions), "utf-8")
    named = ("--wearables", str(points), "--diary", str(link_files.diary))
    said = flat(run(*named))
    assert "6 values: 3 used + 3 refused" in said and "3 duplicate" in said


def test_a_file_that_ends_early_is_named_and_used_so_far(link_files: Files) -> None:
    torn = link_files.diary.with_name("torn.json")
    torn.write_text('{"header": 1}\n{"header": NaN}\n{', "utf-8")
    words = ("--wearables", str(link_files.wearables), str(torn))
    said = run(*words, "--diary", str(link_files.diary), *DAYS)
    assert f"{torn}: not JSON: it ends within" in said
    assert "(refused: 2 malformed)" in flat(said)
    assert "by about 6 hours" in part(said, LINKED)
    assert audited()[0][1]["faults"] == 1


def test_where_no_wearable_can_be_read_the_run_fails(link_files: Files) -> None:
    link_files.wearables.write_text("nothing", "utf-8")
    with pytest.raises(CommandError, match="nothing of the wearable files"):
        run(*link_files.named)
    assert [outcome for outcome, _ in audited()] == ["FAILED"]


def test_an_unknown_measure_and_a_tomorrow_are_refused(link_files: Files) -> None:
    changed(link_files.wearables, "hrv-rmssd", "pulse", times=1)
    changed(link_files.wearables, "2026-02-20", "2026-03-20")
    said = flat(run(*link_files.named))
    assert "unknown-code" in said and "in-future" in said
    assert "other measures than these are unknown-code: heart-rate," in said


def test_a_symptom_without_a_known_scale_is_listed_with_numbers(
    link_files: Files,
) -> None:
    changed(link_files.diary, "anxiety-0-10", "worry")
    said = part(run(*link_files.named, *DAYS), LINKED)
    assert "link without words: hrv-rmssd and diary:worry" in said
    assert "lag 6 hours" in said and "worse is unknown" in said


def test_too_many_values_of_a_person_are_not_held(
    link_files: Files, settings: Any
) -> None:
    settings.MINDTWIN = {**settings.MINDTWIN, "CORRELATION_MAX_SAMPLES": 100}
    with pytest.raises(CommandError, match="at most 100 values"):
        run(*link_files.named)
    assert audited() == [("FAILED", {"files": 2, "error": "TooManySamples"})]


def test_a_diary_that_is_none_is_said_without_its_content(link_files: Files) -> None:
    link_files.diary.write_text("who,when\nSmith,2026-01-01\n", "utf-8")
    with pytest.raises(CommandError, match="cannot read the diary: columns") as caught:
        run(*link_files.named)
    assert "Smith" not in str(caught.value)
    assert audited() == [("FAILED", {"files": 2, "error": "DiaryUnreadable"})]
