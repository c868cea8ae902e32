"""A torch net as ONNX: named inputs and output, any batch, or a clear refusal."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from backend.inference.onnx_session import session
from export_scripts.torch_onnx import OPSET, graph_of


class Scaled(nn.Module):
    """first * w + second, with something that must be off when it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([2.0, 3.0]))
        self.drop = nn.Dropout(0.9)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        answer: Tensor = self.drop(first * self.weight) + second
        return answer


EXAMPLE = {"first": torch.zeros(2, 2), "second": torch.zeros(2, 1)}


def test_names_and_batches_are_as_asked_and_dropout_is_off() -> None:
    graph = graph_of(Scaled().train(), EXAMPLE, output="sums")
    assert [each.name for each in graph.graph.input] == ["first", "second"]
    assert [each.name for each in graph.graph.output] == ["sums"]
    assert {each.version for each in graph.opset_import if not each.domain} == {OPSET}
    ready = session(graph.SerializeToString())
    for rows in (1, 2, 64):
        first = np.full((rows, 2), 10.0, dtype=np.float32)
        second = np.arange(rows, dtype=np.float32)[:, None]
        (found,) = ready.run(["sums"], {"first": first, "second": second})
        np.testing.assert_array_equal(found, first * [2, 3] + second)


def test_nothing_exported_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.onnx, "export", lambda *_, **__: None)
    with pytest.raises(ValueError, match="exported nothing"):
        graph_of(Scaled(), EXAMPLE, output="sums")
