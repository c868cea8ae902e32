"""A net as TorchScript beside the ONNX graph, for programs that embed libtorch.

Nothing of ours serves it: it is no part of a signed version, whose files are fixed, and
PyTorch itself has deprecated TorchScript (in favour of torch.export) while it still
writes and reads it. So it is made on request only, and proven like the graph.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import nn

from backend.twin.errors import ModelRefused

BATCHES = (1, 64)
TOLERANCE = 1e-4  # z units, TorchScript against the net
TRACED_ROWS = 2  # neither of the batches proven: a batch size must not be frozen in


def add_option(parser: argparse.ArgumentParser) -> None:
    """The option that asks for it."""
    parser.add_argument(
        "--torchscript", action="store_true", help="write TorchScript to --work as well"
    )


def write(
    net: nn.Module,
    cases: Mapping[str, np.ndarray],
    expected: np.ndarray,
    *,
    path: Path,
) -> float:
    """Write the net to `path`; its largest difference from `expected`, z units.

    `cases` are the net's inputs by the names of its arguments, and `expected` its
    answer to them. What is compared is the file read back, at batch 1 and 64. Raises
    ModelRefused, and leaves no file, where it differs by more than the tolerance.
    """
    net.eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with _deprecated(), torch.no_grad():
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]
            net, example_kwarg_inputs=_tensors(cases, slice(TRACED_ROWS))
        )
        torch.jit.save(torch.jit.freeze(traced), fresh)
        difference = _difference(torch.jit.load(fresh), cases, expected)
    if not difference <= TOLERANCE:
        fresh.unlink()
        raise ModelRefused(f"TorchScript differs by {difference:.2e}")
    fresh.replace(path)
    print(f"{path.name}: {path.stat().st_size} bytes, parity {difference:.1e}")
    return difference


@contextmanager
def _deprecated() -> Iterator[None]:
    with warnings.catch_warnings():
        # Every call of torch.jit says that it is deprecated; the docstring above says
        # why it is called all the same.
        warnings.filterwarnings("ignore", r"`torch\.jit\.", DeprecationWarning)
        # Tracing fixes whatever Python reads from a shape. Only the batch may vary,
        # and the comparison at other batches than the traced one shows that it does.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        yield


def _tensors(cases: Mapping[str, np.ndarray], rows: slice) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array[rows]) for name, array in cases.items()}


def _difference(
    script: nn.Module, cases: Mapping[str, np.ndarray], expected: np.ndarray
) -> float:
    """The largest difference; infinite where only one of two is a number."""
    worst = 0.0
    for size in BATCHES:
        for start in range(0, len(expected), size):
            rows = slice(start, start + size)
            answer = script(**_tensors(cases, rows)).numpy()
            if (np.isnan(answer) != np.isnan(expected[rows])).any():
                return float("inf")
            gap = np.nan_to_num(np.abs(answer - expected[rows]))
            worst = max(worst, float(gap.max()))
    return worst
