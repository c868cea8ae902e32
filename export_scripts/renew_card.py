"""The next version of a published model: the very same graph, a card of today.

    python -m export_scripts.renew_card symptom_transformer

Graph and golden case are copied byte for byte, so every answer stays. Figures are
measured anew on the same held-out simulated people, histograms are drawn as in
training; what the export alone could know (training, parity, libraries, speed) is taken
over.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx

from backend.inference.catalogue import CARD, GOLDEN, GRAPH
from backend.inference.manifest import sha256_of
from backend.twin.errors import ModelRefused
from export_scripts.cards import card, held_out
from export_scripts.command_line import positive, refusals_told
from export_scripts.latency import answers
from export_scripts.onnx_export import Places, add_places, places, put, write_card

KEPT = ("training", "parity", "serving", "compression")


def renew(model: str, where: Places, *, people: int | None = None) -> Path:
    """Publish the next version of the newest one; returns its folder.

    `people` are those scored; as many as before unless given. Raises ModelRefused where
    the model has no version, and what `lifecycle.publish` raises.
    """
    versions = sorted((where.repository / model).glob("[1-9]*"), key=_number)
    if not versions:
        raise ModelRefused(f"{model}: no version to renew")
    last = versions[-1]
    with TemporaryDirectory() as place:
        for name in (GRAPH, GOLDEN):
            shutil.copyfile(last / name, Path(place) / name)
        write_card(Path(place), renewed(last, people=people))
        found = put(Path(place), where)
    print(f"renewed {model} version {last.name} as version {found.version}")
    return found.path


def renewed(folder: Path, *, people: int | None = None) -> dict[str, Any]:
    """A new card for the graph in a version's folder."""
    old: Mapping[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
    graph = onnx.load_model(folder / GRAPH)
    names = list(old["inputs"])
    metrics = held_out(
        lambda inputs: answers(graph, inputs),
        names,
        count=people or old["metrics"]["people"],
    )
    kept = {name: old[name] for name in KEPT if name in old}
    made = card(
        model=old["model"],
        names=names,
        parts={**kept, "metrics": metrics},
        libraries=old["libraries"],
    )
    renewed_from = {
        "version": old["version"],
        "created": old["created"],
        "graph_sha256": sha256_of(folder / GRAPH),
        "drawn_anew": "people of histograms, figures and the digest of training data, "
        "by the simulator and the features of git_commit",
    }
    return {**made, "renewed": renewed_from}


def main(arguments: Sequence[str] | None = None) -> None:
    """Renew one model's card."""
    parser = argparse.ArgumentParser(description="a new card for the same graph")
    parser.add_argument("model")
    parser.add_argument("--held-out", type=positive, help="people scored")
    add_places(parser)
    options = parser.parse_args(arguments)
    renew(options.model, places(options), people=options.held_out)


def _number(folder: Path) -> int:
    return int(folder.name)


if __name__ == "__main__":
    with refusals_told():
        main()
