"""Values that do not fit the period stated for them."""

from __future__ import annotations

import pytest

from backend.twin.record import Reason
from fhir_integration.kinds.wearable import Sample
from tests.fhir_integration.kinds.body import DAY, Json, lasting, quantity, valued
from tests.fhir_integration.kinds.test_wearable import (
    HOUR,
    NIGHT,
    component,
    night,
    read,
    reasons,
)


def _daily(start: str, end: str) -> Json:
    return lasting("41950-7", start, end)


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (night("93832-4", 8, "h"), None),
        (night("93832-4", 8.4, "h"), None),  # 5 % more than its own period
        (night("93832-4", 8.41, "h"), Reason.IMPLAUSIBLE),
        (night("93831-6", 8.5, "h"), Reason.IMPLAUSIBLE),
        (night("93832-4", 6, "h") | {"component": [component("93829-0", 9, "h")]},
         Reason.IMPLAUSIBLE),
        (lasting("93832-4", None, NIGHT[1], valueQuantity=quantity(9, "h")), None),
        (lasting("93832-4", "2026-02-13", "2026-02-14",
                 valueQuantity=quantity(9, "h")), None),
        (_daily("2026-02-14T00:00:00Z", "2026-02-15T00:00:00Z"), None),
        (_daily("2026-02-14T03:00:00Z", "2026-02-14T23:00:00Z"), None),
        (_daily("2026-02-14T03:00:01Z", "2026-02-14T23:00:00Z"), Reason.NO_WINDOW),
        (_daily(*HOUR), Reason.NO_WINDOW),
        (_daily("2026-02-14", "2026-02-14"), None),
        (valued("41950-7", 9000, "/d"), None),  # a point: the day that it states
    ],
)  # fmt: skip
def test_a_value_fits_its_own_period(resource: Json, reason: Reason | None) -> None:
    assert reasons(resource) == ([] if reason is None else [reason])


def test_a_total_stamped_at_midnight_counts_on_the_day_that_it_states() -> None:
    [point] = read(
        valued("41950-7", 9000, "/d", effectiveDateTime="2026-02-14T00:00:00+01:00")
    )
    assert isinstance(point, Sample)
    assert point.day == DAY
