"""A new password ends the API tokens made with the old one, and leaves a row."""

from __future__ import annotations

import json

import pytest
from auditlog.context import auditlog_value
from django.contrib.auth import authenticate
from django.core.management import call_command
from knox.models import AuthToken

from backend.audit import ledger
from backend.audit.models import AccessEvent
from backend.people.models import User
from backend.twin.errors import AuditUnavailable

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_signed_in():
    before = auditlog_value.set({})
    yield
    auditlog_value.reset(before)


@pytest.fixture
def tokens(clinician: User) -> None:
    other = User.objects.create_user("other", password="another long password")
    for user in (clinician, clinician, other):
        AuthToken.objects.create(user)


def told() -> list[tuple]:
    return [
        (row.action, row.outcome, row.actor.partition("@")[0], json.loads(row.detail))
        for row in AccessEvent.objects.order_by("seq")
    ]


def held() -> list[str]:
    return sorted(AuthToken.objects.values_list("user__username", flat=True))


@pytest.mark.parametrize("way", ["set_password", "set_unusable_password"])
def test_a_new_password_ends_tokens(clinician, tokens, way) -> None:
    getattr(clinician, way)(*(["new and long enough"] if way == "set_password" else []))
    clinician.save()
    assert held() == ["other"]
    detail = {"view": "new_password", "user": clinician.pk, "tokens": 2}
    assert told() == [("ADMIN", "SUCCESS", "command:set_password", detail)]
    clinician.save()
    assert len(told()) == 1, "once is enough"


def test_who_is_signed_in_is_named(clinician, tokens) -> None:
    auditlog_value.set({"actor": clinician})
    clinician.set_password("new and long enough")
    clinician.save()
    assert [row[2] for row in told()] == [f"user:{clinician.pk}"]


def test_djangos_own_command_counts_too(clinician, tokens, monkeypatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: "new and long enough")
    call_command("changepassword", "clinician", verbosity=0)
    assert held() == ["other"]
    assert len(told()) == 1


def test_other_changes_leave_tokens_alone(clinician, tokens) -> None:
    clinician.first_name = "C"
    clinician.save()
    User.objects.create_user("third", password="a third long password")
    assert held() == ["clinician", "clinician", "other"]
    assert told() == []


def test_a_hash_made_anew_at_login_is_no_other_password(
    clinician, tokens, settings
) -> None:
    older = clinician.password
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    assert authenticate(None, username="clinician", password="a long password")
    clinician.refresh_from_db()
    assert clinician.password != older
    assert held() == ["clinician", "clinician", "other"]
    assert told() == []


def test_without_the_log_the_password_stays(clinician, tokens, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    ledger.configure(key=b"k" * 32, anchor=tmp_path / "file" / "a", grouped=False)
    clinician.set_password("new and long enough")
    with pytest.raises(AuditUnavailable):
        clinician.save()
    assert User.objects.get(username="clinician").check_password("a long password")
    assert held() == ["clinician", "clinician", "other"]
