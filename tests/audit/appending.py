"""A process that appends to the access log; started by tests, prints one JSON line.

appending.py migrate
appending.py threads THREADS ROWS_EACH    grouped, one row per call
appending.py inline ROWS                  in the caller's connection
appending.py forever                      until somebody kills it; a line per row
appending.py fork                         before, in and after a forked child
appending.py verify
appending.py contract                     what both databases promise
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import Error, connection, transaction  # noqa: E402
from django.db.backends.signals import connection_created  # noqa: E402

from backend.audit import ledger  # noqa: E402
from backend.audit.ledger import Action, record  # noqa: E402
from backend.audit.verify import verify  # noqa: E402

ANCHOR = Path(os.environ["MINDTWIN_VAR"]) / "audit.anchor"


def configure(*, grouped: bool) -> None:
    ledger.configure(key=b"k" * 32, anchor=ANCHOR, grouped=grouped)


def one(number: int) -> None:
    record(action=Action.READ, actor="user:1", patients=[UUID(int=number)])


def count_of_fsyncs() -> list[int]:
    """Count the anchor's writes, one a commit."""
    synced: list[int] = []
    real = os.fsync
    os.fsync = lambda file: (synced.append(file), real(file))[1]
    return synced


def threads(number: int, each: int) -> dict[str, float]:
    configure(grouped=True)
    one(0)
    synced = count_of_fsyncs()
    connected: list[object] = []
    connection_created.connect(lambda **_: connected.append(1), weak=False)
    crowd = [
        threading.Thread(target=lambda: [one(i) for i in range(each)])
        for _ in range(number)
    ]
    start = time.perf_counter()
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    wall = time.perf_counter() - start
    ledger.current().writer.close()
    return {
        "rows": number * each,
        "commits": len(synced),
        "connections": len(connected),
        "wall_s": wall,
    }


def inline(rows: int) -> dict[str, float]:
    configure(grouped=False)
    start = time.perf_counter()
    for number in range(rows):
        one(number)
    return {"rows": rows, "wall_s": time.perf_counter() - start}


def forever() -> None:
    configure(grouped=True)
    for number in range(1_000_000):
        one(number)
        print(number, flush=True)


def fork() -> dict[str, int]:
    configure(grouped=True)
    one(1)
    with ledger.current().writer._guard:  # the worst moment: a lock is held
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            connection.close()
            one(2)
            os._exit(0)
    _, status = os.waitpid(child, 0)
    one(3)
    ledger.current().writer.close()
    return {"status": status}


def verified() -> dict[str, object]:
    configure(grouped=False)
    return asdict(verify())


def refused(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except Error:
        return True
    return False


def cut_connections() -> None:
    """What a restart of PostgreSQL does to the writer's connection."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def contract() -> dict[str, object]:
    configure(grouped=True)
    for number in range(2):
        one(number)
    if connection.vendor == "postgresql":
        cut_connections()
    one(3)
    with transaction.atomic():  # on PostgreSQL the writer writes, whatever comes of it
        one(4)
    ledger.current().writer.close()
    configure(grouped=False)
    with transaction.atomic():
        one(5)
        one(6)
    statements = [
        "UPDATE audit_accessevent SET actor = 'x' WHERE seq = 2",
        "DELETE FROM audit_accessevent WHERE seq = 2",
        "UPDATE audit_accessedpatient SET position = 7",
        "DELETE FROM audit_accessedpatient",
        "INSERT INTO audit_accessevent SELECT * FROM audit_accessevent WHERE seq = 2",
        "UPDATE audit_accessevent SET actor = ''",
    ]
    if connection.vendor == "postgresql":
        statements += [
            "TRUNCATE audit_accessedpatient",
            "TRUNCATE audit_accessevent CASCADE",
        ]
    answer = {statement: refused(statement) for statement in statements}
    return {"vendor": connection.vendor, "refused": answer} | verified()


def main(word: str, *numbers: str) -> None:
    if word == "migrate":
        call_command("migrate", verbosity=0)
        return
    act = {
        "threads": threads,
        "inline": inline,
        "forever": forever,
        "fork": fork,
        "verify": verified,
        "contract": contract,
    }[word]
    print(json.dumps(act(*map(int, numbers))))


if __name__ == "__main__":
    main(*sys.argv[1:])
