"""Compare two forecasters on the benchmark's windows: an ablation in three commands.

    python -m export_scripts.compare --save before.npz
    python -m export_scripts.compare --save after.npz
    python -m export_scripts.compare before.npz after.npz

Saved are the served path's quantiles [window, 14, 11] in score units, windows in the
benchmark's order; any array of that shape under the name `quantiles` will do.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from export_scripts import bootstrap
from export_scripts.real_windows import BENCH, Bench, bench, predicted, served

SHOWN = ("wql", "crps", "mae", "is80", "is95", "cov80", "cov95")
LOSSES = ("wql", "crps", "mae", "is80", "is95")


def report(found: Bench, windows: Sequence[Any], pair: Sequence[np.ndarray]) -> str:
    """Pooled figures of both, and by how much the second is lower, with intervals."""
    first, second = (
        bootstrap.drawn(found.score.per_window(windows, quantiles))
        for quantiles in pair
    )
    lines = [f"{len(windows)} windows; lower by, per cent [95 % over patients]"]
    for metric in SHOWN:
        a, b = (bootstrap.pooled(each, metric).point for each in (first, second))
        text = f"{metric:6} {a:8.4f} {b:8.4f}"
        if metric in LOSSES:
            text += f"  {bootstrap.lower(second, first, metric)}"
        lines.append(text)
    worse = [
        f"{name} {bound}"
        for name, bound in bootstrap.each_lower(second, first, "wql").items()
        if bound.high < 0
    ]
    return "\n".join([*lines, "wql worse in: " + (", ".join(worse) or "none")])


def main(arguments: Sequence[str] | None = None) -> None:
    """Save the served path's answers, or compare two files."""
    parser = argparse.ArgumentParser(description="compare two forecasters")
    parser.add_argument("files", nargs="*", type=Path, help="two files to compare")
    parser.add_argument("--save", type=Path, help="write the served path's answers")
    parser.add_argument("--bench", type=Path, default=BENCH)
    options = parser.parse_args(arguments)
    if not options.save and len(options.files) != 2:
        parser.error("name two files, or one to --save")
    found = bench(options.bench)
    windows = found.windows.load(found.data)
    if options.save:
        quantiles = predicted(served().forecast, windows, "served path")
        np.savez_compressed(options.save, quantiles=quantiles)
        return
    pair = [np.load(path)["quantiles"] for path in options.files]
    print(report(found, windows, pair))


if __name__ == "__main__":
    main()
