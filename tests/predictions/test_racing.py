"""Requests and workers at the same time, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from pathlib import Path

from tests.races import race

SCRIPT = Path(__file__).with_name("racing.py")


def check(found: dict, *, vendor: str) -> None:
    assert found.pop("vendor") == vendor
    predictions = found.pop("predictions")
    assert 8 <= predictions <= 16
    # nothing that was learnt beside them got lost in the race
    assert found.pop("shadows") == found.pop("windows") == predictions
    assert found == {
        "items": 16,
        "delivered": 16,
        "attempts": [1],
        "writes": 16,
        "problems": [],
    }


def test_on_sqlite_each_delivery_is_made_by_one_worker(tmp_path: Path) -> None:
    check(race(SCRIPT, tmp_path), vendor="sqlite")


def test_on_postgres_each_delivery_is_made_by_one_worker(
    tmp_path: Path, postgres: str
) -> None:
    check(race(SCRIPT, tmp_path, RACING_POSTGRES=postgres), vendor="postgresql")
