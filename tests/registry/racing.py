"""Operators who promote, roll back and retire the same versions at once.

Started by test_racing.py as its own program, on a real database that several threads
and connections share. Prints one JSON line.
"""

from __future__ import annotations

import json
import math
import threading
from collections import Counter
from collections.abc import Callable

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

from backend import wiring  # noqa: E402
from backend.audit.verify import verify  # noqa: E402
from backend.registry import promotion  # noqa: E402
from backend.registry.assignment import retire  # noqa: E402
from backend.registry.models import Channel, ModelRelease  # noqa: E402
from backend.registry.promotion import promote, rollback, standing  # noqa: E402
from backend.registry.rows import point  # noqa: E402
from backend.registry.services import register  # noqa: E402
from backend.twin.errors import ModelGated  # noqa: E402
from tests.predictions.fakes import Version  # noqa: E402
from tests.registry.made import (  # noqa: E402
    ACTOR,
    NET,
    FakeServer,
    good_card,
    pointers,
    registered,
    release,
)

ROUNDS = 12  # of each kind


def at_once(*works: Callable[[], object]) -> list[str]:
    """What became of each: done, refused, or the class of another error."""
    ended: list[str] = []
    start = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        try:
            connection.ensure_connection()
            start.wait()
            work()
        except ModelGated:
            ended.append("refused")
        except BaseException as error:
            ended.append(repr(error))
            raise
        else:
            ended.append("done")
        finally:
            connections.close_all()

    crowd = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    return sorted(ended)


def as_at_first() -> None:
    """Version 2 in production, 1 before it, 3 waiting; none retired."""
    ModelRelease.objects.update(retired_at=None)
    point("production", release(NET, 2))
    point("previous", release(NET, 1))


def back(seen: dict[str, int]) -> object:
    return rollback(actor=ACTOR, models=[NET], seen=seen)


def up(version: int) -> object:
    server = FakeServer()
    return promote(actor=ACTOR, releases={NET: version}, approver="ada", models=server)


def away(version: int) -> object:
    return retire(actor=ACTOR, of=(NET, version), models=FakeServer())


def main() -> None:
    call_command("migrate", verbosity=0)
    wiring.configure()
    promotion.uncalibrated = lambda _versions: None
    registered(1, 2, 3)
    others: Counter[str] = Counter()
    twice: Counter[str] = Counter()
    retired = 0
    for _ in range(ROUNDS):
        for works in (
            (lambda: back({NET: 2}), lambda: away(1)),
            (lambda: up(3), lambda: away(3)),
            (lambda: back({NET: 2}), lambda: up(3), lambda: away(1), lambda: away(2)),
        ):
            as_at_first()
            others.update(at_once(*works))
            retired += Channel.objects.exclude(release__retired_at=None).count()
        as_at_first()
        seen = standing()
        both = at_once(lambda seen=seen: back(seen), lambda seen=seen: back(seen))
        twice[f"{'+'.join(both)}: {pointers()[NET, 'production']}"] += 1
    cards = (good_card(x=math.nan), good_card(x="a\0b"), good_card(), good_card())
    numbers = (4, 5, 3_000_000_000, 6)
    fresh = [Version(NET, n, "0" * 64, c) for n, c in zip(numbers, cards, strict=True)]
    refused = register(actor="system:race", versions=fresh).refused
    found = {
        "vendor": connection.vendor,
        "ended": sorted(others),
        "channels of retired ones": retired,
        "two rollbacks": twice,
        "refused": sorted(number for _, number in refused),
        "problems": list(verify().problems),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
