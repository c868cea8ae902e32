"""What a PharmCAT file says of one person as a line of `manage.py pharmacogenomics`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import orjson

from backend.twin.pharmacogenomics.calls import Call
from fhir_integration.files.pharmcat import GeneFile


def input_line(
    name: str,
    read: GeneFile,
    *,
    medications: Sequence[str] | None = None,
    current: Sequence[str] | None = None,
) -> bytes:
    """The line, with its line break. What was not said stays out: it is unknown."""
    fields = {
        "id": name,
        "calls": [_call(call) for call in read.calls],
        "medications": medications,
        "current_medications": current,
    }
    said = {key: value for key, value in fields.items() if value is not None}
    return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)


def _call(call: Call) -> dict[str, object]:
    return {name: value for name, value in asdict(call).items() if value is not None}
