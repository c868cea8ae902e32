"""Registers model versions; the first of a model becomes its production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from django.db import transaction

from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.registry.channels import channels, digests, needed, production
from backend.registry.models import Channel, ModelRelease

__all__ = [
    "Registration",
    "VersionInfo",
    "channels",
    "digests",
    "exchanged",
    "needed",
    "production",
    "register",
    "withheld",
]

_withheld: frozenset[tuple[str, int]] = frozenset()


class VersionInfo(Protocol):
    """What the registry needs to know of a version; the catalogue's rows have it."""

    @property
    def model(self) -> str:
        """The model's name."""

    @property
    def version(self) -> int:
        """The version's number."""

    @property
    def sha256(self) -> str:
        """Digest of the weights, hex."""

    @property
    def card(self) -> Mapping[str, Any]:
        """The model card as it was published."""

    @property
    def verified(self) -> bool:
        """Whether its manifest is signed by a trusted key and every file agrees."""


class Registration(NamedTuple):
    """What registering did: new releases, and exchanged versions by name and number."""

    releases: list[ModelRelease]
    exchanged: frozenset[tuple[str, int]]


def register(*, actor: str, versions: Sequence[VersionInfo]) -> Registration:
    """Add verified versions that are not known yet.

    A model without a production channel gets its highest verified version there. To
    repeat it adds nothing. A version that does not verify is left to the server, which
    refuses it. An exchanged one is left out, reported and recorded as denied; from now
    on `withheld` names it, and the joint does not load it.
    Raises AuditUnavailable, and then nothing was added.
    """
    global _withheld  # noqa: PLW0603 - what this process found in its repository
    _withheld = exchanged(versions)
    for model, version in sorted(_withheld):
        _record(actor, model, version, outcome=Outcome.DENIED)
    known = _known()
    fresh = [
        item
        for item in versions
        if item.verified and (item.model, item.version) not in known
    ]
    for item in fresh:
        _record(actor, item.model, item.version, outcome=Outcome.SUCCESS)
    with transaction.atomic():
        releases = [_add(item) for item in fresh]
        for model in sorted({item.model for item in fresh}):
            _fill_production(model)
    return Registration(releases, _withheld)


def exchanged(versions: Sequence[VersionInfo]) -> frozenset[tuple[str, int]]:
    """Known versions that come with another digest and a valid signature.

    Versions are immutable, so somebody published twice; whoever serves models leaves
    these out. The remedy is a new version number.
    """
    known = _known()
    return frozenset(
        (item.model, item.version)
        for item in versions
        if item.verified
        and known.get((item.model, item.version), item.sha256) != item.sha256
    )


def withheld() -> frozenset[tuple[str, int]]:
    """The versions that this process found exchanged when it registered them last."""
    return _withheld


def _known() -> dict[tuple[str, int], str]:
    """The digest of each registered version."""
    rows = ModelRelease.objects.values_list("model", "version", "sha256")
    return {(model, version): sha256 for model, version, sha256 in rows}


def _record(actor: str, model: str, version: int, *, outcome: Outcome) -> None:
    ledger.record(
        action=Action.REGISTER,
        actor=actor,
        outcome=outcome,
        detail={"model": model, "version": version},
    )


def _add(item: VersionInfo) -> ModelRelease:
    """The release's row; another process may have made it meanwhile."""
    release, _ = ModelRelease.objects.get_or_create(
        model=item.model,
        version=item.version,
        defaults={"sha256": item.sha256, "card": dict(item.card)},
    )
    return release


def _fill_production(model: str) -> None:
    """Point production at the highest version, unless it points somewhere already."""
    newest = ModelRelease.objects.filter(model=model, retired_at=None).latest("version")
    Channel.objects.get_or_create(
        model=model, name=Channel.Name.PRODUCTION, defaults={"release": newest}
    )
