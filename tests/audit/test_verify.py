"""Every single change of the log is found, and nothing else is called a change."""

from __future__ import annotations

import random
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection, transaction

from backend.audit import ledger, verify
from backend.audit.ledger import Action, record

pytestmark = pytest.mark.django_db
ROWS = 24


def sql(statement: str, *values: object) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def unguarded(chain_of):
    """A chain whose triggers an attacker has dropped."""
    chain_of(ROWS)
    names = sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for (name,) in names:
        sql(f"DROP TRIGGER {name}")
    return len(names)


def edit_event(dice: random.Random) -> None:
    column = dice.choice(verify._COLUMNS)
    seq = dice.randint(1, ROWS)
    new = {
        "seq": dice.randint(ROWS + 1, 10**6),
        "recorded": f"2001-01-01 00:00:{dice.randint(10, 59)}.{dice.randint(1, 9)}",
        "previous": f"{dice.getrandbits(256):064x}",
        "mac": f"{dice.getrandbits(256):064x}",
    }.get(column, f"w{dice.randint(0, 10**9)}")
    sql(f"UPDATE audit_accessevent SET {column} = %s WHERE seq = %s", new, seq)


def edit_child(dice: random.Random) -> None:
    children = sql("SELECT event_id, position FROM audit_accessedpatient")
    column = dice.choice(["event_id", "position", "patient"])
    new = {"event_id": dice.randint(ROWS + 1, 10**6), "position": dice.randint(4, 99)}
    sql(
        f"UPDATE audit_accessedpatient SET {column} = %s "
        "WHERE event_id = %s AND position = %s",
        new.get(column, f"{dice.getrandbits(128):032x}"),
        *dice.choice(children),
    )


def delete_child(dice: random.Random) -> None:
    children = sql("SELECT event_id, position FROM audit_accessedpatient")
    sql(
        "DELETE FROM audit_accessedpatient WHERE event_id = %s AND position = %s",
        *dice.choice(children),
    )


def delete_event(dice: random.Random) -> None:
    seq = dice.randint(1, ROWS)
    if dice.random() < 0.5:
        sql("DELETE FROM audit_accessedpatient WHERE event_id = %s", seq)
    sql("DELETE FROM audit_accessevent WHERE seq = %s", seq)


def reorder(dice: random.Random) -> None:
    """Two rows change places, with or without their patients."""
    one, other = dice.sample(range(1, ROWS + 1), 2)
    tables = [("audit_accessevent", "seq"), ("audit_accessedpatient", "event_id")]
    for table, column in tables[: dice.randint(1, 2)]:
        for old, new in ((one, 0), (other, one), (0, other)):
            sql(f"UPDATE {table} SET {column} = %s WHERE {column} = %s", new, old)


def move_child(dice: random.Random) -> None:
    """A patient is taken from one row and put to another."""
    event, position = dice.choice(
        sql("SELECT event_id, position FROM audit_accessedpatient")
    )
    target = dice.choice([seq for seq in range(1, ROWS + 1) if seq != event])
    sql(
        "UPDATE audit_accessedpatient SET event_id = %s, position = 9 "
        "WHERE event_id = %s AND position = %s",
        target,
        event,
        position,
    )


def insert_child(dice: random.Random) -> None:
    sql(
        "INSERT INTO audit_accessedpatient (event_id, position, patient) "
        "VALUES (%s, %s, %s)",
        dice.randint(0, ROWS + 5),
        dice.randint(4, 99),
        f"{dice.getrandbits(128):032x}",
    )


def insert_event(dice: random.Random) -> None:
    sql(
        "INSERT INTO audit_accessevent SELECT %s, recorded, action, outcome, actor, "
        "purpose, detail, previous, mac FROM audit_accessevent WHERE seq = %s",
        ROWS + dice.randint(1, 3),
        dice.randint(1, ROWS),
    )


def cut_tail(dice: random.Random) -> None:
    last = dice.randint(0, ROWS - 1)
    if dice.random() < 0.5:
        sql("DELETE FROM audit_accessedpatient WHERE event_id > %s", last)
    sql("DELETE FROM audit_accessevent WHERE seq > %s", last)


TAMPERINGS: list[Callable[[random.Random], None]] = [
    edit_event,
    edit_child,
    delete_event,
    delete_child,
    reorder,
    move_child,
    insert_event,
    insert_child,
    cut_tail,
]


def test_one_thousand_tamperings_are_found(unguarded) -> None:
    assert unguarded == 6
    assert verify.verify() == verify.Report(ROWS, (), 0)
    dice = random.Random(20260302)
    missed = []
    for number in range(1000):
        tamper = dice.choice(TAMPERINGS)
        mark = transaction.savepoint()
        tamper(dice)
        if not verify.verify().problems:
            missed.append((number, tamper.__name__))
        transaction.savepoint_rollback(mark)
    assert missed == []
    assert verify.verify().problems == ()


