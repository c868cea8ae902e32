"""Recording: one row, in the chain, or AuditUnavailable."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction

from backend.audit import ledger
from backend.audit.entry import GENESIS
from backend.audit.ledger import Action, Outcome, record
from backend.audit.models import AccessedPatient, AccessEvent
from backend.audit.verify import verify
from backend.twin.errors import AuditUnavailable

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_a_row_says_who_did_what_when_and_why() -> None:
    patients = [uuid4(), uuid4()]
    with time_machine.travel(NOW, tick=False):
        record(
            action=Action.LIST,
            actor="user:7",
            purpose="HOPERAT",
            patients=patients,
            detail={"patients": 2},
        )
    row = AccessEvent.objects.get()
    assert (row.seq, row.recorded, row.previous) == (1, NOW, GENESIS)
    assert (row.action, row.outcome, row.actor) == ("LIST", "SUCCESS", "user:7")
    assert (row.purpose, row.detail) == ("HOPERAT", '{"patients":2}')
    children = row.patients.order_by("position").values_list("patient", flat=True)
    assert list(children) == patients
    assert str(row) == "audit row 1"
    assert str(row.patients.first()) == "audit row 1, patient 0"


def test_rows_are_numbered_and_chained(chain_of) -> None:
    chain_of(5)
    rows = list(AccessEvent.objects.order_by("seq"))
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5]
    assert [row.previous for row in rows[1:]] == [row.mac for row in rows[:-1]]
    assert ledger.current().anchor.read()[0] == (5, rows[-1].mac)


def test_the_callers_rollback_takes_the_row_and_leaves_the_anchor(chain_of) -> None:
    chain_of(2)
    with pytest.raises(RuntimeError), transaction.atomic():
        record(action=Action.CREATE, actor="user:1")
        raise RuntimeError
    chain_of(1)
    assert verify().rows == 3
    assert verify().problems == ()


def test_a_grouped_ledger_writes_in_the_callers_transaction_on_sqlite(
    tmp_path, django_capture_on_commit_callbacks
) -> None:
    ledger.configure(key=b"k" * 32, anchor=tmp_path / "grouped", grouped=True)
    with django_capture_on_commit_callbacks(execute=True):
        record(action=Action.READ, actor="user:1")
    assert verify().rows == 1


def test_the_actor_is_never_empty() -> None:
    with pytest.raises(ValueError, match="actor"):
        record(action=Action.READ, actor="")
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessEvent.objects.create(seq=1, recorded=NOW, actor="")


def test_before_it_is_configured_nothing_is_recorded(monkeypatch) -> None:
    monkeypatch.setattr(ledger, "_ledger", None)
    with pytest.raises(AuditUnavailable, match="not configured"):
        record(action=Action.READ, actor="user:1")


def test_a_short_key_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        ledger.configure(key=b"short", anchor=tmp_path / "a", grouped=False)


def test_keys_are_not_in_the_text_of_the_ledger() -> None:
    text = repr(ledger.current())
    assert "audit.anchor" in text
    assert repr(ledger.current().key) not in text
    assert "key=" not in text


@pytest.mark.parametrize("table", ["audit_accessevent", "audit_accessedpatient"])
def test_a_broken_table_refuses(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO gone")
    with pytest.raises(AuditUnavailable, match="OperationalError"):
        record(action=Action.READ, actor="user:1", patients=[uuid4()])


def test_a_full_disk_refuses(monkeypatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER full BEFORE INSERT ON audit_accessevent "
            "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    with pytest.raises(AuditUnavailable, match="IntegrityError"):
        record(action=Action.READ, actor="user:1")


def test_an_anchor_that_cannot_be_made_refuses(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    ledger.configure(key=b"k" * 32, anchor=tmp_path / "file" / "a", grouped=False)
    with pytest.raises(AuditUnavailable, match="FileExistsError"):
        record(action=Action.READ, actor="user:1")


def test_an_anchor_lost_before_the_commit_refuses(
    django_capture_on_commit_callbacks,
) -> None:
    with (
        pytest.raises(AuditUnavailable, match="the anchor file is missing"),
        django_capture_on_commit_callbacks(execute=True),
    ):
        record(action=Action.READ, actor="user:1")
        ledger.current().anchor.path.unlink()


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("action", list(Action))
def test_every_action_and_outcome_fits_its_column(action, outcome) -> None:
    record(action=action, actor="user:1", outcome=outcome)
    assert AccessEvent.objects.get().action == action.value
    assert not AccessedPatient.objects.exists()
