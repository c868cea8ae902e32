"""What channels point at: read at each request, so a moved pointer holds at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from backend.registry.models import Channel, ModelRelease
from backend.twin.trajectory import ModelUse


class Assigned(NamedTuple):
    """A release in a channel: how to name it in a forecast, its card, and its share."""

    use: ModelUse  # weight 0: whoever blends knows the weights
    card: Mapping[str, Any]
    percent: int = 100  # of the patients; less than all for a shadow only

    def beats_climatology(self, cadence: str) -> bool:
        """Whether its card says so for `cadence` ("daily" or "questionnaire")."""
        return bool(self.card.get("beats_climatology", {}).get(cadence, False))


def channels() -> dict[str, dict[str, Assigned]]:
    """Each model's channels: {model: {channel: release}}, in one query."""
    found: dict[str, dict[str, Assigned]] = {}
    for row in Channel.objects.select_related("release").order_by("model", "name"):
        found.setdefault(row.model, {})[row.name] = _assigned(row)
    return found


def production() -> dict[str, Assigned]:
    """The production release of each model, by the model's name."""
    rows = Channel.objects.filter(name=Channel.Name.PRODUCTION)
    return {
        row.model: _assigned(row)
        for row in rows.select_related("release").order_by("model")
    }


def needed() -> dict[str, frozenset[int]]:
    """The versions a server must hold: all that any channel points at, by model.

    The previous one is among them, so that a rollback loads nothing.
    """
    found: dict[str, frozenset[int]] = {}
    for model, version in Channel.objects.values_list("model", "release__version"):
        found[model] = found.get(model, frozenset()) | {version}
    return found


def digests() -> dict[tuple[str, int], str]:
    """The digest of the weights of each release, to check files by; of retired ones
    too, since a number is never given to other weights.
    """
    rows = ModelRelease.objects.values_list("model", "version", "sha256")
    return {(model, version): sha256 for model, version, sha256 in rows}


def available() -> frozenset[tuple[str, int]]:
    """The releases that were not retired: what may be served."""
    rows = ModelRelease.objects.filter(retired_at=None)
    return frozenset(rows.values_list("model", "version"))


def _assigned(row: Channel) -> Assigned:
    release = row.release
    use = ModelUse(row.model, release.version, release.sha256, row.name, weight=0.0)
    return Assigned(use, release.card, row.percent)
