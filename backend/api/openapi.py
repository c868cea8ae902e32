"""What drf-spectacular cannot find out by itself."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The header that a token comes in."""

    target_class = "backend.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(
        self,
        auto_schema: Any,  # noqa: ARG002 - the framework's signature, its type untyped
    ) -> dict[str, str]:
        """An API key in the Authorization header, with its prefix."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token <token>`; get one at /api/v1/tokens",
        }
