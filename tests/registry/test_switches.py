from __future__ import annotations

import json
from typing import Any

import pytest

from backend.audit import ledger
from backend.audit.models import AccessEvent
from backend.registry.models import ServiceSwitch
from backend.registry.switches import SERVICES, require_on, switch, switches
from backend.twin.errors import AuditUnavailable, ServiceOff

pytestmark = pytest.mark.django_db
ACTOR = "command:services@me"


def test_what_nobody_switched_is_on() -> None:
    for service in SERVICES:
        require_on(service)
    assert switches() == dict.fromkeys(SERVICES)


def test_one_service_is_switched_off_and_on_again() -> None:
    switch("forecast", on=False, actor=ACTOR, reason="wrong since noon")
    with pytest.raises(ServiceOff, match="'forecast' is switched off"):
        require_on("forecast")
    require_on("correlation")
    row = ServiceSwitch.objects.get()
    assert (str(row), row.reason, row.by) == ("forecast off", "wrong since noon", ACTOR)
    switch("forecast", on=True, actor=ACTOR, reason="")
    require_on("forecast")
    assert str(switches()["forecast"]) == "forecast on"


def test_the_row_says_which_and_not_why() -> None:
    switch("forecast", on=False, actor=ACTOR, reason="wrong since noon")
    row = AccessEvent.objects.get()
    assert (row.action, row.actor) == ("SWITCH", ACTOR)
    assert json.loads(row.detail) == {"service": "forecast", "on": 0}


@pytest.mark.parametrize(
    ("service", "reason", "says"),
    [("forecasts", "x", "no service 'forecasts'"), ("forecast", " ", "say why")],
)
def test_what_cannot_be_switched_is_said(service: str, reason: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        switch(service, on=False, actor=ACTOR, reason=reason)
    assert not ServiceSwitch.objects.exists()


def test_without_its_row_nothing_is_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_words: Any) -> None:
        raise AuditUnavailable("no room")

    monkeypatch.setattr(ledger, "record", full)
    with pytest.raises(AuditUnavailable):
        switch("forecast", on=False, actor=ACTOR, reason="x")
    require_on("forecast")
