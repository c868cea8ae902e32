"""Moves of channels at the same time, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.races import race

SCRIPT = Path(__file__).with_name("racing.py")


def check(found: dict[str, Any], *, vendor: str, refused: list[int]) -> None:
    """`refused` are numbers of cards that a database of this kind does not take."""
    assert found == {
        "vendor": vendor,
        "ended": ["done", "refused"],
        "channels of retired ones": 0,
        "two rollbacks": {"done+refused: 1": 12},
        "refused": refused,
        "problems": [],
    }


def test_on_sqlite_moves_wait_for_one_another(tmp_path: Path) -> None:
    check(race(SCRIPT, tmp_path), vendor="sqlite", refused=[4])


def test_on_postgres_moves_wait_for_one_another(tmp_path: Path, postgres: str) -> None:
    found = race(SCRIPT, tmp_path, RACING_POSTGRES=postgres)
    check(found, vendor="postgresql", refused=[4, 5, 3_000_000_000])
