"""The admin's front door: whoever may not come in leaves an audit row."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from backend.audit import ledger
from backend.audit.ledger import Action, Outcome

View = Callable[..., HttpResponse]


class AuditedSite(admin.AdminSite):
    """Pages for those who are let in record themselves (see `audited.py`)."""

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """As Django does it; a caller who is sent to the login is a denial."""
        inner: View = super().admin_view(view, cacheable)

        @wraps(inner)
        def recorded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not self.has_permission(request):
                _record_denial(request)
            return inner(request, *args, **kwargs)

        return recorded


def _record_denial(request: HttpRequest) -> None:
    who = request.user
    ledger.record(
        action=Action.ADMIN,
        actor=f"user:{who.pk}" if who.is_authenticated else "anonymous",
        outcome=Outcome.DENIED,
    )
