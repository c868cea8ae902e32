"""The golden case of a version: inputs, and the answers of the training framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from backend.inference.catalogue import GOLDEN, ModelVersion
from backend.twin.errors import ModelUntrusted
from backend.twin.ports import Arrays

CANARY_S = 30.0  # a golden case takes milliseconds; this only ends a hang

Ask = Callable[[Arrays], Mapping[str, np.ndarray]]


class Golden(NamedTuple):
    """Inputs, expected outputs, and by how much an answer may differ (absolute)."""

    inputs: dict[str, np.ndarray]
    outputs: dict[str, np.ndarray]
    tolerance: float


def read_golden(found: ModelVersion) -> Golden:
    """The golden case of a verified version. Raises ModelUntrusted without one."""
    if not found.verified:
        raise ModelUntrusted(found.problem or "not verified")
    try:
        with (
            (found.path / GOLDEN).open("rb") as file,
            np.load(file, allow_pickle=False) as arrays,
        ):
            inputs = {n[3:]: arrays[n] for n in arrays.files if n.startswith("in_")}
            outputs = {n[4:]: arrays[n] for n in arrays.files if n.startswith("out_")}
        tolerance = float(found.card["parity"]["tolerance"])
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise ModelUntrusted(
            f"{found.model}/{found.version}: no usable golden case"
        ) from error
    if not inputs or not outputs:
        raise ModelUntrusted(f"{found.model}/{found.version}: empty golden case")
    return Golden(inputs, outputs, tolerance)


def check_golden(found: ModelVersion, ask: Ask) -> None:
    """Ask for the golden case, in batches as large as the configuration allows.

    Raises ModelUntrusted where an answer differs by more than the card's tolerance, and
    whatever `ask` raises.
    """
    golden = read_golden(found)
    rows = len(next(iter(golden.inputs.values())))
    step = found.config.max_batch_size or rows
    for start in range(0, rows, step):
        part = slice(start, start + step)
        answer = ask({name: array[part] for name, array in golden.inputs.items()})
        for name, known in golden.outputs.items():
            if not _close(answer.get(name), known[part], golden.tolerance):
                raise ModelUntrusted(
                    f"'{found.model}' version {found.version}: "
                    f"golden case differs in {name}"
                )


def _close(answer: Any, known: np.ndarray, tolerance: float) -> bool:
    return (
        answer is not None
        and answer.shape == known.shape
        and np.allclose(answer, known, rtol=0.0, atol=tolerance, equal_nan=True)
    )
