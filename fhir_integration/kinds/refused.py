"""What a reader says of a resource, or a part of one, that it does not use."""

from __future__ import annotations

from dataclasses import dataclass

from backend.twin.record import Reason


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a part, or all, was not used; `safety`: a safety item's answer is lost."""

    reason: Reason
    safety: bool = False
