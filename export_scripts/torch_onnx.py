"""A torch net as an ONNX graph with a free batch dimension."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import onnx
import torch
from torch import Tensor, nn

from export_scripts.onnx_export import MAX_BATCH

OPSET = 18


def graph_of(
    net: nn.Module, example: Mapping[str, Tensor], *, output: str
) -> onnx.ModelProto:
    """`net` with inputs named as its arguments; `example` shows their shapes.

    Raises ValueError where torch exports nothing.
    """
    net.eval()
    batch = torch.export.Dim("batch", min=1, max=MAX_BATCH)
    with warnings.catch_warnings():
        # The exporter warns of its own internals, which no argument of ours changes.
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", UserWarning)
        program = torch.onnx.export(
            net,
            kwargs=dict(example),
            dynamo=True,
            dynamic_shapes={name: {0: batch} for name in example},
            output_names=[output],
            opset_version=OPSET,
            verbose=False,
        )
    if program is None:  # the signature allows it; the dynamo exporter never does it
        raise ValueError("torch exported nothing")
    graph: onnx.ModelProto = program.model_proto
    return graph
