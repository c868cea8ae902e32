from __future__ import annotations

from datetime import date
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from backend.jobs.diary import (
    DIARY_SYSTEM,
    Diary,
    DiaryUnreadable,
    read_diary,
    remarks,
)
from backend.twin.record import Reason

TODAY = date(2026, 6, 1)
HEAD = "patient_id,date,symptom_type,severity"


def read(tmp_path: Path, *lines: str, head: str = HEAD) -> Diary:
    file = tmp_path / "diary.csv"
    file.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return read_diary(file, today=TODAY)


def test_bounds_in_columns_are_the_scale(tmp_path: Path) -> None:
    diary = read(
        tmp_path, "a,2026-01-01,worry,3,0,100", head=f"{HEAD},scale_min,scale_max"
    )
    (series,) = diary.patients["a"].series
    assert (series.scale.low, series.scale.high) == (0.0, 100.0)
    assert series.scale.system == DIARY_SYSTEM
    assert diary.symptoms[series.scale.key].scale_source == "columns"


@pytest.mark.parametrize("name", ["phq9", "PHQ-9", "phq_9"])
def test_a_known_instrument_has_the_tables_scale(tmp_path: Path, name: str) -> None:
    diary = read(tmp_path, f"a,2026-01-01,{name},3")
    (series,) = diary.patients["a"].series
    assert series.scale.key == "phq9"
    assert diary.symptoms["phq9"].name == name


BOUNDED = f"{HEAD},scale_min,scale_max"


@pytest.mark.parametrize("name", ["phq9", "PHQ-9", "phq_9"])
def test_bounds_that_agree_with_the_table_keep_the_tables_scale(
    tmp_path: Path, name: str
) -> None:
    diary = read(tmp_path, f"a,2026-01-01,{name},3,0,27", head=BOUNDED)
    (series,) = diary.patients["a"].series
    assert (series.scale.key, series.scale.cadence) == ("phq9", "questionnaire")
    assert diary.symptoms["phq9"].scale_source == "table"


def test_bounds_that_differ_from_the_tables_make_it_a_diary_item(
    tmp_path: Path,
) -> None:
    diary = read(tmp_path, "a,2026-01-01,phq9,3,0,10", head=BOUNDED)
    (series,) = diary.patients["a"].series
    assert (series.scale.key, series.scale.high) == ("diary:phq9", 10.0)
    assert diary.symptoms["diary:phq9"].scale_source == "columns"


def test_a_file_is_known_by_the_digest_of_its_bytes(tmp_path: Path) -> None:
    one = read(tmp_path, "a,2026-01-01,worry,1")
    assert one.sha256 == sha256((tmp_path / "diary.csv").read_bytes()).hexdigest()


def test_a_mark_of_byte_order_is_no_part_of_a_columns_name(tmp_path: Path) -> None:
    file = tmp_path / "diary.csv"
    file.write_bytes(f"\ufeff{HEAD}\r\na,2026-01-01,worry,1\r\n".encode())
    assert list(read_diary(file, today=TODAY).patients) == ["a"]


def test_without_bounds_the_range_seen_in_the_whole_file_stands_in(
    tmp_path: Path,
) -> None:
    diary = read(tmp_path, "a,2026-01-01,worry,-3", "b,2026-01-02,worry,4")
    (series,) = diary.patients["a"].series
    assert (series.scale.low, series.scale.high) == (-3.0, 4.0)
    assert diary.symptoms["diary:worry"].scale_source == "range seen"


def test_one_constant_value_still_gives_a_scale_with_width(tmp_path: Path) -> None:
    (series,) = read(tmp_path, "a,2026-01-01,worry,2").patients["a"].series
    assert (series.scale.low, series.scale.high) == (2.0, 3.0)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a,2026-01-01,worry,", Reason.NO_VALUE),
        ("a,2026-01-01,worry,high", Reason.NOT_A_NUMBER),
        ("a,2026-01-01,worry,nan", Reason.NOT_A_NUMBER),
        ("a,2026-01-01,worry,inf", Reason.NOT_A_NUMBER),
        ("a,2026-13-01,worry,1", Reason.NO_DATE),
        ("a,,worry,1", Reason.NO_DATE),
        (",2026-01-01,worry,1", Reason.MALFORMED),
        ("a,2026-01-01,,1", Reason.MALFORMED),
        ("a,2026-01-01", Reason.MALFORMED),
        ("a,2026-01-01,phq9,300", Reason.OUTSIDE_SCALE),
        ("a,2026-01-01,worry,1e300", Reason.NOT_A_NUMBER),
        ("a,0001-01-01,worry,1", Reason.NO_DATE),
        ("a,0001-01-01T10:00:00,worry,1", Reason.NO_DATE),
        ("a,2026-06-03,worry,1", Reason.IN_FUTURE),
        (f"a,2026-01-01,{'w' * 201},1", Reason.MALFORMED),
    ],
)
def test_a_bad_row_is_counted_under_its_reason(
    tmp_path: Path, line: str, reason: Reason
) -> None:
    diary = read(tmp_path, "a,2026-01-01,phq9,3", line)
    assert diary.refused == {reason: 1}
    assert len(diary.patients["a"].series[0].entries) == 1


