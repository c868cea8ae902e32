"""The page's section on the models: how large, how far trained, how good, how fast.

Read from the cards alone, which were written when each version was published.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from export_scripts.markdown import table
from export_scripts.onnx_export import REPOSITORY
from export_scripts.real_windows import ROOT

BUILT = ROOT / "var" / "models"  # here, and not committed
SPECIFIED = BUILT / "specification"  # the links' architecture as first specified
REPOSITORIES = (ROOT / REPOSITORY, BUILT, SPECIFIED)
UNKNOWN = "."
HEAD = [
    *["model", "version", "preset", "parameters", "trained", "people trained on"],
    *["CRPS lower than climatology's by, %", "people scored", "bytes"],
    *["ms, 1 row", "ms, 64 rows", "machine"],
]


def model_section(repositories: Sequence[Path] = REPOSITORIES) -> list[str]:
    """One row for the latest version of each model in each repository."""
    rows = [_row(card) for place in repositories for card in _latest(place)]
    return [
        "## Models",
        "",
        "As the card of each latest version says, the committed ones first. Trained on",
        "simulated people only and scored on others, with a 95 % interval over them.",
        "Steps or rounds are those done of the recipe's: a model that stopped far",
        "short of it shows that it can be built, not how good it gets. Times are",
        "medians of one request.",
        "",
        *table(HEAD, rows),
    ]


def _latest(repository: Path) -> Iterable[dict[str, Any]]:
    """The card of each model's highest version."""
    for folder in sorted(repository.glob("*")):
        versions = sorted(folder.glob("[0-9]*"), key=lambda path: int(path.name))
        if versions:
            yield json.loads((versions[-1] / "card.json").read_text(encoding="utf-8"))


def _row(card: Mapping[str, Any]) -> list[str]:
    training, metrics, serving = (
        card[part] for part in ("training", "metrics", "serving")
    )
    times = serving["latency_ms"]
    return [
        *[card["model"], str(card["version"]), training.get("preset", UNKNOWN)],
        *[_whole(training.get("parameters")), _trained(training)],
        *[_whole(training.get("windows"))],
        _gain(metrics.get("crps_gain_percent")),
        *[_whole(metrics.get("people")), _whole(serving["size_bytes"])],
        *(_time(times.get(size)) for size in ("1", "64")),
        serving["machine"],
    ]


def _gain(gain: Mapping[str, float] | None) -> str:
    """Of a model that forecasts; others have none."""
    if gain is None:
        return UNKNOWN
    return f"{gain['mean']:+.2f} [{gain['low']:+.2f}, {gain['high']:+.2f}]"


def _time(found: Mapping[str, float] | None) -> str:
    return UNKNOWN if found is None else f"{found['median']:.2f}"


def _trained(training: Mapping[str, Any]) -> str:
    """Steps or rounds done, of how many where the card says so."""
    for kind in ("steps", "rounds"):
        if kind in training:
            whole = training.get(f"{kind}_of_the_recipe")
            of = f" of {_whole(whole)}" if whole else ""
            return f"{_whole(training[kind])}{of} {kind}"
    return UNKNOWN


def _whole(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number:,}"
