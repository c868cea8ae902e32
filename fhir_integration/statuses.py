"""Which states of an Observation may be used, for every kind that is read."""

from __future__ import annotations

from backend.twin.record import Reason

USED = frozenset({"final", "amended", "corrected"})
_REFUSED = {
    "registered": Reason.NOT_FINAL,
    "preliminary": Reason.NOT_FINAL,
    "unknown": Reason.NOT_FINAL,
    "entered-in-error": Reason.ENTERED_IN_ERROR,
    "cancelled": Reason.CANCELLED,
}


def not_used(status: object) -> Reason | None:
    """Why an Observation of this status is not used; None if it may be."""
    if not isinstance(status, str):
        return Reason.MALFORMED
    return None if status in USED else _REFUSED.get(status, Reason.MALFORMED)
