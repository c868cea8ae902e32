"""The page's part on treatment response, out of the cards of its versions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.inference.catalogue import CARD
from backend.twin.pharmacogenomics.response_inputs import MODEL
from export_scripts.markdown import share, table
from export_scripts.model_section import SPECIFIED
from export_scripts.onnx_export import REPOSITORY
from export_scripts.real_windows import ROOT

SHIPPED = ROOT / REPOSITORY
TITLE = "# Treatment response"
ROWS = {
    "drug_only": "the medicine alone",
    "logistic": "logistic regression",
    "model": "the model",
    "oracle": "the simulator's own probabilities",
}
HEAD = ["response", "AUC", "ECE", "log score"]
SIDE_HEAD = ["side effect", "AUC", "of the medicine alone", "at best", "ECE"]


def part(
    molecules: Sequence[str], *, shipped: Path = SHIPPED, specified: Path = SPECIFIED
) -> str:
    """The whole part; `molecules` is the section on graph networks."""
    lines = [TITLE, "", *_shipped(_card(shipped)), *molecules]
    if (specified / MODEL).exists():
        lines += _specified(_card(specified))
    return "\n".join(lines).rstrip() + "\n"


def _card(repository: Path) -> dict[str, Any]:
    """Of the latest version."""
    cards = (repository / MODEL).glob(f"[0-9]*/{CARD}")
    latest = max(cards, key=lambda path: int(path.parent.name))
    found: dict[str, Any] = json.loads(latest.read_text(encoding="utf-8"))
    return found


def _shipped(card: Mapping[str, Any]) -> list[str]:
    metrics, real = card["metrics"], card["metrics"]["real_world"]
    gain, sure = metrics["auc_gain"], metrics["confidence"]
    return [
        f"Version {card['version']}, {metrics['label']}: {metrics['people']:,} fresh",
        f"simulated records (seed {metrics['seed']}), everything known of the people.",
        f"Studies of real people reach an AUC of {real['auc_low']:.2f} to "
        f"{real['auc_high']:.2f}.",
        *["", *table(HEAD, [_row(metrics, one) for one in ROWS])],
        f"AUC above the medicine alone by {gain['mean']:.3f} [{gain['low']:.3f}, "
        f"{gain['high']:.3f}]: {share(metrics['share_of_oracle'])} % of",
        "what can be known beyond the medicine. With facts missing as in charts: AUC "
        f"{metrics['incomplete']['auc']:.3f},",
        f"ECE {metrics['incomplete']['ece']:.3f}. Confidence there: "
        f"{sure['incomplete']['mean']:.3f} on average, and "
        f"{sure['incomplete']['near']:.3f} of the answers",
        f"were near the truth (ECE {sure['incomplete']['ece']:.3f}); "
        f"{share(sure['incomplete']['reported'])} % are at .7 or above.",
        *["", *table(SIDE_HEAD, _side_effects(metrics))],
    ]


def _row(metrics: Mapping[str, Any], name: str) -> list[str]:
    found = metrics[name]
    return [ROWS[name], *(f"{found[one]:.4f}" for one in ("auc", "ece", "log_score"))]


def _side_effects(metrics: Mapping[str, Any]) -> list[list[str]]:
    each = {name: metrics[name]["side_effects"] for name in ROWS}
    order = ("model", "drug_only", "oracle")
    return [
        [
            name.replace("_", " "),
            *(f"{each[one][name]['auc']:.3f}" for one in order),
            f"{found['ece']:.4f}",
        ]
        for name, found in each["model"].items()
    ]


def _specified(card: Mapping[str, Any]) -> list[str]:
    training, parity, metrics = (card[n] for n in ("training", "parity", "metrics"))
    times = ", ".join(
        f"{one['median']:.0f} ms at batch {size}"
        for size, one in card["serving"]["latency_ms"].items()
    )
    return [
        *["## As first specified", ""],
        *["    make export M=treatment_response PRESET=specification", ""],
        f"- code: {card['git_commit'].get('value', 'not known')[:12]}",
        *[f"- machine: {card['serving']['machine']}", ""],
        f"{training['parameters']:,} parameters, {training['steps']:,} of "
        f"{training['steps_of_the_recipe']:,} steps of {training['batch']} records:",
        "it shows that it can be built, not how good it gets.",
        f"{card['serving']['size_bytes']:,} bytes; {times};",
        f"largest difference from torch {parity['max_abs']:.1e} at batches "
        f"{' and '.join(str(one) for one in parity['batches'])}. AUC of the response",
        f"on {metrics['people']:,} records {metrics['model']['auc']:.3f}.",
        "No promotion takes it.",
        "",
    ]
