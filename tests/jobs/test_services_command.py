from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from backend.audit import ledger
from backend.audit.models import AccessEvent
from backend.registry.switches import require_on
from backend.twin.errors import AuditUnavailable, ServiceOff

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("services", *arguments, stdout=out)
    return out.getvalue()


def test_a_service_goes_off_and_on() -> None:
    assert run("off", "forecast", "--reason", "wrong since noon") == "forecast: off\n"
    with pytest.raises(ServiceOff):
        require_on("forecast")
    first, *others = run("list").splitlines()
    assert first.startswith("forecast: off since 20")
    assert first.endswith(": wrong since noon")
    assert others == ["correlation: on", "pharmacogenomics: on"]
    assert run("on", "forecast") == "forecast: on\n"
    require_on("forecast")
    assert run("list").startswith("forecast: on\n")
    actions = AccessEvent.objects.order_by("seq").values_list("action", flat=True)
    assert list(actions) == ["SWITCH", "LIST", "SWITCH", "LIST"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("off", "forecast"), "--reason"),
        (("off", "forecast", "--reason", " "), "say why"),
        (("off", "weather", "--reason", "x"), "invalid choice"),
    ],
)
def test_what_cannot_be_switched_is_said(arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run(*arguments)


def test_without_its_row_nothing_is_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_words: Any) -> None:
        raise AuditUnavailable("no room")

    monkeypatch.setattr(ledger, "record", full)
    with pytest.raises(CommandError, match="AuditUnavailable: nothing was done"):
        run("off", "forecast", "--reason", "x")
    require_on("forecast")
