"""Logins, logouts and failed logins leave rows; what was typed does not."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.signed_cookies import SessionStore

from backend.audit import ledger
from backend.audit.models import AccessEvent
from backend.twin.errors import AuditUnavailable

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_(rf):
    request = rf.get("/")
    request.session = SessionStore()
    request.user = AnonymousUser()
    return request


def rows() -> list[tuple[str, str, str]]:
    columns = ("action", "outcome", "actor")
    return list(AccessEvent.objects.order_by("seq").values_list(*columns))


def test_login_and_logout_are_recorded(request_, clinician) -> None:
    user = authenticate(request_, username="clinician", password="a long password")
    login(request_, user)
    logout(request_)
    name = f"user:{clinician.pk}"
    assert rows() == [("LOGIN", "SUCCESS", name), ("LOGOUT", "SUCCESS", name)]


def test_a_failed_login_is_recorded_without_what_was_typed(request_, clinician) -> None:
    assert authenticate(request_, username="my-password", password="wrong") is None
    assert rows() == [("LOGIN", "DENIED", "anonymous")]
    assert json.loads(AccessEvent.objects.get().detail) == {}


def test_a_logout_without_a_login_is_nothing(request_) -> None:
    logout(request_)
    assert rows() == []


def test_nobody_gets_in_when_the_log_is_broken(request_, clinician, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    ledger.configure(key=b"k" * 32, anchor=tmp_path / "file" / "a", grouped=False)
    with pytest.raises(AuditUnavailable):
        login(request_, clinician)
