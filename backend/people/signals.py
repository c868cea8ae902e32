"""Logins, logouts, failed logins and new passwords become audit rows."""

from __future__ import annotations

from auditlog.context import auditlog_value
from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)

from backend.audit.ledger import Action, Outcome, record
from backend.people.access import Actor
from backend.people.models import User, password_replaced


def connect() -> None:
    """Listen to Django's own signals, which forms, API tokens and tests all send."""
    user_logged_in.connect(_logged_in, dispatch_uid="people.logged_in")
    user_logged_out.connect(_logged_out, dispatch_uid="people.logged_out")
    user_login_failed.connect(_login_failed, dispatch_uid="people.login_failed")
    password_replaced.connect(
        _password_replaced, dispatch_uid="people.password_replaced"
    )


def _logged_in(*, user: User, **_: object) -> None:
    record(action=Action.LOGIN, actor=Actor.of_user(user).name)


def _logged_out(*, user: User | None, **_: object) -> None:
    if user is not None:  # without a session nothing ended
        record(action=Action.LOGOUT, actor=f"user:{user.pk}")


def _login_failed(**_: object) -> None:
    """The name that was tried is not recorded: people type passwords into it."""
    record(action=Action.LOGIN, actor="anonymous", outcome=Outcome.DENIED)


def _password_replaced(*, user: User, tokens: int, **_: object) -> None:
    """Whoever is signed in did it, or a command; inside the change's transaction."""
    signed_in = auditlog_value.get({}).get("actor")
    actor = (
        Actor.of_user(signed_in)
        if isinstance(signed_in, User)
        else Actor.of_command("set_password")
    )
    record(
        action=Action.ADMIN,
        actor=actor.name,
        detail={"view": "new_password", "user": user.pk, "tokens": tokens},
    )
