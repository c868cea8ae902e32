"""A number of JSON as a float, or why it is none."""

from __future__ import annotations

import math

from backend.twin.record import Reason


def finite(value: object) -> float | Reason:
    """A JSON number as a float; NOT_A_NUMBER for anything else."""
    if type(value) is float and -1e15 < value < 1e15:  # the common case, at once
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Reason.NOT_A_NUMBER
    try:
        number = float(value)
    except OverflowError:
        return Reason.NOT_A_NUMBER
    return number if math.isfinite(number) else Reason.NOT_A_NUMBER
