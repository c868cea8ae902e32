"""Who acts has a name, and nobody acts without one."""

from __future__ import annotations

import os
import pwd

import pytest
from django.contrib.auth.models import AnonymousUser

from backend.people.access import Actor
from backend.people.models import User

pytestmark = pytest.mark.django_db


def test_a_user_is_named_by_our_id(clinician) -> None:
    assert Actor.of_user(clinician).name == f"user:{clinician.pk}"


def test_nobody_is_no_actor() -> None:
    for nobody in (AnonymousUser(), User(username="unsaved")):
        with pytest.raises(ValueError, match="stored user"):
            Actor.of_user(nobody)


def test_an_actor_without_a_user_is_a_command() -> None:
    with pytest.raises(ValueError, match="command"):
        Actor("user:1", None)


def test_a_command_names_the_login_it_runs_under(monkeypatch) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")
    login = pwd.getpwuid(os.getuid()).pw_name
    assert Actor.of_command("worker") == Actor(f"command:worker@{login}", None)


def test_a_login_without_a_name_is_a_number(monkeypatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    assert Actor.of_command("worker").name == "command:worker@uid-4000000"


def test_a_login_with_odd_letters_becomes_a_word(monkeypatch) -> None:
    strange = pwd.struct_passwd(("corp\\jö n", "", 0, 0, "", "", ""))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: strange)
    assert Actor.of_command("worker").name == "command:worker@corp_j__n"
