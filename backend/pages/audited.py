"""Admin pages that only read, show only one's own patients, and leave an audit row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.people.models import Patient, User

_REFUSALS = (PermissionDenied, SuspiciousOperation, Http404)
_NOTE = "_audited_action"  # the attribute of a request that holds an `Act`


@dataclass(frozen=True, slots=True)
class Act:
    """What was done, to how many rows, of which patients."""

    view: str
    rows: int
    patients: list[UUID]


class AuditedAdmin(admin.ModelAdmin):
    """Every page view is one audit row; if it cannot be written, no page is shown.

    What a form changes is changed in the row's own transaction: both or neither.
    """

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; its row names the patients on the page that is shown."""
        page = super().changelist_view
        asked = request.POST.get("action")
        if asked and asked not in self.get_actions(request):
            self._record(request, Act("action", 0, []), allowed=False)
        return self._audited(
            request,
            lambda: page(request, extra_context),
            lambda response: getattr(request, _NOTE, None) or _shown(response),
            refused=Act("list", 0, []),
        )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """As Django has them; each that runs is noted for the row of its request."""
        known: dict[str, Any] = dict(super().get_actions(request))
        return {
            name: (_noted(name, run), name, text)
            for name, (run, _, text) in known.items()
        }

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A new object."""
        page = super().add_view
        act = Act("add", 1, [])
        return self._audited(
            request,
            lambda: page(request, form_url, extra_context),
            lambda _: act,
            refused=act,
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One object, read or changed."""
        page = super().change_view
        return self.of_object(
            request,
            object_id,
            "object",
            lambda: page(request, object_id, form_url, extra_context),
        )

    def delete_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Asks whether to delete one object, or does it."""
        page = super().delete_view
        return self.of_object(
            request,
            object_id,
            "delete",
            lambda: page(request, object_id, extra_context),
        )

    def history_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What was done to one object in the admin."""
        page = super().history_view
        return self.of_object(
            request,
            object_id,
            "history",
            lambda: page(request, object_id, extra_context),
        )

    def get_deleted_objects(
        self, objs: Sequence[Any] | QuerySet[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """What would go along is counted: a list would name patients of other teams."""
        found = super().get_deleted_objects(objs, request)
        _, counts, needed, protected = found
        kept = [f"{len(protected)} rows that must stay"] if protected else []
        return [str(one) for one in objs], counts, needed, kept

    def of_object(
        self,
        request: HttpRequest,
        object_id: str,
        view: str,
        page: Callable[[], HttpResponse],
    ) -> HttpResponse:
        """A page of one object. Unknown and out of sight are the same denial, whose row
        does not keep what was asked.
        """
        found = self.get_object(request, unquote(object_id))
        act = Act(view, int(found is not None), _patients([found]))
        if found is None:
            self._record(request, act, allowed=False)
            return page()  # Django's own answer for what is not there
        return self._audited(request, page, lambda _: act, refused=act)

    def _audited(
        self,
        request: HttpRequest,
        page: Callable[[], HttpResponse],
        done: Callable[[HttpResponse], Act],
        *,
        refused: Act,
    ) -> HttpResponse:
        """Run the page, then write its row, then let it go. Raises AuditUnavailable."""
        reads = request.method in {"GET", "HEAD", "OPTIONS"}
        try:
            with nullcontext() if reads else transaction.atomic():
                response = page()
                self._record(request, done(response), allowed=True)
                return response
        except _REFUSALS:
            self._record(request, refused, allowed=False)
            raise

    def _record(self, request: HttpRequest, act: Act, *, allowed: bool) -> None:
        ledger.record(
            action=Action.ADMIN,
            actor=f"user:{request.user.pk}",
            outcome=Outcome.SUCCESS if allowed else Outcome.DENIED,
            patients=act.patients,
            detail={
                "model": self.opts.model_name or "",
                "view": act.view,
                "rows": act.rows,
            },
        )


class ReadOnlyAdmin(AuditedAdmin):
    """Nothing is added, changed or deleted here; permission to view still counts."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Never."""
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Never."""
        return False


class OwnPatientsAdmin(ReadOnlyAdmin):
    """Rows of the patients in one's care teams; superusers see no others either."""

    patient_field = "patient"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Only rows of patients that the user may see."""
        user = request.user
        mine = (
            Patient.objects.visible_to(user)
            if isinstance(user, User)
            else Patient.objects.none()
        )
        return (
            super().get_queryset(request).filter(**{f"{self.patient_field}__in": mine})
        )


def patient_of(row: object) -> UUID | None:
    """The patient a row belongs to, if any."""
    if isinstance(row, Patient):
        return row.pk
    return getattr(row, "patient_id", None)


def _patients(rows: Iterable[object]) -> list[UUID]:
    found = {patient_of(row) for row in rows}
    return sorted(patient for patient in found if patient)


def _shown(response: HttpResponse) -> Act:
    """The rows on the page of a list; an answer without a list shows none."""
    context = getattr(response, "context_data", None) or {}
    rows = list(context["cl"].result_list) if "cl" in context else []
    return Act("list", len(rows), _patients(rows))


def _noted(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
    """The action, which first notes what it is about to touch."""

    @wraps(run)
    def noted(page: AuditedAdmin, request: HttpRequest, chosen: QuerySet[Any]) -> Any:
        rows = list(chosen)
        setattr(request, _NOTE, Act(name, len(rows), _patients(rows)))
        return run(page, request, chosen)

    return noted
