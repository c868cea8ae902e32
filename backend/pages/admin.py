"""The admin: people and care teams to keep, answers and the audit log to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, URLField
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from backend.audit.models import AccessEvent
from backend.pages.advice_answer import advice_page
from backend.pages.audited import AuditedAdmin, OwnPatientsAdmin, ReadOnlyAdmin
from backend.pages.correlation_answer import correlation_page
from backend.pages.models_admin import ChannelAdmin, ReleaseAdmin, SwitchAdmin
from backend.pages.svg import svg
from backend.people.eligibility import PRIVATE, objection
from backend.people.models import CareTeamMember, Patient, Site, SiteMember, User
from backend.predictions.answer import Instrument, open_answer
from backend.predictions.correlation_answer import open_correlation
from backend.predictions.models import Alert, OutboxItem, Prediction
from backend.predictions.remarks import Remarks
from backend.predictions.treatment_answer import open_advice
from backend.twin.trajectory import Forecast
from backend.twin.warning_words import warning_words

__all__ = ["ChannelAdmin", "ReleaseAdmin", "SwitchAdmin"]  # registered by their import

DISCLAIMER = (
    "Estimates of a model for research and decision support: no measurements, no "
    "diagnosis. Clinical judgement decides."
)

admin.site.site_header = "MindTwin"
admin.site.site_title = "MindTwin"
admin.site.index_title = "Research and decision support; not a medical device"


@admin.register(User)
class AuditedUserAdmin(AuditedAdmin, UserAdmin):
    """Accounts."""

    fieldsets = (*(UserAdmin.fieldsets or ()), ("Kind", {"fields": ("is_service",)}))
    list_display = ("username", "is_active", "is_staff", "is_service")

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """A new password for somebody; Django's page beside the usual ones."""
        page = super().user_change_password
        return self.of_object(
            request, id, "password", lambda: page(request, id, form_url)
        )


@admin.register(Group)
class AuditedGroupAdmin(AuditedAdmin, GroupAdmin):
    """Groups of permissions."""


@admin.register(Site)
class SiteAdmin(AuditedAdmin):
    """Sites; the slug is part of every blind index, so it is set once."""

    list_display = ("slug", "name", "write_mode")
    formfield_overrides: ClassVar = {URLField: {"assume_scheme": "https"}}

    def get_readonly_fields(
        self, _request: HttpRequest, obj: Model | None = None
    ) -> tuple[str, ...]:
        """The slug, once there is a site."""
        return ("slug",) if obj else ()


@admin.register(SiteMember)
class SiteMemberAdmin(AuditedAdmin):
    """Who serves a site."""


@admin.register(CareTeamMember)
class CareTeamMemberAdmin(AuditedAdmin):
    """Who treats a patient. The form takes our id: a choice would list everybody."""

    raw_id_fields = ("patient",)


@admin.register(AccessEvent)
class AccessEventAdmin(ReadOnlyAdmin):
    """The access log, to read."""

    list_display = ("seq", "recorded", "action", "outcome", "actor", "purpose")
    list_filter = ("action", "outcome")
    search_fields = ("actor",)


@admin.register(Patient)
class PatientAdmin(OwnPatientsAdmin):
    """One's own patients, by our id; whether they opted out is all there is to change.

    `closed` is the EHR's word of the last pull.
    """

    patient_field = "pk"
    list_display = ("id", "site", "created", "opted_out", "closed")
    fields: ClassVar = list_display
    readonly_fields = ("id", "site", "created", "closed")

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """By Django's own permission."""
        return super(ReadOnlyAdmin, self).has_change_permission(request, obj)


@admin.register(Prediction)
class PredictionAdmin(OwnPatientsAdmin):
    """Stored answers: forecasts in pictures, links in words, advice with sources."""

    list_display = (
        *("id", "service", "patient", "as_of", "created"),
        *("historical", "stale_reason"),
    )
    list_filter = ("service",)
    fields = (*list_display, "answer")
    readonly_fields = fields

    @admin.display(description="Answer")
    def answer(self, prediction: Prediction) -> SafeString:
        """What is urgent first; then what the service has to say, with its reasons.

        Nothing but why, where the patient's answers are closed.
        """
        closed = objection(prediction.patient, PRIVATE)
        if closed:
            return format_html("<p><strong>Closed: {}.</strong></p>", str(closed))
        page = _PAGES.get(prediction.service)
        if page is None:
            return format_html("<p>{}</p>", "Not shown here: no page for this service.")
        return page(prediction)


@admin.register(Alert)
class AlertAdmin(OwnPatientsAdmin):
    """Urgent findings; they are acknowledged over the API."""

    list_display = ("id", "patient", "created", "acknowledged_at")
    fields: ClassVar = list_display


@admin.register(OutboxItem)
class OutboxAdmin(OwnPatientsAdmin):
    """Where deliveries stand."""

    list_display = (
        *("id", "service", "patient", "state", "attempts"),
        *("next_attempt", "last_error"),
    )
    list_filter = ("state", "prediction__service")
    list_select_related = ("prediction",)
    fields: ClassVar = list_display
    readonly_fields = ("service",)

    @admin.display(ordering="prediction__service")
    def service(self, item: OutboxItem) -> str:
        """Whose answer it is."""
        return item.prediction.service


def _forecast(prediction: Prediction) -> SafeString:
    """Each instrument with its picture."""
    opened = open_answer(prediction.patient, prediction)
    cards = format_html_join("", "{}", ((_card(i),) for i in opened.instruments))
    return format_html("{}<p>{}</p>{}", _remarks(opened.remarks), DISCLAIMER, cards)


def _correlation(prediction: Prediction) -> SafeString:
    """Links in words, and a table of every pair."""
    opened = open_correlation(prediction.patient, prediction)
    top = _remarks(opened.remarks, *filter(None, [opened.method]))
    return format_html("{}{}", top, correlation_page(opened))


def _advice(prediction: Prediction) -> SafeString:
    """A word on each medicine, and whose word it is."""
    opened = open_advice(prediction.patient, prediction)
    top = _remarks(opened.remarks, *filter(None, [opened.method]))
    return format_html("{}{}", top, advice_page(opened))


_PAGES: Mapping[str, Callable[[Prediction], SafeString]] = {
    "forecast": _forecast,
    "correlation": _correlation,
    "pharmacogenomics": _advice,
}


def _remarks(first: Remarks, *notices: str) -> SafeString:
    urgent = (f"Urgent: {found.text}" for found in first.urgent_findings)
    said = (*urgent, *first.notices, *notices)
    return format_html_join("", "<p><strong>{}</strong></p>", ((s,) for s in said))


def _card(item: Instrument) -> SafeString:
    forecast = item.forecast
    lines = [
        "Line: median; dark: 80 % interval; light: 95 % interval.",
        f"Reliability {forecast.grade}: {'; '.join(forecast.reasons)}.",
        f"Answered by {_who(forecast)}.",
        *(f"{one.text} {one.reason}" for one in item.recommendations),
        " ".join(warning_words(forecast)),
    ]
    return format_html(
        "<div><strong>{}</strong><br>{}{}</div>",
        forecast.scale.title,
        svg(forecast),
        format_html_join("", "<p>{}</p>", ((line,) for line in lines)),
    )


def _who(forecast: Forecast) -> str:
    """The models by name and version, or the fallback by its name."""
    named = [f"{use.model} version {use.version}" for use in forecast.models]
    return ", ".join(named) or f"{forecast.method} (no model)"
