"""Moves production's pointer: gates first, then loading, then one transaction.

Every move leaves its audit row in the move's own transaction, every refusal one outside
of any; so call these functions outside of transactions. The pointer never moves to a
version that the server has not loaded and whose golden case it has not answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction

from backend.audit.ledger import Action
from backend.registry.channels import production
from backend.registry.gates import Refusal, refusals, uncalibrated
from backend.registry.models import Channel, ModelRelease
from backend.registry.readiness import Server, deny, find, make_ready, trim
from backend.registry.rows import PLAIN, Numbered, point, record
from backend.twin.errors import ModelGated
from backend.twin.forecast import WEIGHTS

PRODUCTION, PREVIOUS = Channel.Name.PRODUCTION, Channel.Name.PREVIOUS


def promote(
    *,
    actor: str,
    releases: Mapping[str, int],
    approver: str,
    models: Server,
    calibrated: bool = True,
) -> None:
    """Make these versions production, all of them or none; {model: version}.

    Several at once, because a calibration belongs to versions that were fitted
    together. What was production becomes previous, and a candidate or shadow that is
    promoted is none any more. `calibrated` False goes on although nobody fitted a
    calibration for the new set; the audit row says so. Raises ModelGated with every
    reason of every model, what the server raises where it cannot load one or answers
    its golden case wrongly, and AuditUnavailable; then no pointer has moved.
    """
    seen = _standing()
    common = _approval(approver)
    if calibrated:
        common += _calibration(seen | dict(releases))
    refused = {of: objections(of) for of in releases.items()}
    refused[next(iter(releases.items()))] += common
    deny(Action.PROMOTE, actor, refused=refused)
    for of in releases.items():
        make_ready(of, action=Action.PROMOTE, actor=actor, models=models)
    with transaction.atomic():
        if _locked() != seen:
            raise ModelGated(("production changed meanwhile: promote again",))
        for of in releases.items():
            waived = int(not calibrated)
            record(Action.PROMOTE, actor, of=of, approver=approver, uncalibrated=waived)
            _to_production(of, approver)
    trim(models, releases)


def rollback(*, actor: str, models: Sequence[str]) -> dict[str, int]:
    """Swap production and previous of these models, all of them or none.

    Only pointers move: servers hold the previous version, so nothing is loaded and no
    gate is asked. Returns {model: version in production now}. Raises ModelGated where a
    model has no previous version, and AuditUnavailable; then no pointer has moved.
    """
    lacking = Refusal("previous", "there is no previous version to go back to")
    refused = {
        (model, 0): (lacking,)
        for model in models
        if set(_pair(model)) != {PRODUCTION, PREVIOUS}
    }
    deny(Action.ROLLBACK, actor, refused=refused)
    with transaction.atomic():
        _locked()
        return {model: _swap(actor, model) for model in models}


def objections(of: Numbered) -> tuple[Refusal, ...]:
    """Everything that speaks against this version in production; empty: nothing."""
    release = find(of)
    if isinstance(release, Refusal):
        return (release,)
    champion = production().get(release.model)
    if champion is not None and champion.use.version == release.version:
        return (Refusal("production", "it is in production already"),)
    return refusals(release.card, champion=champion.card if champion else None)


def shut(of: Numbered) -> tuple[Refusal, ...]:
    """Every gate that is shut for a promotion of this version by itself."""
    return objections(of) or _calibration(_standing() | dict([of]))


def _standing() -> dict[str, int]:
    return {model: one.use.version for model, one in production().items()}


def _approval(approver: str) -> tuple[Refusal, ...]:
    if PLAIN.fullmatch(approver):
        return ()
    reason = "nobody approved it: an approver is one plain word, such as a login"
    return (Refusal("approver", reason),)


def _calibration(versions: Mapping[str, int]) -> tuple[Refusal, ...]:
    """Of those that the forecast blends; another service's model has no say there."""
    blend = {model: number for model, number in versions.items() if model in WEIGHTS}
    missing = uncalibrated(blend)
    return (missing,) if missing else ()


def _locked() -> dict[str, int]:
    """Production's versions by model, locked until the transaction ends."""
    rows = Channel.objects.select_for_update(of=("self",)).filter(name=PRODUCTION)
    return {row.model: row.release.version for row in rows.select_related("release")}


def _to_production(of: Numbered, approver: str) -> None:
    model, version = of
    release = ModelRelease.objects.get(model=model, version=version)
    before = _pair(model).get(PRODUCTION)
    if before is not None:
        point(PREVIOUS, before.release, approver=before.approver)
    point(PRODUCTION, release, approver=approver)
    spent = (Channel.Name.CANDIDATE, Channel.Name.SHADOW)
    Channel.objects.filter(release=release, name__in=spent).delete()


def _pair(model: str) -> dict[str, Channel]:
    """Production and previous of the model, as far as it has them."""
    rows = Channel.objects.filter(model=model, name__in=(PRODUCTION, PREVIOUS))
    return {row.name: row for row in rows.select_related("release")}


def _swap(actor: str, model: str) -> int:
    pair = _pair(model)
    left, back = pair[PRODUCTION], pair[PREVIOUS]
    version = back.release.version
    record(Action.ROLLBACK, actor, of=(model, version), left=left.release.version)
    point(PRODUCTION, back.release, approver=back.approver)
    point(PREVIOUS, left.release, approver=left.approver)
    return version
