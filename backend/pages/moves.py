"""What may be done with releases in the admin: the words for it, and the doing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from backend import wiring
from backend.inference import lifecycle
from backend.pages.audited import Act
from backend.registry import assignment, promotion
from backend.registry.models import ModelRelease
from backend.twin.errors import ModelRefused

Run = Callable[[str, Sequence[ModelRelease], Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Move:
    """One way to move: `run` takes actor, releases and the form, and says what it did.

    It raises ModelError or ValueError where it refuses, and AuditUnavailable.
    """

    title: str
    says: str
    run: Run
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """The releases somebody asked to move, and what the audit row says of that."""

    releases: tuple[ModelRelease, ...]
    act: Act

    @classmethod
    def of(cls, step: str, ids: Sequence[str]) -> Self:
        """Those that there are; whatever is no number of ours is nothing."""
        numbers = [int(one) for one in ids if one.isdecimal() and len(one) < 16]
        found = tuple(ModelRelease.objects.filter(pk__in=numbers).order_by("pk"))
        return cls(found, Act(step if step in MOVES else "move", len(found), []))


def standing() -> str:
    """What is in production now, as one text: a page that is older is asked again."""
    return " ".join(f"{model}={n}" for model, n in promotion.standing().items())


def _seen(said: Mapping[str, Any]) -> dict[str, int]:
    """What the page showed in production."""
    pairs = (one.rpartition("=") for one in said["standing"].split())
    return {model: int(number) for model, _, number in pairs}


def _promote(
    actor: str, releases: Sequence[ModelRelease], said: Mapping[str, Any]
) -> str:
    chosen = {one.model: one.version for one in releases}
    if len(chosen) < len(releases):
        raise ValueError("one version of a model can be production")
    promotion.promote(
        actor=actor,
        releases=chosen,
        approver=actor,
        models=wiring.models_control(),
        calibrated=not said["uncalibrated"],
    )
    return f"In production: {_named(releases)}."


def _roll_back(
    actor: str, releases: Sequence[ModelRelease], said: Mapping[str, Any]
) -> str:
    models = sorted({one.model for one in releases})
    now = promotion.rollback(actor=actor, models=models, seen=_seen(said))
    named = ", ".join(f"{model} version {number}" for model, number in now.items())
    return f"In production again: {named}."


def _shadow(
    actor: str, releases: Sequence[ModelRelease], said: Mapping[str, Any]
) -> str:
    server = wiring.models_control()
    for one in releases:
        assignment.assign(
            actor=actor,
            channel="shadow",
            of=(one.model, one.version),
            models=server,
            percent=said["percent"],
        )
    return f"Shadow for {said['percent']} % of the patients: {_named(releases)}."


def _end_shadow(
    actor: str, releases: Sequence[ModelRelease], _said: Mapping[str, Any]
) -> str:
    server = wiring.models_control()
    models = sorted({one.model for one in releases})
    for model in models:
        assignment.clear(actor=actor, channel="shadow", model=model, models=server)
    return f"No shadow any more: {', '.join(models)}."


def _retire(
    actor: str, releases: Sequence[ModelRelease], _said: Mapping[str, Any]
) -> str:
    """Rows, then files: where the site may not write, those wait for the command."""
    server = wiring.models_control()
    there, gone = [], []
    for one in releases:
        of = (one.model, one.version)
        assignment.retire(actor=actor, of=of, models=server)
        try:
            lifecycle.retire(wiring.model_repository(), *of)
        except OSError:
            there.append(one)
        except ModelRefused:
            gone.append(one)
    said = f"Retired: {_named(releases)}."
    if there:
        said += f" Still with files, run `manage.py models retire`: {_named(there)}."
    if gone:
        said += f" Without files in the repository: {_named(gone)}."
    return said


def _named(releases: Sequence[ModelRelease]) -> str:
    return ", ".join(str(one) for one in releases)


MOVES: Mapping[str, Move] = {
    "promote": Move(
        "Promote to production",
        "They will answer for patients. Every gate is asked first, then the server "
        "loads them and answers their known cases. You are recorded as the approver.",
        _promote,
        ("uncalibrated",),
    ),
    "rollback": Move(
        "Roll their models back",
        "Production goes back to the previous version of these models, at once. What "
        "is left behind comes back by a promotion.",
        _roll_back,
    ),
    "shadow": Move(
        "Ask as shadow",
        "They will be asked beside production for a share of the patients; nobody is "
        "shown their answers.",
        _shadow,
        ("percent",),
    ),
    "end_shadow": Move(
        "End the shadow of their models",
        "No version of these models is asked beside production any more.",
        _end_shadow,
    ),
    "retire": Move(
        "Retire",
        "They are taken out of use for good. What forecasts they made stays.",
        _retire,
    ),
}
