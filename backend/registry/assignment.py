"""Points candidate and shadow at a release, and takes releases out of use.

Call these functions outside of transactions, as those of `promotion`.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from backend.audit.ledger import Action
from backend.registry.gates import Refusal, other_features
from backend.registry.models import Channel, ModelRelease
from backend.registry.readiness import Server, deny, find, make_ready, trim
from backend.registry.rows import Numbered, one_at_a_time, point, record
from backend.twin.correlation.model_inputs import MODEL as CORRELATION
from backend.twin.errors import ModelGated
from backend.twin.pharmacogenomics.response_inputs import MODEL as RESPONSE

BESIDE = (Channel.Name.CANDIDATE, Channel.Name.SHADOW)  # nobody is shown their answers
_WITHOUT_SHADOW = {CORRELATION: "correlations", RESPONSE: "treatment comparisons"}
IN_USE = (Channel.Name.PRODUCTION, Channel.Name.SHADOW)  # somebody asks these


def assign(
    *, actor: str, channel: str, of: Numbered, models: Server, percent: int = 100
) -> None:
    """Point candidate or shadow at a version; a shadow is asked for `percent` of all.

    Raises ModelGated for a version that is not to be asked, what the server raises
    where it does not answer the golden case, ValueError for another channel or no
    percentage, and AuditUnavailable; then nothing has changed.
    """
    if channel not in BESIDE or not 0 <= percent <= 100:
        raise ValueError("a candidate, or a shadow of 0 to 100 percent")
    deny(Action.ASSIGN, actor, refused={of: _objections(of, channel)})
    make_ready(of, action=Action.ASSIGN, actor=actor, models=models)
    model, version = of
    with transaction.atomic():
        one_at_a_time()
        late = {
            of: _objections(of, channel)
        }  # it may have been retired while it was loaded
        if not late[of]:
            record(Action.ASSIGN, actor, of=of, channel=channel, percent=percent)
            release = ModelRelease.objects.get(model=model, version=version)
            point(channel, release, percent=percent)
    deny(Action.ASSIGN, actor, refused=late)
    trim(models, [model])


def clear(*, actor: str, channel: str, model: str, models: Server) -> None:
    """Let candidate or shadow of a model point nowhere.

    Raises ValueError for another channel, ModelGated where it points nowhere already,
    and AuditUnavailable.
    """
    if channel not in BESIDE:
        raise ValueError("only candidate and shadow may point nowhere")
    with transaction.atomic():
        one_at_a_time()
        row = Channel.objects.filter(model=model, name=channel).first()
        if row is None:
            raise ModelGated((f"{model} has no {channel}",))
        of = (model, row.release.version)
        record(Action.ASSIGN, actor, of=of, channel=channel, percent=0)
        row.delete()
    trim(models, [model])


def retire(*, actor: str, of: Numbered, models: Server) -> None:
    """Take a version out of use for good; its row and its number stay.

    Candidate and previous are dropped with it: what was rolled back from may go. To
    repeat it changes nothing, so that whoever could not remove the files then can try
    again. Raises ModelGated where production or a shadow is this version, and
    AuditUnavailable.
    """
    model, version = of
    with transaction.atomic():
        one_at_a_time()
        refused = {of: _in_use(of)}
        if not refused[of]:
            record(Action.RETIRE, actor, of=of)
            Channel.objects.filter(model=model, release__version=version).delete()
            ModelRelease.objects.filter(
                model=model, version=version, retired_at=None
            ).update(retired_at=timezone.now())
    deny(Action.RETIRE, actor, refused=refused)
    trim(models, [model])


def _objections(of: Numbered, channel: str) -> tuple[Refusal, ...]:
    model, _ = of
    release = find(of)
    if isinstance(release, Refusal):
        return (release,)
    if release.channels.filter(name=Channel.Name.PRODUCTION).exists():
        return (Refusal("production", "it is in production already"),)
    if reason := other_features(release.card):
        return (Refusal("features", reason),)
    if channel == Channel.Name.SHADOW and model in _WITHOUT_SHADOW:
        said = f"{_WITHOUT_SHADOW[model]} ask no shadow; nobody would ask it"
        return (Refusal("shadow", said),)
    return ()


def _in_use(of: Numbered) -> tuple[Refusal, ...]:
    """The channels that keep it, and whether there is such a release at all."""
    model, version = of
    if not ModelRelease.objects.filter(model=model, version=version).exists():
        return (Refusal("unknown", "it is not registered"),)
    rows = Channel.objects.filter(
        model=model, release__version=version, name__in=IN_USE
    )
    names = rows.values_list("name", flat=True)
    return tuple(Refusal(name, f"it is {name}") for name in sorted(names))
