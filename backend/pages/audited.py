"""Admin pages that only read, show only one's own patients, and leave an audit row."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.people.models import Patient, User


class AuditedAdmin(admin.ModelAdmin):
    """Every page view is one audit row; if it cannot be written, no page is shown."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; names the patients on it where its rows belong to patients."""
        allowed = self.has_view_or_change_permission(request)
        patients = self._patients(request) if allowed else []
        self._record(request, "list", patients, allowed=allowed)
        return super().changelist_view(request, extra_context)

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A new object."""
        allowed = self.has_add_permission(request)
        self._record(request, "add", [], allowed=allowed)
        return super().add_view(request, form_url, extra_context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One object, read or changed."""
        self.record_object(request, "object", object_id)
        return super().change_view(request, object_id, form_url, extra_context)

    def delete_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Asks whether to delete one object, or does it."""
        self.record_object(request, "delete", object_id)
        return super().delete_view(request, object_id, extra_context)

    def history_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What was done to one object in the admin."""
        self.record_object(request, "history", object_id)
        return super().history_view(request, object_id, extra_context)

    def _patients(self, request: HttpRequest) -> list[UUID]:
        found = {patient_of(row) for row in self.get_queryset(request)[:1000]}
        return sorted(patient for patient in found if patient)

    def record_object(self, request: HttpRequest, view: str, object_id: str) -> None:
        """Unknown and out of sight are the same denial; what was asked is not kept."""
        found = self.get_object(request, unquote(object_id))
        may = (
            self.has_delete_permission
            if view == "delete"
            else self.has_view_or_change_permission
        )
        allowed = found is not None and may(request, found)
        patient = patient_of(found)
        self._record(request, view, [patient] if patient else [], allowed=allowed)

    def _record(
        self, request: HttpRequest, view: str, patients: list[UUID], *, allowed: bool
    ) -> None:
        ledger.record(
            action=Action.ADMIN,
            actor=f"user:{request.user.pk}",
            outcome=Outcome.SUCCESS if allowed else Outcome.DENIED,
            patients=patients,
            detail={"model": self.opts.model_name or "", "view": view},
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
