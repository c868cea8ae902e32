"""The specified net's version folder: served by hand, and taken by no promotion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backend.inference import lifecycle
from backend.inference.card import read_card
from backend.inference.catalogue import read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.inference.keys import load_or_make_key
from backend.inference.triton import TritonAddress, TritonServer
from backend.registry.gates import refusals
from backend.twin.correlation.model_inputs import MODEL, OUTPUT
from backend.twin.errors import ModelUntrusted
from export_scripts import correlation_specification_card as module
from export_scripts.biometric_correlation import predict
from export_scripts.correlation_specification import (
    RawCorrelation,
    Shape,
    built,
)
from export_scripts.correlation_specification_card import COLUMNS, Built, figures, write
from export_scripts.torch_training import Training
from tests.triton import ADMIN_KEY, triton_of

TIME = 60
TINY = Shape(encoded=2, hidden=4, layers=2, time=TIME)
TRAINING = {
    "preset": "specification",
    "seed": 1,
    "batch": 32,
    "windows": 10,
    "records": 64,
    "steps": 50,
    "steps_of_the_recipe": 390_650,
    "parameters": 12,
}
# What a net that nobody could refuse by its figures would say of itself
PERFECT = {"auc": 0.99, "ece": 0.0, "log_score": 0.1, "ci90": 0.9, "lag90": 0.9}
METRICS = {
    "data": "made",
    "people": 99_999,
    "seed": 3,
    "pairs": 7,
    "model": PERFECT,
    "compact": {**PERFECT, "auc": 0.9},
    "compact_version": 1,
    "engine": {**PERFECT, "auc": 0.5, "ece": 0.1},
}


@pytest.fixture(scope="module")
def net() -> RawCorrelation:
    torch.manual_seed(1)
    return RawCorrelation(TINY)


@pytest.fixture(scope="module")
def made(net: RawCorrelation) -> Built:
    return built(Training(net, torch.optim.Adam(net.parameters())), time=TIME)


@pytest.fixture(scope="module")
def folder(made: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("specification")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "STEPS_OF_TIME", TIME)
        patch.setattr(module, "ROWS", 4)
        patch.setattr(module, "people_for", lambda *_: 5000)  # so many are asked for
        for _ in range(2):  # made anew, not beside
            found = write(
                made,
                metrics=METRICS,
                training=TRAINING,
                repository=place / "made",
                key=place / "key.pem",
            )
    return found


def key_of(folder: Path) -> Ed25519PrivateKey:
    return load_or_make_key(folder.parents[2] / "key.pem")


def card_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "card.json").read_text())
    return found


def test_the_card_says_how_far_training_got_and_that_it_is_unfit(folder: Path) -> None:
    read_card((folder / "card.json").read_bytes())
    card = card_of(folder)
    for said in (
        card["intended_use"],
        card["source_attributes"]["intended_use"]["value"],
        card["source_attributes"]["cautioned_uses"]["value"],
    ):
        assert said.startswith("Not fit for production: 50 of the recipe's 390,650")
    assert card["out_of_scope"] == "Every use on a person's record."
    assert set(card["serving"]["latency_ms"]) == {"1", "16"}
    assert card["parity"]["batches"] == [1, 16]
    assert len(card["inputs"]["streams"]["features"]) == len(COLUMNS["streams"]) == 24


def test_the_embedded_server_answers_from_it(folder: Path, made: Built) -> None:
    server = EmbeddedServer(folder.parents[1], trusted=[key_of(folder).public_key()])
    server.canary(MODEL, 1)
    one = {name: array[3:4] for name, array in made.cases.items()}
    found = server.infer(MODEL, 1, one, timeout_s=30)[OUTPUT]
    np.testing.assert_allclose(found, made.expected[3:4], atol=1e-5)


def test_triton_answers_from_it(folder: Path, made: Built, tmp_path: Path) -> None:
    trusted = [key_of(folder).public_key()]
    known = read_catalogue(folder.parents[1], trusted=trusted)
    with triton_of(folder.parents[1], tmp_path, models={MODEL: [1]}) as running:
        address = TritonAddress(running.grpc_url, admin_key=ADMIN_KEY)
        server = TritonServer(address, catalogue=lambda: known)
        server.canary(MODEL, 1)
        found = server.infer(MODEL, 1, made.cases, timeout_s=30)[OUTPUT]
        server.close()
    np.testing.assert_allclose(found, made.expected, atol=1e-5)


def test_no_promotion_takes_it_however_good_its_figures(folder: Path) -> None:
    shut = {one.gate for one in refusals(card_of(folder), champion=None)}
    assert shut == {"features"}


def test_nor_is_it_published(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelUntrusted, match="stale feature schema"):
        lifecycle.publish(
            _candidate(folder, tmp_path),
            repository=tmp_path / "repository",
            key=key_of(folder),
            trusted=[key_of(folder).public_key()],
        )


def _candidate(folder: Path, place: Path) -> Path:
    """The version's files without its manifest, as a candidate."""
    found = place / "candidate"
    found.mkdir()
    for name in ("model.onnx", "card.json", "golden.npz"):
        (found / name).write_bytes((folder / name).read_bytes())
    return found


def test_the_same_pairs_are_scored_by_three(
    net: RawCorrelation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PEOPLE", 6)
    found = figures(lambda inputs: predict(net, inputs), shards=2, time=TIME)
    assert (found["people"], found["compact_version"] >= 1) == (12, True)
    for name in ("model", "engine", "compact"):
        assert 0 <= found[name]["auc"] <= 1
        assert found[name]["linked"] == found["model"]["linked"]
    assert found["compact"]["log_score"] < found["model"]["log_score"]


def test_what_could_not_be_measured_is_named() -> None:
    found = module._plain({"auc": 0.71239, "lag90": float("nan")})
    assert found == {"auc": 0.7124, "lag90": 0.0, "not_measurable": ["lag90"]}
    assert module._plain({"auc": 1.0}) == {"auc": 1.0}
