"""Which code is which item of which questionnaire, and the total of a complete set.

A total is what the EHR says it is. Only where it says none is one added up, and only
from a complete set: a missing answer is not zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from backend.twin.scales import Scale, scale
from fhir_integration.codes import ITEMS, LOINC


@cache
def item_scales() -> Mapping[tuple[str, str], Scale]:
    """(system, code) of each item -> the longest questionnaire that asks it."""
    return {
        (LOINC, code): scale(key)
        for key, codes in sorted(ITEMS.items(), key=lambda row: len(row[1]))
        for code in codes
    }


def total_of(items: Mapping[str, float], of: Scale) -> float | None:
    """The sum of all items of a questionnaire by their codes; None if one is missing.

    The answers are taken to be within their range already.
    """
    codes = ITEMS.get(of.key, ())
    if not codes or any(code not in items for code in codes):
        return None
    return sum(items[code] for code in codes)


def totals_of(items: Mapping[str, float]) -> dict[str, float]:
    """Scale's key -> total, of every questionnaire that these answers complete.

    The two items of the PHQ-2 open the PHQ-9 too: a PHQ-2 was asked only where no
    other item of the PHQ-9 was answered.
    """
    found = {key: total_of(items, scale(key)) for key in ITEMS}
    if any(code in items for code in ITEMS["phq9"][2:]):
        found.pop("phq2")
    return {key: total for key, total in found.items() if total is not None}
