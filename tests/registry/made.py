"""Cards that open every gate, releases of them, and a server that says what it did."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from backend.registry.models import Channel, ModelRelease
from backend.registry.services import register
from backend.twin.errors import ModelError
from backend.twin.features import schema_hash
from tests.predictions.fakes import Version

NET, TREES = "symptom_transformer", "symptom_xgboost"
ACTOR = "command:test@me"


def good_card(**metrics: Any) -> dict[str, Any]:
    """A card that every gate lets through; `metrics` replace some of its figures."""
    return {
        "feature_schema_hash": schema_hash(),
        "beats_climatology": {"daily": True, "questionnaire": False},
        "metrics": {
            "data": "simulated people held out of training",
            "seed": 7700001,
            "people": 8000,
            "model": {"coverage_80": 0.83, "coverage_95": 0.96},
            "climatology": {"crps_z": 0.5796},
            "crps_gain_percent": {"mean": 1.67, "low": 1.49, "high": 1.86},
        }
        | metrics,
        "parity": {"tolerance": 1e-4, "max_abs": 1e-5},
        "source_attributes": {
            "funding": {"value": "", "not_available": "nobody was asked"},
            "intended_use": {"value": "research", "not_available": ""},
        },
    }


def versions(*numbers: int, card: Mapping[str, Any] | None = None) -> list[Version]:
    """Both models in these versions."""
    return [
        Version(model, number, f"{number:064x}", good_card() if card is None else card)
        for model in (NET, TREES)
        for number in numbers
    ]


def registered(*numbers: int) -> None:
    """Both models in these versions; the first is production, others only known."""
    for number in numbers:
        register(actor="system:test", versions=versions(*range(1, number + 1)))


def pointers() -> dict[tuple[str, str], int]:
    """Where every channel points."""
    rows = Channel.objects.select_related("release")
    return {(row.model, row.name): row.release.version for row in rows}


def release(model: str, version: int) -> ModelRelease:
    return ModelRelease.objects.get(model=model, version=version)


class FakeServer:
    """Says what it was asked to hold; `broken` is raised at a model's golden case."""

    def __init__(self) -> None:
        self.held: dict[str, set[int]] = {}
        self.steps: list[tuple[str, str, int]] = []
        self.broken: dict[str, ModelError] = {}
        self.unloadable: dict[str, ModelError] = {}

    def load(self, model: str, versions: Collection[int]) -> None:
        if model in self.unloadable:
            raise self.unloadable[model]
        self.steps += [("load", model, version) for version in sorted(versions)]
        self.held[model] = set(versions)

    def canary(self, model: str, version: int) -> None:
        self.steps.append(("canary", model, version))
        if model in self.broken:
            raise self.broken[model]
        assert version in self.held[model]
