"""The page's section on the links' architecture as first specified, beside the compact.

    python -m export_scripts.specification_section

Read from the card that `correlation_specification` wrote on this machine; puts the
section into docs/benchmarks.md, at the end of its first part. Without a card there is
none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.inference.catalogue import CARD
from backend.twin.correlation.model_inputs import MODEL
from export_scripts.markdown import table
from export_scripts.model_section import SPECIFIED
from export_scripts.real_windows import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
TITLE = "## The links' architecture as first specified"
PART = "\n# "
HEAD = ["", "AUC", "ECE", "log score", "error of the coefficient"]
ROWS = {"compact": "compact", "engine": "the engine alone", "model": "specification"}


def specification_section(folder: Path = SPECIFIED) -> list[str]:
    """Figures of the same pairs, how far it was trained, its size and its times."""
    path = folder / MODEL / "1" / CARD
    if not path.exists():
        return []
    card = json.loads(path.read_text(encoding="utf-8"))
    metrics = card["metrics"]
    return [
        TITLE,
        "",
        "    python -m export_scripts.correlation_specification",
        "",
        f"- code: {card['git_commit'].get('value', 'not known')[:12]}",
        f"- machine: {card['serving']['machine']}",
        "",
        *_trained(card),
        "",
        f"{metrics['pairs']:,} pairs of {metrics['people']:,} simulated people held "
        f"out (seed {metrics['seed']}); compact is version "
        f"{metrics['compact_version']}. All but the specified net are told how rare "
        "links are. `log score` and the errors: lower is better.",
        "",
        *table(HEAD, [_row(name, metrics[name]) for name in ROWS]),
        "",
        _verdict(metrics),
        "",
    ]


def _trained(card: Mapping[str, Any]) -> list[str]:
    training, parity, times = (
        card["training"],
        card["parity"],
        card["serving"]["latency_ms"],
    )
    each = ", ".join(
        f"{one['median']:.0f} ms at batch {size}" for size, one in times.items()
    )
    return [
        f"{training['parameters']:,} parameters, {training['steps']:,} of "
        f"{training['steps_of_the_recipe']:,} steps of {training['batch']} records "
        f"({training['windows']:,} people): it shows that it can be built, not how "
        f"good it gets. {card['serving']['size_bytes']:,} bytes; {each}; largest "
        f"difference from torch {parity['max_abs']:.1e} at batches "
        f"{' and '.join(str(one) for one in parity['batches'])}."
    ]


def _row(name: str, found: Mapping[str, float]) -> list[str]:
    figures = ("auc", "ece", "log_score", "size_error")
    return [ROWS[name], *(f"{found[one]:.3f}" for one in figures)]


def _verdict(metrics: Mapping[str, Any]) -> str:
    """Which is in production is decided by the log score, as the gates decide it."""
    better = min(("compact", "model"), key=lambda n: metrics[n]["log_score"])
    return f"Better on these pairs, by the log score: {ROWS[better]}."


def put(page: str, section: list[str]) -> str:
    """The page with this section at the end of its first part, where nothing else is.

    Sections start with "## ", parts with "# "; other programs write the other parts.
    """
    part, heading, others = page.partition(PART)
    first, _, rest = part.partition(TITLE)
    _, another, after = rest.partition("\n## ")
    kept = "\n\n".join([first.rstrip(), *([f"## {after.strip()}"] if another else [])])
    return f"{kept}\n\n" + "\n".join(section).rstrip() + f"\n{heading}{others}"


def main() -> None:
    """Write the section into the page."""
    text = put(PAGE.read_text(encoding="utf-8"), specification_section(SPECIFIED))
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
