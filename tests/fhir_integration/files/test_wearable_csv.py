"""Rows of CSV, as phones and spreadsheets write them."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.measures import measures
from backend.twin.record import Reason
from fhir_integration.files import wearable_csv
from fhir_integration.files.data_points import NotRead, Point
from fhir_integration.files.local_clock import Clock, zone_of
from fhir_integration.files.wearable_csv import read_csv
from fhir_integration.kinds.refused import Refused
from fhir_integration.kinds.wearable import Sample

BERLIN = Clock(zone_of("Europe/Berlin"))
HEADER = "time,end,measure,value,unit,worn,zone,patient"


def read(text: str, clock: Clock = BERLIN) -> list[Point]:
    return list(read_csv(io.StringIO(text, newline=""), clock))


def said(row: str, header: str = HEADER, clock: Clock = BERLIN) -> object:
    """The value of the only row, or the reason for having none."""
    (point,) = read(f"{header}\n{row}\n", clock)
    (result,) = point.results
    return result.reason if isinstance(result, Refused) else result.value


AT = "2025-07-01 08:00"
DEGREES = "skin-temperature"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (f"{AT},,heart-rate,61,/min,,,", 61.0),
        (f"{AT},,heart-rate,61.5,bpm,,,", 61.5),
        (f"{AT},,heart-rate,6.1e1,beats/min,,,", 61.0),
        (f"{AT},,8867-4, 61 ,/min,,,", 61.0),
        (f"{AT},,hrv-rmssd,0.04,s,,,", 40.0),
        (f"{AT},,{DEGREES},91.4,[degF],,,", pytest.approx(33.0)),
        (f"{AT},,{DEGREES},306.15,K,,,", 33.0),
        (f"{AT},2025-07-01 09:00,steps,0,steps,,,", 0.0),
        (f"{AT},2025-07-01 09:00,steps,0,steps,true,,", 0.0),
        (f"{AT},2025-07-01 09:00,steps,0,steps,false,,", Reason.NO_VALUE),
        (f"{AT},,heart-rate,61,/min,No,,", Reason.NO_VALUE),
        (f"{AT},,heart-rate,61,/min,perhaps,,", Reason.MALFORMED),
        *(
            (f"{AT},,heart-rate,{absent},/min,,,", Reason.NO_VALUE)
            for absent in ("", "NaN", "NA", "null", "None", "n/a")
        ),
        *(
            (f"{AT},,heart-rate,{word},/min,,,", Reason.NOT_A_NUMBER)
            for word in (
                "fast",
                "<50",
                '"62,5"',
                "inf",
                "0x3d",
                "1_000",
                "\u0666\u0661",
            )
        ),
        (f"{AT},,heart-rate,0,/min,,,", Reason.IMPLAUSIBLE),
        (f"{AT},,heart-rate,-1,/min,,,", Reason.IMPLAUSIBLE),
        (f"{AT},,heart-rate,61,,,,", Reason.NO_UNIT),
        (f"{AT},,heart-rate,61,mg,,,", Reason.WRONG_UNIT),
        (f"{AT},,mood,6,/min,,,", Reason.UNKNOWN_CODE),
        (f"{AT},,,6,/min,,,", Reason.UNKNOWN_CODE),
        (f"{AT},,steps,6,steps,,,", Reason.NO_WINDOW),
        (f"{AT},{AT},steps,6,steps,,,", Reason.NO_WINDOW),
        (f"{AT},2025-07-01 07:00,steps,6,steps,,,", Reason.MALFORMED),
        (f"{AT},2025-07-01 10:00,steps-daily,6,steps,,,", Reason.NO_WINDOW),
        ("2025-07-01,,steps-daily,6000,/d,,,", 6000.0),
        ("2025-07-01,,sleep-duration,430,min,,,", 430.0),
        ("2025-07-01,,heart-rate,61,/min,,,", Reason.NO_TIME),
        ("2025-07,,heart-rate,61,/min,,,", Reason.PARTIAL_DATE),
        (",,heart-rate,61,/min,,,", Reason.NO_DATE),
        ("08:00,,heart-rate,61,/min,,,", Reason.MALFORMED),
        (f"{AT},,heart-rate,61,/min,,Mars/Olympus,", Reason.MALFORMED),
        (f"{AT},,heart-rate,61", Reason.MALFORMED),
    ],
)
def test_a_row(row: str, expected: object) -> None:
    assert said(row) == expected


@pytest.mark.parametrize(
    ("time", "zone", "offset"),
    [
        (AT, "", 120),
        (AT, "America/New_York", -240),
        (AT, "+05:30", 330),
        ("2025-07-01T08:00:00Z", "-0330", -210),
        ("2025-07-01T08:00:00+01:00", "America/New_York", 60),  # the time's own counts
    ],
)
def test_a_row_s_own_zone_comes_before_the_file_s(
    time: str, zone: str, offset: int
) -> None:
    (point,) = read(f"{HEADER}\n{time},,heart-rate,61,/min,,{zone},\n")
    (sample,) = point.results
    assert isinstance(sample, Sample)
    assert sample.offset == offset


def test_without_any_zone_a_bare_time_is_no_time() -> None:
    assert said(f"{AT},,heart-rate,61,/min,,,", clock=Clock()) is Reason.NO_TIME


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_may_come_in_any_order_case_and_separator(separator: str) -> None:
    names = ["Unit", " VALUE", "code", "note", "device", "Time"]
    cells = ["%", "97", "59408-5", "x", "ring", f"{AT}:00"]
    text = separator.join(names) + "\r\n" + separator.join(cells) + "\r\n"
    (point,) = read(text)
    assert point == Point(2, "", "row/2", point.results)
    (sample,) = point.results
    assert isinstance(sample, Sample)
    assert (sample.measure, sample.value) == (measures()["spo2"], 97.0)


@pytest.mark.parametrize(
    ("measure", "code", "expected"),
    [
        ("heart-rate", "8867-4", 61.0),
        ("heart-rate", "", 61.0),
        ("", "8867-4", 61.0),
        ("heart-rate", "40443-4", Reason.UNKNOWN_CODE),
        ("heart-rate", "x", Reason.UNKNOWN_CODE),
        ("", "", Reason.UNKNOWN_CODE),
    ],
)
def test_measure_and_code_must_not_contradict(
    measure: str, code: str, expected: object
) -> None:
    header = "time,measure,code,value,unit"
    assert said(f"{AT},{measure},{code},61,/min", header) == expected


def test_rows_are_told_by_line_and_person_and_blank_ones_are_none() -> None:
    rows = [
        f"{AT},,heart-rate,{beats},/min,,,{who}"
        for beats, who in ((61, "p1"), (62, "p2"))
    ]
    text = "\n".join([HEADER, "", rows[0], ",,,,,,,", rows[1]])
    assert [(one.place, one.patient) for one in read(text)] == [(3, "p1"), (5, "p2")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no column time, value, unit, measure"),
        ("time,value,unit\n", "no column measure"),
        ("Smith,1950-02-03\n", "no column"),
        ("time,time,measure,value,unit\n", "stands there twice"),
        (f'{HEADER}\n"{AT}"x,1\n', "quotes or characters"),
        (f'{HEADER}\n"{AT},1\n', "quotes or characters"),
        (f"{HEADER}\n" + "x" * 70_000, "longer than any row"),
        (f'{HEADER}\n"' + ("x" * 60_000 + "\n") * 4, "quotes or characters"),
    ],
)
def test_what_is_no_csv_of_a_wearable_is_refused_without_its_words(
    text: str, says: str
) -> None:
    with pytest.raises(NotRead, match=says) as caught:
        read(text)
    assert "Smith" not in str(caught.value)


def test_what_is_not_utf_8_is_refused_after_what_is() -> None:
    raw = f"{HEADER}\n{AT},,heart-rate,61,/min,,,\n".encode() + b"\xff" * 20_000
    rows = read_csv(io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"), BERLIN)
    with pytest.raises(NotRead, match="not UTF-8"):
        list(rows)


def test_no_more_than_a_line_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wearable_csv, "LONGEST", 50)

    class Endless(io.StringIO):
        asked = 0

        def readline(self, size: int | None = -1, /) -> str:
            self.asked += 1
            return (
                f"{AT},heart-rate,61,/min\n"
                if self.asked > 1
                else "time,measure,value,unit\n"
            )

    file = Endless()
    rows = read_csv(file, BERLIN)
    assert [next(rows).place for _ in range(3)] == [2, 3, 4]
    assert file.asked <= 5


cells = st.text(max_size=12) | st.sampled_from(
    [AT, "heart-rate", "steps", "61", "/min", "no", "UTC", '"', "2025-07-01"]
)


@given(st.lists(st.lists(cells, max_size=9).map(",".join), max_size=5), st.booleans())
def test_any_rows_are_points_or_refused_as_a_file(rows: list[str], known: bool) -> None:
    text = "\n".join([HEADER, *rows] if known else rows)
    try:
        found = read(text)
    except NotRead as refusal:
        assert str(refusal).startswith("not")
        return
    assert all(len(point.results) == 1 for point in found)
