from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.measures import measures
from backend.twin.streams import NO_OFFSET, Rows, Stream, stream

HEART = measures()["heart-rate"]
Line = tuple[int, float, int, int, float, str, int]


def rows(*lines: Line) -> Rows:
    return Rows(*(list(column) for column in zip(*lines, strict=True)))


def line(start: int, value: float, of: int, **changes: Any) -> Line:
    made = {
        "fraction": 0,
        "seconds": 0.0,
        "day": 3,
        "offset": 60,
        "source": f"Observation/{of}",
    }
    made |= changes
    return (
        start * 1_000_000 + made["fraction"],
        made["seconds"],
        made["day"],
        made["offset"],
        value,
        made["source"],
        of,
    )


def made(*lines: Line) -> tuple[Stream, list[str]]:
    return stream(HEART, rows(*lines))


def test_rows_come_in_order_of_time_each_in_its_column() -> None:
    found, repeats = made(
        line(200, 70.0, 1, seconds=5.0),
        line(100, 60.0, 2, day=2, offset=NO_OFFSET),
    )
    assert len(found) == 2
    assert found.start.tolist() == [100, 200]
    assert found.value.tolist() == [60.0, 70.0]
    assert found.seconds.tolist() == [0.0, 5.0]
    assert found.day.tolist() == [2, 3]
    assert found.offset.tolist() == [NO_OFFSET, 60]
    assert found.sources == ("Observation/2", "Observation/1")
    assert repeats == []


def test_the_same_value_of_two_resources_counts_once() -> None:
    found, repeats = made(line(1, 60.0, 2), line(1, 60.0, 1), line(1, 60.0, 3))
    assert found.sources == ("Observation/1",)
    assert sorted(repeats) == ["Observation/2", "Observation/3"]


@pytest.mark.parametrize(
    "other",
    [
        line(2, 60.0, 2),
        line(1, 61.0, 2),
        line(1, 60.0, 2, seconds=1.0),
        line(1, 60.0, 2, fraction=100_000),
    ],
)
def test_another_time_value_or_window_is_no_repeat(other: Line) -> None:
    found, repeats = made(line(1, 60.0, 1), other)
    assert (len(found), repeats) == (2, [])


def test_equal_values_of_one_resource_are_no_repeats() -> None:
    found, repeats = made(line(1, 60.0, 1), line(1, 60.0, 1))
    assert (len(found), repeats) == (2, [])


LINES = st.builds(
    line,
    st.integers(0, 3),
    st.sampled_from([60.0, 61.0]),
    st.integers(0, 5),
)


@given(st.lists(LINES, min_size=1, max_size=12), st.randoms())
def test_the_order_of_arrival_does_not_matter(lines: list[Line], random: Any) -> None:
    shuffled = list(lines)
    random.shuffle(shuffled)
    (found, repeats), (again, repeats_again) = made(*lines), made(*shuffled)
    assert found == again
    assert hash(found) == hash(again)
    assert sorted(repeats) == sorted(repeats_again)


@pytest.mark.parametrize(
    "changed",
    [
        line(2, 60.0, 1),
        line(1, 61.0, 1),
        line(1, 60.0, 2),
        line(1, 60.0, 1, seconds=1.0),
        line(1, 60.0, 1, day=4),
        line(1, 60.0, 1, offset=0),
    ],
)
def test_the_digest_knows_every_column(changed: Line) -> None:
    assert made(line(1, 60.0, 1))[0] != made(changed)[0]


def test_a_stream_equals_streams_of_its_measure_only() -> None:
    found = made(line(1, 60.0, 1))[0]
    other, _ = stream(measures()["resting-heart-rate"], rows(line(1, 60.0, 1)))
    assert found != other
    assert found != 60.0
