"""An audit row carries words, and its MAC carries every one of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.entry import GENESIS, Action, Entry, Outcome, entry, mac

WHEN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOT_WORDS = ["", "two words", "a\nb", "a\rb", "\x1b[31m", "é", "<b>", 'a"b', "a" * 129]


def made(**changes) -> Entry:
    parts = {
        "recorded": WHEN,
        "action": Action.READ,
        "outcome": Outcome.SUCCESS,
        "words": ("user:1", "TREAT"),
        "detail": {"count": 3},
        "patients": [UUID(int=1)],
    }
    return entry(**(parts | changes))


def sealed(key: bytes = b"k", seq: int = 1, previous: str = GENESIS, **changes) -> str:
    event = made(**changes)
    columns = [event.recorded, event.action, event.outcome, event.actor]
    columns += [event.purpose, event.detail, list(enumerate(event.patients))]
    return mac(key, previous=previous, seq=seq, row=columns)


@pytest.mark.parametrize("word", NOT_WORDS)
def test_only_words_are_recorded(word: str) -> None:
    for changes in (
        {"words": (word, "TREAT")},
        {"words": ("user:1", word)},
        {"detail": {"error": word}},
        {"detail": {word: 1}},
    ):
        with pytest.raises(ValueError, match="audit entry must") as refused:
            made(**changes)
        assert not word or word not in str(refused.value)


@given(st.text(max_size=20))
def test_whatever_is_recorded_is_one_line_of_plain_characters(text: str) -> None:
    try:
        event = made(words=(text, "TREAT"), detail={"error": text})
    except ValueError:
        return
    assert event.actor.isascii()
    assert event.actor.isprintable()
    assert " " not in event.detail


def test_details_are_written_the_same_whatever_their_order() -> None:
    one = made(detail={"a": 1, "b": "x"})
    assert one == made(detail={"b": "x", "a": 1})
    assert one.detail == '{"a":1,"b":"x"}'


def test_times_are_utc() -> None:
    berlin = WHEN.astimezone(timezone(timedelta(hours=1)))
    assert made(recorded=berlin).recorded.utcoffset() == timedelta(0)
    assert sealed(recorded=berlin) == sealed()


@pytest.mark.parametrize(
    "changes",
    [
        {"key": b"other"},
        {"seq": 2},
        {"previous": "1" * 64},
        {"recorded": WHEN + timedelta(microseconds=1)},
        {"action": Action.LIST},
        {"outcome": Outcome.DENIED},
        {"words": ("user:2", "TREAT")},
        {"words": ("user:1", "BTG")},
        {"detail": {"count": 4}},
        {"detail": {}},
        {"patients": []},
        {"patients": [UUID(int=2)]},
        {"patients": [UUID(int=1), UUID(int=1)]},
    ],
)
def test_each_part_changes_the_mac(changes: dict) -> None:
    assert sealed(**changes) != sealed()


def test_bytes_in_place_of_text_are_another_value() -> None:
    rows = [WHEN, "READ", "SUCCESS", "user:1", "TREAT", "{}", []]
    text = mac(b"k", previous=GENESIS, seq=1, row=rows)
    rows[3] = b"user:1"
    assert mac(b"k", previous=GENESIS, seq=1, row=rows) != text
