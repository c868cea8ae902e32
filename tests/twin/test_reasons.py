"""Every word for a refusal is explained to those who meet it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.twin.record import Reason

PAGE = Path(__file__).resolve().parents[2] / "docs" / "methods" / "reading.md"


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_is_explained(reason: Reason) -> None:
    rows = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `") and f"`{reason}`" in line.split("|")[1]
    ]
    assert len(rows) == 1
