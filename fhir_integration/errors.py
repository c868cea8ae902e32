"""What this room adds to the tree in `backend.twin.errors`.

EhrRefused
 ├─ NotConformant   our own resource broke R4 or our invariants; nothing was sent
 ├─ KeptOtherwise   the EHR keeps something else than was sent: it will not change its
 │                  mind within a minute, so it counts as a refusal
 └─ TooManyValues   the days hold more values than are read at once; fewer days may do
"""

from __future__ import annotations

from backend.twin.errors import EhrRefused


class NotConformant(EhrRefused):
    """A resource of ours is not fit to be sent; the message names the broken rule."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"resource not sent: {rule}", status=422)


class KeptOtherwise(EhrRefused):
    """What the EHR gives back differs from what was sent; the message names where."""

    def __init__(self, part: str) -> None:
        super().__init__(f"the EHR keeps another {part} than was sent", status=422)


class TooManyValues(EhrRefused):
    """The EHR holds more values of the days than one pull reads; ask for fewer days."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"the days asked for hold more than {most:,} values; ask for fewer days",
            status=413,
        )
