"""A new card for the same graph: nothing that answers may change."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.inference.embedded import EmbeddedServer
from backend.twin.errors import ModelRefused
from export_scripts.onnx_export import Export, Places, publish
from export_scripts.renew_card import main, renew

Make = Callable[..., Export]


def test_graph_and_golden_case_stay_and_the_card_says_whose_they_are(
    export_of: Make, where: Places
) -> None:
    first = publish(export_of(), where)
    old = json.loads((first / "card.json").read_text())
    options = ["--held-out", "60", "--repository", str(where.repository)]
    main(["repeat", *options, "--key", str(where.key), "--trusted", str(where.trusted)])
    second = first.with_name("2")
    for name in ("model.onnx", "golden.npz"):
        assert (second / name).read_bytes() == (first / name).read_bytes()
    card = json.loads((second / "card.json").read_text())
    for kept in ("parity", "training", "serving", "libraries"):
        assert card[kept] == old[kept]
    assert (card["version"], card["renewed"]["version"]) == (2, 1)
    assert card["metrics"]["people"] == 60
    EmbeddedServer(where.repository, trusted=[where.trusted]).canary("repeat", 2)


def test_the_newest_is_renewed_and_scored_on_as_many_as_before(
    export_of: Make, where: Places
) -> None:
    for _ in range(2):
        publish(export_of(), where)
    folder = renew("repeat", where)
    card = json.loads((folder / "card.json").read_text())
    assert (folder.name, card["renewed"]["version"]) == ("3", 2)
    assert card["metrics"]["people"] == 50


def test_a_model_without_a_version_is_refused(where: Places, tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="no version to renew"):
        renew("repeat", where)
