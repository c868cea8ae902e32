from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.inference.breaker import Breakers

LATE = "deadline_exceeded"


@pytest.mark.parametrize(
    ("events", "closed"),
    [
        ("", True),
        ("ff", True),
        ("fff", False),
        ("ffsff", True),
        ("ffsfff", False),
        ("d", False),
        ("ds", False),  # an answer that was under way closes nothing
        ("fffc", True),
        ("fffcff", True),
        ("dcd", False),
    ],
)
def test_three_failures_in_a_row_or_a_dead_one_open_it(
    events: str, closed: bool
) -> None:
    breakers: Breakers[str] = Breakers()
    does = {
        "f": lambda: breakers.failed("a", LATE),
        "d": lambda: breakers.failed("a", "dead"),
        "s": lambda: breakers.succeeded("a"),
        "c": lambda: breakers.close("a"),
    }
    for event in events:
        does[event]()
    assert breakers.closed("a") is closed
    assert breakers.closed("b")


def test_the_word_is_of_the_failure_that_opened_it() -> None:
    breakers: Breakers[str] = Breakers(failures=2)
    assert not breakers.failed("a", LATE)
    assert breakers.failed("a", "cancelled")
    assert not breakers.failed("a", "dead")
    assert breakers.opened() == {"a": "cancelled"}


def test_one_of_many_callers_opens_it() -> None:
    breakers: Breakers[int] = Breakers()
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: breakers.failed(1, LATE), range(64)))
    assert opened.count(True) == 1
