"""Who calls: a token in the Authorization header, and nothing else."""

from __future__ import annotations

from typing import Any, cast

from auditlog.context import auditlog_value
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from backend.people.access import Actor
from backend.people.models import User


class TokenAuthentication(KnoxTokenAuthentication):  # type: ignore[misc] # untyped
    """Knox tokens; the user found is also the actor of change diffs.

    django-auditlog asks for the user in its middleware, before a token is looked at, so
    without this its rows would have no actor.
    """

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        """The token's user, or None without a token. `Any` is knox's token model."""
        found: tuple[User, Any] | None = super().authenticate(request)
        if found is not None:
            auditlog_value.get({})["actor"] = found[0]
        return found

    def authenticate_credentials(self, token: bytes) -> tuple[User, Any]:
        """As knox does it; bytes that are no text are a wrong token, not a fault."""
        try:
            found: tuple[User, Any] = super().authenticate_credentials(token)
        except UnicodeDecodeError:
            raise AuthenticationFailed("Invalid token.") from None
        return found


def actor_of(request: Request) -> Actor:
    """The signed-in user as the actor that services and the audit know."""
    return Actor.of_user(cast(User, request.user))  # views demand a signed-in user
