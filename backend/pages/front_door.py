"""The admin's front door: only audited pages, and a row for whoever may not come in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.pages.audited import AuditedAdmin

View = Callable[..., HttpResponse]

# Pages without anything of the installation in them; signing out has a row of its own.
_EMPTY = {"catch_all_view", "i18n_javascript", "logout"}


class AuditedSite(admin.AdminSite):
    """Pages of a model record themselves (see `audited.py`); the others do so here."""

    def register(
        self, model_or_iterable: Any, admin_class: Any = None, **options: Any
    ) -> None:
        """As Django does it, but for pages that leave no audit row: an installed
        package's own are left out. (One shows API tokens, one the patients of others.)
        """
        if admin_class is not None and issubclass(admin_class, AuditedAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """As Django does it; a caller who is sent to the login is a denial."""
        inner: View = super().admin_view(view, cacheable)
        records_itself = isinstance(getattr(view, "__self__", None), AuditedAdmin)
        name = getattr(view, "__name__", "view")

        @wraps(inner)
        def recorded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not self.has_permission(request):
                _record(request, Outcome.DENIED, {})
            elif not records_itself and name not in _EMPTY:
                _record(request, Outcome.SUCCESS, {"view": name})
            return inner(request, *args, **kwargs)

        return recorded


def _record(request: HttpRequest, outcome: Outcome, detail: dict[str, str]) -> None:
    who = request.user
    ledger.record(
        action=Action.ADMIN,
        actor=f"user:{who.pk}" if who.is_authenticated else "anonymous",
        outcome=outcome,
        detail=detail,
    )
