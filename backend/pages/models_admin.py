"""The admin of models and services: what there is, and moving it, with a row each.

A move is asked for in the list, confirmed on a page of its own, and done by `registry`,
which asks the gates and records it. It is done outside of the page's transaction:
loading takes seconds, and a refusal must leave its row.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from backend.pages.audited import AuditedAdmin, ReadOnlyAdmin
from backend.pages.moves import MOVES, Asked, standing
from backend.registry.models import Channel, ModelRelease, ServiceSwitch
from backend.registry.switches import SERVICES, switch
from backend.twin.errors import ModelError

_LIST = "admin:registry_modelrelease_changelist"
_MOVE = "admin:registry_modelrelease_move"


class MoveForm(forms.Form):
    """What a move needs to know beside the releases."""

    standing = forms.CharField(widget=forms.HiddenInput)
    percent = forms.IntegerField(min_value=0, max_value=100, initial=100)
    uncalibrated = forms.BooleanField(
        required=False,
        label="go on although nobody fitted a calibration for these versions together",
    )

    def __init__(self, *args: Any, needs: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"percent", "uncalibrated"} - set(needs):
            del self.fields[name]


@admin.register(ModelRelease)
class ReleaseAdmin(ReadOnlyAdmin):
    """Releases, where each is used, and the moves."""

    list_display = ("model", "version", "weights", "used_as", "retired_at")
    list_filter = ("model",)
    ordering = ("model", "-version")
    actions = tuple(MOVES)

    @admin.display(description="weights (sha256)")
    def weights(self, release: ModelRelease) -> str:
        """The beginning of the digest."""
        return release.sha256[:12]

    @admin.display(description="channels")
    def used_as(self, release: ModelRelease) -> str:
        """The channels that point at it."""
        return ", ".join(sorted(one.name for one in release.channels.all())) or "-"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the channels."""
        return super().get_queryset(request).prefetch_related("channels")

    def get_action(self, action: Any) -> Any:
        """A move's action leads to its page; there are no others of our own."""
        return _leads_to(action), action, MOVES[action].title

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None for those who may not move channels."""
        return super().get_actions(request) if _may_move(request) else {}

    def get_urls(self) -> list[URLPattern]:
        """Django's, and the page of a move."""
        view = self.admin_site.admin_view(self.move_view)
        move = path("move/<str:step>/", view, name="registry_modelrelease_move")
        return [move, *super().get_urls()]

    def move_view(self, request: HttpRequest, step: str) -> HttpResponse:
        """Asks whether to move, or does it."""
        asked = self._asked(request, step)
        form = MoveForm(
            request.POST or None,
            needs=MOVES[step].needs,
            initial={"standing": standing()},
        )
        if request.method == "POST" and form.is_valid():
            self._record(request, asked.act, allowed=True)
            self._move(request, step, asked, form.cleaned_data)
            return HttpResponseRedirect(reverse(_LIST))
        context = {
            **self.admin_site.each_context(request),
            "title": MOVES[step].title,
            "opts": self.opts,
            "says": MOVES[step].says,
            "releases": asked.releases,
            "form": form,
        }
        return self._audited(
            request,
            lambda: TemplateResponse(request, "admin/registry/move.html", context),
            lambda _: asked.act,
            refused=asked.act,
        )

    def _asked(self, request: HttpRequest, step: str) -> Asked:
        """Which releases. Raises Http404, and PermissionDenied, with its row."""
        asked = Asked.of(step, request.GET.getlist("id"))
        if not _may_move(request):
            self._record(request, asked.act, allowed=False)
            raise PermissionDenied
        if step not in MOVES or not asked.releases:
            self._record(request, asked.act, allowed=False)
            raise Http404
        return asked

    def _move(
        self, request: HttpRequest, step: str, asked: Asked, said: dict[str, Any]
    ) -> None:
        if said["standing"] != standing():
            say = "production changed meanwhile: look, and ask again"
            messages.error(request, say)
            return
        try:
            done = MOVES[step].run(_actor(request), asked.releases, said)
        except (ModelError, ValueError) as error:
            messages.error(request, f"Refused: {error}")
        else:
            messages.success(request, done)


@admin.register(Channel)
class ChannelAdmin(ReadOnlyAdmin):
    """Where each channel points, and who answers for it."""

    list_display = ("model", "name", "release", "percent", "approver", "since")
    ordering = ("model", "name")


class SwitchForm(forms.ModelForm):
    """One switch."""

    service = forms.ChoiceField(choices=[(one, one) for one in SERVICES])

    def clean(self) -> dict[str, Any]:
        """An end needs a reason."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if said.get("off") and not str(said.get("reason") or "").strip():
            self.add_error("reason", "say why it is switched off")
        return said


@admin.register(ServiceSwitch)
class SwitchAdmin(AuditedAdmin):
    """The kill switches; a service without a row is on."""

    list_display = ("service", "off", "reason", "by", "since")
    form = SwitchForm
    fields = ("service", "off", "reason")

    def get_readonly_fields(
        self, _request: HttpRequest, obj: Model | None = None
    ) -> tuple[str, ...]:
        """Which service it is, once there is a row."""
        return ("service",) if obj else ()

    def save_model(
        self,
        request: HttpRequest,
        obj: Any,
        form: Any,  # noqa: ARG002 - Django's signature
        change: bool,  # noqa: ARG002, FBT001
    ) -> None:
        """By the registry, which records it."""
        switch(
            obj.service, on=not obj.off, actor=_actor(request), reason=obj.reason or ""
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """As for channels."""
        return _may_move(request)

    def has_change_permission(
        self,
        request: HttpRequest,
        obj: Model | None = None,  # noqa: ARG002 - Django's signature
    ) -> bool:
        """As for channels."""
        return _may_move(request)

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        obj: Model | None = None,  # noqa: ARG002
    ) -> bool:
        """Never: a row says since when, and who."""
        return False


def _leads_to(step: str) -> Any:
    def ask(
        _page: Any, _request: HttpRequest, chosen: QuerySet[Any]
    ) -> HttpResponseRedirect:
        ids = urlencode([("id", row.pk) for row in chosen])
        return HttpResponseRedirect(f"{reverse(_MOVE, args=[step])}?{ids}")

    return ask


def _may_move(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("registry.change_channel"))


def _actor(request: HttpRequest) -> str:
    return f"user:{request.user.pk}"
