"""What every test gets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """A Monday morning that does not move."""
    return NOW


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real public data; tests that need it say so when it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder ../shared with real public data is absent")
    return folder


@pytest.fixture(autouse=True)
def _fresh_anchor(tmp_path: Path) -> Iterator[None]:
    """Each test starts with an empty audit log, so its anchor starts empty too."""
    from django.conf import settings  # noqa: PLC0415 - after Django is set up

    from backend.audit import ledger  # noqa: PLC0415

    own = settings.MINDTWIN
    ledger.configure(
        key=own["AUDIT_KEY"], anchor=tmp_path / "audit.anchor", grouped=False
    )
    yield
    ledger.configure(key=own["AUDIT_KEY"], anchor=own["AUDIT_ANCHOR"], grouped=False)
