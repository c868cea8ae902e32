"""The registry's audit rows, and the one place where a pointer is written."""

from __future__ import annotations

import re

from django.utils import timezone

from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.registry.models import Channel, ModelRelease

PLAIN = re.compile(r"[A-Za-z0-9_.:@+/-]{1,128}")  # what an audit row takes as a word

Numbered = tuple[str, int]  # a model and its version


def record(
    action: Action,
    actor: str,
    *,
    of: Numbered,
    outcome: Outcome = Outcome.SUCCESS,
    **detail: str | int,
) -> None:
    """One row about one version; a model's name that is no plain word is left out.

    Raises AuditUnavailable, and then nothing may change.
    """
    model, version = of
    named = {"model": model} if PLAIN.fullmatch(model) else {}
    ledger.record(
        action=action,
        actor=actor,
        outcome=outcome,
        purpose="HOPERAT",
        detail={**named, "version": version, **detail},
    )


def one_at_a_time() -> None:
    """Hold every release until the transaction ends, so that no other move runs.

    What a move relies on is to be read after this: others may have moved while it
    waited. SQLite has one writer at a time anyway.
    """
    list(ModelRelease.objects.select_for_update().order_by("pk").values_list("pk"))


def point(
    name: str,
    release: ModelRelease,
    *,
    percent: int = 100,
    approver: str = "",
    left_behind: bool = False,
) -> None:
    """Have this channel of the release's model point at it, from now on."""
    Channel.objects.update_or_create(
        model=release.model,
        name=name,
        defaults={
            "release": release,
            "percent": percent,
            "approver": approver,
            "left_behind": left_behind,
            "since": timezone.now(),
        },
    )
