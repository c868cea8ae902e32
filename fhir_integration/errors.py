"""What this room adds to the tree in `backend.twin.errors`.

EhrRefused
 └─ NotConformant   our own resource broke R4 or our invariants; nothing was sent
"""

from __future__ import annotations

from backend.twin.errors import EhrRefused


class NotConformant(EhrRefused):
    """A resource of ours is not fit to be sent; the message names the broken rule."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"resource not sent: {rule}", status=422)
