"""Registers model versions; the first of a model becomes its production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from django.db import DataError, IntegrityError, transaction

from backend.audit.ledger import Action, Outcome
from backend.registry.channels import available, channels, digests, needed, production
from backend.registry.models import Channel, ModelRelease
from backend.registry.rows import Numbered, one_at_a_time, record

__all__ = [
    "Registration",
    "VersionInfo",
    "available",
    "channels",
    "digests",
    "exchanged",
    "needed",
    "production",
    "register",
    "withheld",
]

_REFUSED = (DataError, IntegrityError, OverflowError)  # by the database, a row of ours

_withheld: frozenset[Numbered] = frozenset()


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
    """What registering did: new releases, and by name and number exchanged versions and
    those that the database would not take.
    """

    releases: list[ModelRelease]
    exchanged: frozenset[Numbered]
    refused: frozenset[Numbered]


def register(
    *, actor: str, versions: Sequence[VersionInfo], fill: bool = True
) -> Registration:
    """Add verified versions that are not known yet.

    With `fill` a model without a production channel gets its highest verified version
    there; what is published later has to go through the gates. To repeat it adds
    nothing. A version that does not verify is left to the server, which
    refuses it. An exchanged one is left out, reported and recorded as denied; from now
    on `withheld` names it, and the joint does not load it. One whose card or number the
    database does not take is left out and recorded as failed; the others come in.
    Raises AuditUnavailable, and then nothing was added.
    """
    global _withheld  # noqa: PLW0603 - what this process found in its repository
    _withheld = exchanged(versions)
    for of in sorted(_withheld):
        record(Action.REGISTER, actor, of=of, outcome=Outcome.DENIED)
    known = digests()
    fresh = {
        (item.model, item.version): item
        for item in versions
        if item.verified and (item.model, item.version) not in known
    }
    if not fresh:
        return Registration([], _withheld, frozenset())
    with transaction.atomic():
        one_at_a_time()
        releases = [
            release for item in fresh.values() if (release := _add(actor, item))
        ]
        for model in sorted({one.model for one in releases if fill}):
            _fill_production(model)
    refused = fresh.keys() - {(one.model, one.version) for one in releases}
    for of in sorted(refused):
        record(Action.REGISTER, actor, of=of, outcome=Outcome.FAILED)
    return Registration(releases, _withheld, frozenset(refused))


def exchanged(versions: Sequence[VersionInfo]) -> frozenset[Numbered]:
    """Known versions that come with another digest and a valid signature.

    Versions are immutable, so somebody published twice; whoever serves models leaves
    these out. The remedy is a new version number.
    """
    known = digests()
    return frozenset(
        (item.model, item.version)
        for item in versions
        if item.verified
        and known.get((item.model, item.version), item.sha256) != item.sha256
    )


def withheld() -> frozenset[Numbered]:
    """The versions that this process found exchanged when it registered them last."""
    return _withheld


def _add(actor: str, item: VersionInfo) -> ModelRelease | None:
    """The release's row, which another process may have made meanwhile; None where the
    database does not take it.
    """
    try:
        with transaction.atomic():
            release, is_new = ModelRelease.objects.get_or_create(
                model=item.model,
                version=item.version,
                defaults={"sha256": item.sha256, "card": dict(item.card)},
            )
    except _REFUSED:
        return None
    if is_new:
        record(Action.REGISTER, actor, of=(item.model, item.version))
    return release


def _fill_production(model: str) -> None:
    """Point production at the highest version, unless it points somewhere already."""
    newest = ModelRelease.objects.filter(model=model, retired_at=None).latest("version")
    Channel.objects.get_or_create(
        model=model, name=Channel.Name.PRODUCTION, defaults={"release": newest}
    )
