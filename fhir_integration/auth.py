"""What lets us in at an EHR: a bearer token, and where a newer one comes from."""

from __future__ import annotations

import re
from typing import Protocol

from backend.twin.errors import EhrRefused

_SENDABLE = re.compile(r"[\x21-\x7e]+")  # visible ASCII; RFC 6750 allows even less
_BAD_REQUEST = 400  # as if a server had said it


class Token(Protocol):
    """A bearer token that may change while the EHR is asked; threads may share it."""

    def current(self) -> str:
        """The token as far as is known, without asking anybody who takes long."""
        ...

    def renew(self, rejected: str) -> str:
        """What to try after the EHR refused `rejected`; once per request.

        Many threads may be refused at once: where `current` is another token by now,
        that is the answer, and nobody has to be asked. Raises EhrError.
        """
        ...


class StaticToken:
    """A token out of the settings: it is what it is.

    It is tried a second time all the same: while an EHR changes its keys, single
    requests of a valid token are refused.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def current(self) -> str:
        """The token."""
        return self._text

    def renew(self, rejected: str) -> str:  # noqa: ARG002 - there is no other
        """The same token."""
        return self._text


def token_of(stated: str | Token | None) -> Token | None:
    """A text as a token that never changes; empty or None: ask without one."""
    if isinstance(stated, str):
        return StaticToken(stated) if stated else None
    return stated


def bearer(token: str) -> str:
    """The value of the Authorization header.

    Raises EhrRefused for a token that no header can carry: below us such a header would
    be quoted in an error, token and all.
    """
    if not _SENDABLE.fullmatch(token):
        raise EhrRefused(
            "the EHR's token has a character that no header carries",
            status=_BAD_REQUEST,
        )
    return f"Bearer {token}"
