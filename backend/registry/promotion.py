"""Moves production's pointer: gates first, then loading, then one transaction.

Every move leaves its audit row in the move's own transaction, every refusal one outside
of any; so call these functions outside of transactions. The pointer never moves to a
version that the server has not loaded and whose golden case it has not answered. Moves
wait for one another, and what one relies on is looked at again once it is alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction

from backend.audit.ledger import Action
from backend.registry.channels import production
from backend.registry.gates import Refusal, refusals, uncalibrated
from backend.registry.models import Channel, ModelRelease
from backend.registry.readiness import Refused, Server, deny, find, make_ready, trim
from backend.registry.rows import PLAIN, Numbered, one_at_a_time, point, record
from backend.twin.forecast import WEIGHTS

PRODUCTION, PREVIOUS = Channel.Name.PRODUCTION, Channel.Name.PREVIOUS
CHANGED = Refusal("changed", "production changed meanwhile: look, and ask again")


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
    seen = standing()
    common = _approval(approver)
    if calibrated:
        common += _calibration(seen | dict(releases))
    refused = {of: objections(of) for of in releases.items()}
    refused[next(iter(releases.items()))] += common
    deny(Action.PROMOTE, actor, refused=refused)
    for of in releases.items():
        make_ready(of, action=Action.PROMOTE, actor=actor, models=models)
    with transaction.atomic():
        one_at_a_time()
        late = _late(releases, seen)
        for of in () if late else releases.items():
            waived = int(not calibrated)
            record(Action.PROMOTE, actor, of=of, approver=approver, uncalibrated=waived)
            _to_production(of, approver)
    deny(Action.PROMOTE, actor, refused=late)
    trim(models, releases)


def rollback(
    *, actor: str, models: Sequence[str], seen: Mapping[str, int]
) -> dict[str, int]:
    """Swap production and previous of these models, all of them or none.

    Only pointers move: servers hold the previous version, so nothing is loaded and no
    gate is asked. `seen` is what was in production when the caller looked, by model:
    two who leave the same version at once go back once. What was left behind comes back
    by a promotion alone. Returns {model: version in production now}. Raises ModelGated
    where a model has no previous version, or was moved or rolled back before, and
    AuditUnavailable; then no pointer has moved.
    """
    with transaction.atomic():
        one_at_a_time()
        refused = {(model, 0): _stays(model, seen.get(model)) for model in models}
        held = any(refused.values())
        now = {} if held else {model: _swap(actor, model) for model in models}
    deny(Action.ROLLBACK, actor, refused=refused)
    return now


def standing() -> dict[str, int]:
    """The version in production of each model."""
    return {model: one.use.version for model, one in production().items()}


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
    return objections(of) or _calibration(standing() | dict([of]))


def _late(releases: Mapping[str, int], seen: Mapping[str, int]) -> Refused:
    """What speaks against them by now: others moved while the server loaded."""
    changed = standing() != seen
    found = {of: (CHANGED,) if changed else objections(of) for of in releases.items()}
    return {of: some for of, some in found.items() if some}


def _stays(model: str, seen: int | None) -> tuple[Refusal, ...]:
    """What speaks against leaving its production for the previous version."""
    pair = _pair(model)
    if PRODUCTION in pair and pair[PRODUCTION].release.version != seen:
        return (CHANGED,)
    if set(pair) != {PRODUCTION, PREVIOUS}:
        return (Refusal("previous", "there is no previous version to go back to"),)
    version = pair[PREVIOUS].release.version
    if pair[PREVIOUS].left_behind:
        reason = f"version {version} was rolled back from: `promote` brings it back"
        return (Refusal("left", reason),)
    known = find((model, version))
    return (known,) if isinstance(known, Refusal) else ()


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
    point(PREVIOUS, left.release, approver=left.approver, left_behind=True)
    return version
