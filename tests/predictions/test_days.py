"""Which day it is, somewhere."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from backend.predictions.days import latest_day


@pytest.mark.parametrize(
    ("hour", "minute", "day"), [(0, 0, 2), (9, 59, 2), (10, 0, 3), (23, 59, 3)]
)
def test_the_next_day_begins_somewhere_at_ten(hour, minute, day):
    moment = datetime(2026, 3, 2, hour, minute, tzinfo=UTC)
    assert latest_day(moment) == date(2026, 3, day)


def test_the_clocks_own_zone_does_not_count():
    auckland = timezone(timedelta(hours=13))
    moment = datetime(2026, 3, 2, 9, 59, tzinfo=UTC)
    assert latest_day(moment.astimezone(auckland)) == date(2026, 3, 2)
