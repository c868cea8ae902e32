"""`manage.py verify_audit` says what it found, and leaves a row that it looked."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from backend.audit import ledger
from backend.audit.models import AccessEvent
from backend.audit.verify import verify
from backend.jobs.management.commands.verify_audit import Command

pytestmark = pytest.mark.django_db


def run(**options) -> str:
    """What it printed; a CommandError carries it as its note."""
    out = StringIO()
    try:
        call_command(Command(), stdout=out, stderr=out, **options)
    except CommandError as error:
        error.add_note(out.getvalue())
        raise
    return out.getvalue()


def test_a_whole_log_is_called_whole(chain_of) -> None:
    chain_of(3)
    printed = run()
    assert "3 rows read, 0 not anchored yet" in printed
    assert "The access log is whole." in printed
    row = AccessEvent.objects.get(seq=4)
    assert (row.action, row.outcome) == ("VERIFY", "SUCCESS")
    assert row.actor.startswith("command:verify_audit@")
    assert json.loads(row.detail) == {"anchored_again": 0, "problems": 0, "rows": 3}


def test_a_changed_row_is_named_and_the_command_fails(chain_of) -> None:
    chain_of(3)
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER audit_accessevent_no_UPDATE")
        cursor.execute("UPDATE audit_accessevent SET actor = 'x' WHERE seq = 2")
    with pytest.raises(CommandError, match="1 problems") as failed:
        run()
    assert "PROBLEM  row 2 was changed" in failed.value.__notes__[0]
    assert AccessEvent.objects.get(seq=4).outcome == "FAILED"


def test_a_lost_anchor_is_written_again_by_an_operators_word(chain_of) -> None:
    chain_of(3)
    ledger.current().anchor.path.unlink()
    with pytest.raises(CommandError) as failed:
        run()
    printed = failed.value.__notes__[0]
    assert "PROBLEM  the anchor file is missing" in printed
    assert "the audit entry was not written" in printed
    with pytest.raises(CommandError):
        run(anchor_again=True)
    assert json.loads(AccessEvent.objects.get(seq=4).detail)["anchored_again"] == 1
    assert verify().problems == ()
