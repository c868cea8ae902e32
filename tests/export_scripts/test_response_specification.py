"""The architecture as first specified: its parts, its graph, and who takes it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from backend.inference.catalogue import read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.inference.golden import read_golden
from backend.inference.keys import load_or_make_key
from backend.inference.triton import TritonAddress, TritonServer
from backend.registry.gates import refusals
from backend.twin.pharmacogenomics.response_inputs import (
    MODEL,
    OPTIONS,
    OUTPUT,
    PATIENT,
)
from export_scripts import response_specification as module
from export_scripts import response_training, treatment_response
from export_scripts.response_section import part
from export_scripts.response_specification import (
    RECIPE,
    PharmacoTransformer,
    Shape,
    make,
    warm_then_even,
)
from tests.triton import ADMIN_KEY, triton_of
from tests.versions import SHIPPED_MODELS, shipped_version

TINY = Shape(width=12, heads=12, layers=2)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def asked() -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(1)
    patient = torch.zeros(3, len(PATIENT))
    patient[1:] = torch.from_numpy(rng.random((2, len(PATIENT))).astype(np.float32))
    for drug in OPTIONS:
        for kind in ("failed", "helped"):
            patient[:, PATIENT.index(f"{kind}_{drug}")] = 0
    return patient, torch.eye(len(OPTIONS))[:3]


def test_it_is_what_was_specified() -> None:
    shape = Shape()
    assert (shape.width, shape.heads) == (768, 12)
    assert (RECIPE.batch, RECIPE.peak_rate, RECIPE.decay) == (16, 2e-5, 0.01)
    assert RECIPE.steps == 30 * 9375
    assert warm_then_even(0, 50, 1.0) < warm_then_even(40, 50, 1.0) < 0.01
    assert warm_then_even(9000, 50, 1.0) == 1.0


def test_earlier_medicines_are_heard_by_what_came_of_them() -> None:
    torch.manual_seed(1)
    net = PharmacoTransformer(TINY).eval()
    patient, drug = asked()
    before = net(patient, drug)
    assert before.shape == (3, 11)
    answers = [before]
    for name in ("failed_lithium", "helped_lithium", "failed_sertraline"):
        told = patient.clone()
        told[:, PATIENT.index(name)] = 1
        answers.append(net(told, drug))
    for i, one in enumerate(answers):
        for other in answers[i + 1 :]:
            assert (one - other).abs().amax(1).min() > 1e-6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("specification")
    options = argparse.Namespace(
        preset="specification",
        seed=1,
        steps=2,
        work=place / "work",
        key=place / "keys" / "export.pem",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "Shape", lambda: TINY)
        patch.setattr(module, "CHECKED", 20)
        patch.setattr(module, "SCORED", 400)
        patch.setattr(module.write, "__kwdefaults__", {"repository": place / "models"})
        patch.setattr(module, "logistic", lambda *_, **__: response_training.Logistic())
        stale = place / "models" / MODEL / "1" / "stale"
        stale.parent.mkdir(parents=True)
        stale.touch()
        made = make(options)
        assert not stale.exists()  # made anew, not beside
    return made


def card_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "card.json").read_text("utf-8"))
    return found


def test_the_version_can_be_served_by_hand(folder: Path) -> None:
    key = load_or_make_key(folder.parents[2] / "keys" / "export.pem").public_key()
    server = EmbeddedServer(folder.parents[1], trusted=[key])
    server.canary(MODEL, 1)
    card = card_of(folder)
    assert card["parity"]["max_abs"] <= card["parity"]["tolerance"]
    assert card["intended_use"].startswith("Not fit for production: 2 of the")


def test_triton_answers_from_it(folder: Path, tmp_path: Path) -> None:
    key = load_or_make_key(folder.parents[2] / "keys" / "export.pem").public_key()
    (known,) = read_catalogue(folder.parents[1], trusted=[key])
    golden = read_golden(known)
    with triton_of(folder.parents[1], tmp_path, models={MODEL: [1]}) as running:
        address = TritonAddress(running.grpc_url, admin_key=ADMIN_KEY)
        server = TritonServer(address, catalogue=lambda: [known])
        server.canary(MODEL, 1)
        found = server.infer(MODEL, 1, golden.inputs, timeout_s=30)[OUTPUT]
        server.close()
    np.testing.assert_allclose(found, golden.outputs[OUTPUT], atol=1e-5)


def test_no_promotion_takes_it_whatever_its_figures(folder: Path) -> None:
    assert "finished" in {one.gate for one in refusals(card_of(folder), champion=None)}
    shipped = card_of(SHIPPED_MODELS / MODEL / str(shipped_version(MODEL)))
    perfect = {**card_of(folder), "metrics": shipped["metrics"]}
    assert [one.gate for one in refusals(perfect, champion=shipped)] == ["finished"]


def test_the_page_says_how_far_it_got(folder: Path) -> None:
    text = part(["## Molecules"], specified=folder.parents[1])
    assert "2 of 281,250 steps" in text
    assert text.index("## Molecules") < text.index("## As first specified")


def test_the_entrance_leads_here(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    monkeypatch.setattr(module, "make", found.append)
    treatment_response.main(["--preset", "specification"])
    assert found[0].steps is None
