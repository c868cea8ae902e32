"""Registers model versions and says which one of each model is in production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from django.db import transaction

from backend.audit import ledger
from backend.audit.ledger import Action
from backend.registry.models import Channel, ModelRelease
from backend.twin.errors import ModelUntrusted
from backend.twin.trajectory import ModelUse


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


class Production(NamedTuple):
    """A production release: how to name it in a forecast, and its card."""

    use: ModelUse  # weight 0: whoever blends knows the weights
    card: Mapping[str, Any]

    def beats_climatology(self, cadence: str) -> bool:
        """Whether its card says so for `cadence` ("daily" or "questionnaire")."""
        return bool(self.card.get("beats_climatology", {}).get(cadence, False))


def register(*, actor: str, versions: Sequence[VersionInfo]) -> list[ModelRelease]:
    """Add verified versions that are not known yet; returns the new releases.

    A model without a production channel gets its highest verified version there. To
    repeat it changes nothing. Raises ModelUntrusted when a known version comes with
    another digest and a valid signature: versions are immutable, so somebody published
    twice. A version that does not verify is left to the server, which refuses it.
    """
    _refuse_exchanged(versions)
    known = set(ModelRelease.objects.values_list("model", "version"))
    fresh = [
        item
        for item in versions
        if item.verified and (item.model, item.version) not in known
    ]
    if not fresh:
        return []
    for item in fresh:
        ledger.record(
            action=Action.REGISTER,
            actor=actor,
            detail={"model": item.model, "version": item.version},
        )
    with transaction.atomic():
        releases = [_add(item) for item in fresh]
        for model in sorted({item.model for item in fresh}):
            _fill_production(model)
    return releases


def production() -> dict[str, Production]:
    """The production release of each model, by the model's name."""
    rows = Channel.objects.filter(name=Channel.Name.PRODUCTION).select_related(
        "release"
    )
    return {
        row.model: Production(
            use=ModelUse(
                model=row.model,
                version=row.release.version,
                sha256=row.release.sha256,
                channel=row.name,
                weight=0.0,
            ),
            card=row.release.card,
        )
        for row in rows.order_by("model")
    }


def _refuse_exchanged(versions: Sequence[VersionInfo]) -> None:
    known = {(row.model, row.version): row.sha256 for row in ModelRelease.objects.all()}
    for item in versions:
        if (
            item.verified
            and known.get((item.model, item.version), item.sha256) != item.sha256
        ):
            raise ModelUntrusted(
                f"{item.model} version {item.version} is registered with another "
                "digest; publish changed weights under a new version"
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
    newest = ModelRelease.objects.filter(model=model).latest("version")
    Channel.objects.get_or_create(
        model=model, name=Channel.Name.PRODUCTION, defaults={"release": newest}
    )