def test_an_empty_log_is_whole(tmp_path) -> None:
    assert verify.verify() == verify.Report(0, (), 0)


def test_the_report_names_the_row(unguarded) -> None:
    sql("UPDATE audit_accessevent SET actor = 'user:999' WHERE seq = 7")
    assert verify.verify().problems == ("row 7 was changed",)


def test_rows_cut_from_the_end_are_counted(unguarded) -> None:
    sql("DELETE FROM audit_accessedpatient WHERE event_id > 20")
    sql("DELETE FROM audit_accessevent WHERE seq > 20")
    assert verify.verify().problems == ("4 rows are missing at the end",)


def test_values_that_cannot_be_read_are_a_problem(unguarded) -> None:
    sql("UPDATE audit_accessedpatient SET patient = 'no uuid' WHERE event_id = 6")
    assert verify.verify().problems == (
        "after row 3: a value cannot be read; stopped there",
    )


def test_the_list_of_problems_ends(unguarded, monkeypatch) -> None:
    monkeypatch.setattr(verify, "PROBLEMS_SHOWN", 5)
    sql("UPDATE audit_accessevent SET purpose = 'X'")
    assert len(verify.verify().problems) == 5


def test_a_missing_anchor_is_a_problem_once_there_are_rows(chain_of) -> None:
    chain_of(2)
    ledger.current().anchor.path.unlink()
    assert verify.verify().problems == ("the anchor file is missing",)


def test_a_damaged_slot_is_a_problem(chain_of) -> None:
    chain_of(2)
    path = ledger.current().anchor.path
    raw = bytearray(path.read_bytes())
    raw[10] ^= 1
    path.write_bytes(raw)
    assert verify.verify().problems == ("the anchor file is damaged",)


def other_history(rows: int, chain_of: Callable[[int], None]) -> None:
    """Write the log anew under the same key, as after a restored backup."""
    sql("DELETE FROM audit_accessedpatient")
    sql("DELETE FROM audit_accessevent")
    ledger.current().anchor.path.unlink()
    chain_of(rows)


def test_another_chain_of_the_same_length_is_found(unguarded, chain_of) -> None:
    anchor = ledger.current().anchor.path
    kept = anchor.read_bytes()
    other_history(ROWS, chain_of)
    anchor.write_bytes(kept)
    assert verify.verify().problems == (f"row {ROWS} is not the one that was anchored",)


def test_a_row_of_another_history_is_found(unguarded, chain_of) -> None:
    """Its number and MAC are right; only the rows around it are not."""
    columns = ", ".join(verify._COLUMNS)
    row = f"SELECT {columns} FROM audit_accessevent WHERE seq = 5"
    sql(f"CREATE TEMP TABLE kept AS {row}")
    other_history(7, chain_of)
    sql("DELETE FROM audit_accessevent WHERE seq = 5")
    sql(f"INSERT INTO audit_accessevent ({columns}) SELECT {columns} FROM kept")
    assert verify.verify().problems == (
        "row 5 does not continue the row before it",
        "row 6 does not continue the row before it",
    )


def test_deleted_rows_are_named(unguarded) -> None:
    sql("DELETE FROM audit_accessevent WHERE seq IN (7, 8)")
    assert verify.verify().problems == (
        "patients of row 7, which does not exist",
        "patients of row 8, which does not exist",
        "rows 7 to 8 are missing",
        "row 9 does not continue the row before it",
    )
    sql("DELETE FROM audit_accessedpatient WHERE event_id IN (7, 8)")


@pytest.mark.parametrize("event", [-1, 0, ROWS + 1])
def test_patients_of_no_row_are_named(unguarded, event: int) -> None:
    sql(
        "INSERT INTO audit_accessedpatient (event_id, position, patient) "
        "VALUES (%s, 0, %s)",
        event,
        uuid4().hex,
    )
    assert verify.verify().problems == (
        f"patients of row {event}, which does not exist",
    )
    sql("DELETE FROM audit_accessedpatient WHERE event_id = %s", event)


def test_rows_beyond_the_anchor_are_counted_not_accused(chain_of) -> None:
    chain_of(2)
    record(action=Action.READ, actor="user:1", patients=[uuid4()])
    assert verify.verify() == verify.Report(3, (), 1)


def test_an_anchor_far_behind_is_a_problem(chain_of, monkeypatch) -> None:
    monkeypatch.setattr(verify, "UNANCHORED_LIMIT", 1)
    chain_of(1)
    record(action=Action.READ, actor="user:1")
    assert verify.verify().problems == ()
    record(action=Action.READ, actor="user:1")
    assert verify.verify().problems == ("the anchor is 2 rows behind",)