def test_times_become_zoned_text_and_midnight_means_the_day(tmp_path: Path) -> None:
    diary = read(
        tmp_path,
        "a,2026-01-01T00:00:00,worry,1",
        "a,2026-01-02T08:58:00,worry,2",
        "a,2026-01-03T08:58:00+11:00,worry,3",
    )
    entries = diary.patients["a"].series[0].entries
    assert [entry.at for entry in entries] == [
        "",
        "2026-01-02T08:58:00+00:00",
        "2026-01-03T08:58:00+11:00",
    ]
    assert [entry.day for entry in entries] == [date(2026, 1, day) for day in (1, 2, 3)]


def test_the_same_row_twice_is_one_entry(tmp_path: Path) -> None:
    diary = read(tmp_path, "a,2026-01-01,worry,1", "a,2026-01-01,worry,1")
    assert len(diary.patients["a"].series[0].entries) == 1


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(DiaryUnreadable, match="severity"):
        read(tmp_path, "a,2026-01-01,worry", head="patient_id,date,symptom_type")


@pytest.mark.parametrize("bounds", ["5,5", "9,1"])
def test_an_empty_scale_is_refused(tmp_path: Path, bounds: str) -> None:
    with pytest.raises(DiaryUnreadable, match="scale_min"):
        read(
            tmp_path,
            f"a,2026-01-01,worry,3,{bounds}",
            head=f"{HEAD},scale_min,scale_max",
        )


def test_two_scales_for_one_symptom_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DiaryUnreadable, match="several"):
        read(
            tmp_path,
            "a,2026-01-01,worry,3,0,10",
            "a,2026-01-02,worry,3,0,100",
            head=f"{HEAD},scale_min,scale_max",
        )


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "diary.csv"
    file.write_bytes(b"patient_id\xff\xfe,date")
    with pytest.raises(DiaryUnreadable, match="UTF-8"):
        read_diary(file, today=TODAY)


def test_tomorrow_is_today_somewhere(tmp_path: Path) -> None:
    diary = read(tmp_path, "a,2026-06-02,worry,1")
    assert diary.patients["a"].series[0].entries[0].day == date(2026, 6, 2)


@pytest.mark.parametrize("lines", [(), ("a,01.02.2026,worry,1",)])
def test_a_file_without_a_usable_row_is_refused(
    tmp_path: Path, lines: tuple[str, ...]
) -> None:
    with pytest.raises(DiaryUnreadable, match="no row can be used"):
        read(tmp_path, *lines)


def test_names_keep_single_spaces(tmp_path: Path) -> None:
    diary = read(tmp_path, "a,2026-01-01, low   mood ,3")
    assert diary.symptoms["diary:low mood"].name == "low mood"


def test_what_a_reader_must_know_is_said(tmp_path: Path) -> None:
    diary = read(tmp_path, "a,2026-01-01,worry,3", "a,2026-01-02,worry,")
    refused, guessed = remarks(diary)
    assert refused == "rows not used: 1 no-value"
    assert "no scale given for 1 symptoms" in guessed


def test_a_time_without_an_offset_is_of_the_zone_the_first_of_two_alike(
    tmp_path: Path,
) -> None:
    file = tmp_path / "diary.csv"
    days = "2025-07-01T08:58", "2025-10-26T02:30", "2026-01-03T08:58+11:00"
    rows = [f"a,{day},worry,{n}" for n, day in enumerate(days)]
    file.write_text("\n".join([HEAD, *rows]), encoding="utf-8")
    diary = read_diary(file, today=TODAY, zone=ZoneInfo("Europe/Berlin"))
    assert [entry.at[16:] for entry in diary.patients["a"].series[0].entries] == [
        ":00+02:00",
        ":00+02:00",
        ":00+11:00",
    ]
