"""Faults put in on purpose: refused before serving, in one line, production untouched.

Some are refused when somebody publishes them, others when somebody has laid them into
the repository by hand.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.inference.catalogue import read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.inference.lifecycle import publish, verify
from backend.inference.manifest import write_manifest
from backend.twin.errors import ModelError, ModelUntrusted
from tests.inference.candidates import (
    KEY,
    STRANGER,
    TRANSFORMER,
    TREES,
    TRUSTED,
    Edit,
    bomb,
    candidate,
    double,
    edit_card,
    edit_golden,
    edit_graph,
    fold_targets,
    swell,
    wider,
)

SERVED = 1
CONTEXT = "inputs.context.features"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in which version 1 of both models serves."""
    place = tmp_path_factory.mktemp("production")
    for model in (TRANSFORMER, TREES):
        folder = candidate(place, model)
        publish(folder, repository=place / "repository", key=KEY, trusted=TRUSTED)
    return place / "repository"


@pytest.fixture
def repository(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "repository"))


def digest(folder: Path) -> dict[str, str]:
    """Every file below a folder, by its content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def truncate(folder: Path) -> None:
    content = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(content[: len(content) // 2])


def flip(folder: Path) -> None:
    """One bit of one byte of the weights."""
    content = bytearray((folder / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 0x40
    (folder / "model.onnx").write_bytes(bytes(content))


def swap(card: dict[str, Any]) -> None:
    columns = card["inputs"]["context"]["features"]
    columns[3], columns[4] = columns[4], columns[3]


def not_a_number(case: dict[str, np.ndarray]) -> None:
    case["out_quantiles"][:] = np.nan


PUBLISHED: dict[str, tuple[str, Edit, str]] = {
    "wrong dims": (
        TRANSFORMER,
        edit_graph(wider),
        r"context has shape .*45\], config.pbtxt says",
    ),
    "wrong dtype": (TRANSFORMER, edit_graph(double), "anchor is tensor.double."),
    "swapped feature order": (
        TRANSFORMER,
        edit_card(swap),
        "context: feature order differs from log_sd_share on",
    ),
    "truncated file": (TRANSFORMER, truncate, "model.onnx is n"),
    "flipped byte": (TRANSFORMER, flip, "parity: the golden case differs|is not valid"),
    "extra file": (
        TRANSFORMER,
        lambda folder: (folder / "notes.txt").touch(),
        "notes.txt is no part of a version",
    ),
    "memory bomb": (TRANSFORMER, bomb(1.7), "needs more memory"),
    "bomb of many sizes": (TRANSFORMER, bomb(300), "needs more memory"),
    "bomb for some values": (
        TRANSFORMER,
        edit_graph(swell),
        "ConstantOfShape: a size depends on the values that are asked with",
    ),
    "a number that no database keeps": (
        TRANSFORMER,
        edit_card(lambda card: card["metrics"].update(more=float("nan"))),
        "card.json: a number is not finite",
    ),
    "missing card field": (
        TRANSFORMER,
        edit_card(lambda card: card["training"].pop("data_sha256")),
        r"card.json: training.data_sha256: Field required",
    ),
    "multi-target converter error": (
        TREES,
        edit_graph(fold_targets),
        "parity: the golden case differs by",
    ),
    "stale feature schema": (
        TRANSFORMER,
        edit_card(lambda card: card.update(feature_schema_hash="0" * 64)),
        "stale feature schema",
    ),
    "an answer of the graph's own": (
        TRANSFORMER,
        edit_golden(not_a_number),
        "parity: the golden case differs by inf",
    ),
}


@pytest.mark.parametrize("fault", PUBLISHED)
def test_a_fault_is_refused_when_it_is_published(
    repository: Path, tmp_path: Path, fault: str
) -> None:
    model, edit, says = PUBLISHED[fault]
    before = digest(repository)
    faulty = candidate(tmp_path, model)
    edit(faulty)
    with pytest.raises(ModelError, match=says) as refusal:
        publish(faulty, repository=repository, key=KEY, trusted=TRUSTED)
    assert "\n" not in str(refusal.value)
    assert digest(repository) == before
    assert not list(repository.rglob(".*"))
    EmbeddedServer(repository, trusted=TRUSTED).canary(model, SERVED)


def by_hand(change: Edit) -> Callable[[Path], None]:
    """A copy of the served version as the next one, changed after it was signed."""

    def lay(model_folder: Path) -> None:
        fresh = model_folder / "2"
        shutil.copytree(model_folder / str(SERVED), fresh)
        edit_card(lambda card: card.update(version=2))(fresh)
        write_manifest(fresh, KEY)
        change(fresh)

    return lay


def overwrite(model_folder: Path) -> None:
    """Other weights in the very folder that serves, as a careless copy leaves them."""
    flip(model_folder / str(SERVED))


LAID: dict[str, tuple[Callable[[Path], None], int, str]] = {
    "unsigned": (
        by_hand(lambda folder: (folder / "manifest.json").unlink()),
        2,
        "no manifest.json",
    ),
    "signed by a stranger": (
        by_hand(lambda folder: write_manifest(folder, STRANGER)),
        2,
        "a key that is not trusted",
    ),
    "extra file": (
        by_hand(lambda folder: (folder / "weights.bin").touch()),
        2,
        "weights.bin was added after signing",
    ),
    "flipped byte": (by_hand(flip), 2, "model.onnx was changed after signing"),
    "truncated file": (by_hand(truncate), 2, "model.onnx was changed after signing"),
    "overwritten version": (overwrite, SERVED, "model.onnx was changed after signing"),
}


@pytest.mark.parametrize("fault", LAID)
def test_a_fault_laid_into_the_repository_is_not_served(
    repository: Path, fault: str
) -> None:
    lay, version, says = LAID[fault]
    lay(repository / TRANSFORMER)
    found = {
        (v.model, v.version): v for v in read_catalogue(repository, trusted=TRUSTED)
    }
    problem = found[TRANSFORMER, version].problem or ""
    assert says in problem
    assert "\n" not in problem
    asked = {TRANSFORMER: [SERVED, version], TREES: [SERVED]}
    server = EmbeddedServer(repository, versions=asked, trusted=TRUSTED)
    with pytest.raises(ModelUntrusted, match=says):
        server.canary(TRANSFORMER, version)
    server.canary(TREES, SERVED)
    if version != SERVED:
        server.canary(TRANSFORMER, SERVED)


def test_a_server_that_runs_keeps_to_the_bytes_it_verified(repository: Path) -> None:
    """Overwritten in place between reading the catalogue and the first request."""
    server = EmbeddedServer(repository, trusted=TRUSTED)
    overwrite(repository / TRANSFORMER)
    with pytest.raises(ModelUntrusted, match=r"was changed after it was verified"):
        server.canary(TRANSFORMER, SERVED)


def test_a_number_is_never_given_twice(repository: Path, tmp_path: Path) -> None:
    before = digest(repository)
    again = candidate(tmp_path)
    with pytest.raises(ModelError, match="version 1 is there already"):
        publish(again, repository=repository, key=KEY, trusted=TRUSTED, version=1)
    assert digest(repository) == before


def test_a_key_that_nobody_trusts_publishes_nothing(
    repository: Path, tmp_path: Path
) -> None:
    before = digest(repository)
    with pytest.raises(ModelUntrusted, match="signed by a key that is not trusted"):
        publish(
            candidate(tmp_path), repository=repository, key=STRANGER, trusted=TRUSTED
        )
    assert digest(repository) == before


def test_a_signed_fault_is_found_by_verifying(repository: Path) -> None:
    """Signed by our key past all checks: the card's schema is not read when serving."""

    def sign(folder: Path) -> None:
        edit_card(lambda card: card.pop("approver"))(folder)
        write_manifest(folder, KEY)

    by_hand(sign)(repository / TRANSFORMER)
    problems = {(v.model, v.version): v.problem for v in verify(repository, TRUSTED)}
    assert problems.pop((TRANSFORMER, 2)) == (
        "symptom_transformer/2: card.json: approver: Field required"
    )
    assert set(problems.values()) == {None}
