"""A version folder for a look: served by hand, and taken by no promotion."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from backend.inference.card import read_card
from backend.inference.config import CONFIG
from backend.inference.graph import config_of, config_text, read_graph
from backend.inference.keys import load_or_make_key
from backend.inference.manifest import write_manifest
from export_scripts.onnx_export import Files


def write_version(files: Files, model: str, *, repository: Path, key: Path) -> Path:
    """Version 1, made anew and signed: graph, card, golden case, configuration.

    Its golden case has all known cases. Raises ModelUntrusted for a graph or a card
    that no server reads.
    """
    rows = len(files.expected)
    graph = read_graph(files.graph.SerializeToString())
    config = config_of(model, graph, max_batch=rows)
    read_card(json.dumps(files.card).encode())
    place = repository / model
    shutil.rmtree(place, ignore_errors=True)
    folder = place / "1"
    folder.mkdir(parents=True)
    (place / CONFIG).write_text(config_text(config), encoding="utf-8")
    files.write(folder, rows=rows)
    write_manifest(folder, load_or_make_key(key))
    return folder
