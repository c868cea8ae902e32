"""What there is of models, as lines of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backend import wiring
from backend.inference.catalogue import ModelVersion, read_catalogue
from backend.predictions.shadow import ShadowSummary, shadow_summary
from backend.registry.models import ModelRelease
from backend.registry.promotion import shut
from backend.registry.services import available, exchanged

HEAD = ("model", "version", "weights", "channels", "gates", "state")
Row = tuple[str, ...]


def model_lines() -> list[str]:
    """A head, a line per version, and one per shadow that answered lately."""
    versions = read_catalogue(wiring.model_repository(), trusted=wiring.trusted())
    rows = [HEAD, *_rows(versions)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    kept = available()
    found = shadow_summary(now=wiring.now())
    shadows = [_shadow(one) for one in found if (one.model, one.version) in kept]
    return [line.rstrip() for line in lines] + shadows


def _rows(versions: Iterable[ModelVersion]) -> Iterator[Row]:
    """Registered ones first by their row, then what only lies in the repository."""
    there = {(one.model, one.version): one for one in versions}
    swapped = exchanged(tuple(there.values()))
    releases = {
        (one.model, one.version): one
        for one in ModelRelease.objects.prefetch_related("channels")
    }
    for of in sorted(releases.keys() | there.keys()):
        release, found = releases.get(of), there.get(of)
        known = release or found
        weights = known.sha256[:12] if known else ""
        state = "exchanged" if of in swapped else _state(release, found)
        yield of[0], str(of[1]), weights, _channels(release), _gates(release), state


def _state(release: ModelRelease | None, found: ModelVersion | None) -> str:
    if release is not None and release.retired_at is not None:
        return "retired"
    if found is None:
        return "files are gone"
    if not found.verified:
        return f"refused: {found.problem}"
    return "verified" if release else "verified, not registered"


def _channels(release: ModelRelease | None) -> str:
    if release is None:
        return "-"
    names = [
        f"shadow {one.percent} %" if one.name == "shadow" else one.name
        for one in release.channels.all()
    ]
    return ", ".join(sorted(names)) or "-"


def _gates(release: ModelRelease | None) -> str:
    """The gates that are shut for it; what runs or is gone is not asked."""
    if release is None or release.retired_at is not None:
        return "-"
    gates = [one.gate for one in shut((release.model, release.version))]
    return "-" if gates == ["production"] else ", ".join(gates) or "open"


def _shadow(one: ShadowSummary) -> str:
    return (
        f"shadow {one.model} version {one.version}: {one.predictions} predictions, "
        f"quantiles differ by {one.mean:.3f} on average, {one.p95:.3f} at the 95th "
        f"percentile, {one.greatest:.3f} at most (standard deviations of the windows)"
    )
