"""Is a candidate's golden case one that servers can be asked for again and again?"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from backend.inference.card import Card
from backend.inference.catalogue import GOLDEN, SIZES, ModelVersion
from backend.inference.config import Wire, wires
from backend.inference.golden import Golden, read_golden
from backend.inference.plain import open_plain
from backend.twin.errors import ModelUntrusted

ROWS = 1024  # a canary asks for all of them
ARRAYS = 32


def candidate_golden(folder: Path, card: Card, config: Any) -> Golden:
    """The golden case, which must fill the largest batch, or that is never proven.

    Its arrays are those of the configuration. Raises ModelUntrusted.
    """
    _check_archive(folder / GOLDEN)
    found = ModelVersion(
        model=card.model,
        version=card.version,
        path=folder,
        config=config,
        card=card.model_dump(include={"parity"}),
        sha256="",
        verified=True,
        problem=None,
    )
    try:
        golden = read_golden(found)
    except (zlib.error, EOFError, RuntimeError) as error:  # a broken or sealed archive
        raise ModelUntrusted("no usable golden case") from error
    _check_arrays("inputs", golden.inputs, wires(config, config.input))
    _check_arrays("outputs", golden.outputs, wires(config, config.output))
    _check_rows((*golden.inputs.values(), *golden.outputs.values()), config)
    return golden


def _check_archive(path: Path) -> None:
    """Nothing is unpacked yet: the archive's own list says what would be, and binds."""
    limit = SIZES[GOLDEN]
    try:
        with open_plain(path, limit=limit) as file, ZipFile(file) as archive:
            sizes = [member.file_size for member in archive.infolist()]
    except (BadZipFile, ValueError, OSError, NotImplementedError) as error:
        # The last is zipfile's word for an archive of a newer version than it reads.
        raise ModelUntrusted("no usable golden case") from error
    if len(sizes) > ARRAYS:
        raise ModelUntrusted(f"the golden case holds more than {ARRAYS} arrays")
    if sum(sizes) > limit:
        raise ModelUntrusted(f"the golden case unpacks to more than {limit} bytes")


def _check_arrays(
    what: str, arrays: Mapping[str, Any], expected: tuple[Wire, ...]
) -> None:
    if arrays.keys() != {wire.name for wire in expected}:
        raise ModelUntrusted(f"the golden case has other {what}")
    for wire in expected:
        found, axes = arrays[wire.name], len(wire.shape)
        if not isinstance(found, np.ndarray) or found.dtype != wire.dtype:
            word = getattr(found, "dtype", "no array")
            raise ModelUntrusted(
                f"the golden case's {wire.name} is {word}, not {wire.dtype}"
            )
        if found.ndim != axes:
            raise ModelUntrusted(
                f"the golden case's {wire.name} has {found.ndim} axes, not {axes}"
            )


def _check_rows(arrays: Iterable[np.ndarray], config: Any) -> None:
    rows = {array.shape[:1] for array in arrays}
    least = max(config.max_batch_size, 1)
    if len(rows) > 1 or min(rows) < (least,):
        raise ModelUntrusted(f"a golden case needs {least} rows")
    if max(rows) > (ROWS,):
        raise ModelUntrusted(f"a golden case has at most {ROWS} rows")
