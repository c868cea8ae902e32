"""Real servers for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_integration.sandbox import Sandbox
from fhir_integration.site import FhirEhr


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "ehr.ndjson") as running:
        yield running


@pytest.fixture
def ehr(sandbox: Sandbox) -> Iterator[FhirEhr]:
    site = FhirEhr(sandbox.base_url)
    yield site
    site.close()
