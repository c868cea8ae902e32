"""The database itself refuses every change but an insert at the end."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, NotSupportedError, connection, transaction

from backend.audit.models import AccessedPatient, AccessEvent
from backend.audit.verify import verify

pytestmark = pytest.mark.django_db
EVENT = "SELECT seq, recorded, action, outcome, 'x', purpose, detail, previous, mac"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_accessevent SET actor = 'x'",
        "UPDATE audit_accessevent SET seq = seq + 100",
        "DELETE FROM audit_accessevent",
        f"INSERT OR REPLACE INTO audit_accessevent {EVENT} FROM audit_accessevent",
        "INSERT INTO audit_accessevent SELECT 0, recorded, action, outcome, actor, "
        "purpose, detail, previous, mac FROM audit_accessevent WHERE seq = 1",
        "UPDATE audit_accessedpatient SET position = 9",
        "DELETE FROM audit_accessedpatient",
        "INSERT OR REPLACE INTO audit_accessedpatient (event_id, position, patient) "
        "SELECT event_id, position, 'x' FROM audit_accessedpatient",
    ],
)
def test_sql_is_refused(chain_of, statement: str) -> None:
    chain_of(4)
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert verify().problems == ()


def test_the_orm_is_refused(chain_of) -> None:
    chain_of(4)
    row = AccessEvent.objects.get(seq=2)
    row.actor = "user:9"
    for change in (
        row.save,
        lambda: AccessEvent.objects.update(actor="user:9"),
        lambda: AccessedPatient.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()
    assert verify().problems == ()


class Editor:
    """What a migration uses of Django's schema editor."""

    def __init__(self, vendor: str = "") -> None:
        self.connection = SimpleNamespace(vendor=vendor) if vendor else connection
        self.done: list[str] = []

    def execute(self, statement: str) -> None:
        self.done.append(statement)
        if self.connection is connection:
            with connection.cursor() as cursor:
                cursor.execute(statement)


def test_the_migration_can_be_undone_and_done_again(chain_of) -> None:
    chain_of(2)
    migration = import_module("backend.audit.migrations.0002_append_only")
    migration.drop(None, Editor())
    AccessEvent.objects.filter(seq=2).update(actor="user:9")
    migration.create(None, Editor())
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        AccessEvent.objects.filter(seq=2).update(actor="user:8")


def test_what_postgres_gets_is_taken_back_whole() -> None:
    migration = import_module("backend.audit.migrations.0002_append_only")
    made, dropped = Editor("postgresql"), Editor("postgresql")
    migration.create(None, made)
    migration.drop(None, dropped)
    assert len(made.done) == len(dropped.done) == 3


def test_a_database_without_triggers_of_ours_is_refused() -> None:
    migration = import_module("backend.audit.migrations.0002_append_only")
    with pytest.raises(NotSupportedError, match="oracle"):
        migration.create(None, Editor("oracle"))
