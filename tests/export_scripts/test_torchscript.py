"""TorchScript: proven at batches other than the traced one, or not written."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from backend.twin.errors import ModelRefused
from backend.twin.features import INPUTS
from export_scripts import torchscript
from export_scripts.onnx_export import proof_cases
from export_scripts.symptom_transformer import (
    MODEL,
    PRESETS,
    SymptomTransformer,
    predict,
)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Doubling(nn.Module):
    """Small enough to read; `frozen` keeps the batch that it was traced with."""

    def __init__(self, frozen: bool) -> None:
        super().__init__()
        self.frozen = frozen

    def forward(self, x: Tensor) -> Tensor:
        return x * (int(x.shape[0]) if self.frozen else 2)


def numbers(rows: int = 70) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(rows, 3)).astype(np.float32)


def test_the_transformer_is_written_and_answers_as_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net = SymptomTransformer(PRESETS["compact"])
    nn.init.normal_(net.correction.weight, std=0.1)
    cases = proof_cases(INPUTS[MODEL], seed=1, rows=70)
    path = tmp_path / "deep" / "net.pt"
    found = torchscript.write(net, cases, predict(net, cases), path=path)
    assert found <= torchscript.TOLERANCE
    assert f"net.pt: {path.stat().st_size} bytes, parity" in capsys.readouterr().out
    assert [each.name for each in path.parent.iterdir()] == ["net.pt"]


def test_nan_may_stand_where_the_net_says_nan(tmp_path: Path) -> None:
    x = numbers()
    x[3] = np.nan
    path = tmp_path / "net.pt"
    assert torchscript.write(Doubling(False), {"x": x}, 2 * x, path=path) == 0


@pytest.mark.parametrize("wrong", ["batch frozen in", "other answer", "nan"])
def test_what_differs_is_refused_and_leaves_no_file(tmp_path: Path, wrong: str) -> None:
    x = numbers()
    expected = 2 * x
    if wrong == "other answer":
        expected[-1, 0] += 0.01
    if wrong == "nan":
        expected[-1, 0] = np.nan
    if wrong == "batch frozen in":
        expected = x * np.float32(64)
    net = Doubling(wrong == "batch frozen in")
    with pytest.raises(ModelRefused, match="TorchScript differs"):
        torchscript.write(net, {"x": x}, expected, path=tmp_path / "net.pt")
    assert list(tmp_path.iterdir()) == []


def test_it_is_made_on_request_only() -> None:
    parser = argparse.ArgumentParser()
    torchscript.add_option(parser)
    assert not parser.parse_args([]).torchscript
    assert parser.parse_args(["--torchscript"]).torchscript
