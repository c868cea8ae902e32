"""The whole line against a FHIR server that nobody here wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from fhir_integration.codes import PREDICTION

if TYPE_CHECKING:
    from tests.peer import Peer
    from tests.system.conftest import Installation


def test_the_demo_runs_on_the_peer_and_what_it_wrote_is_valid(
    installation: Installation, peer: Peer, tmp_path: Path
) -> None:
    output = installation.manage("demo", "--ehr", peer.base_url)
    assert "read back: 12 of 12 forecasts are there exactly once" in output
    assert "0 problems" in output

    ours = [
        entry["resource"]
        for entry in peer.http.get(
            f"{peer.base_url}/Observation?identifier={PREDICTION}|&_count=100"
        ).json()["entry"]
    ]
    assert len(ours) == 12
    written = [*ours]
    for kind, count in (("Provenance", 12), ("Device", None)):
        bundle = peer.http.get(f"{peer.base_url}/{kind}?_count=100").json()
        resources = [entry["resource"] for entry in bundle["entry"]]
        assert count is None or len(resources) == count
        written += resources
    file = tmp_path / "written.json"
    file.write_text(json.dumps(written), encoding="utf-8")
    assert peer.problems(file) == []

    again = installation.manage("demo", "--ehr", peer.base_url)
    assert "Deliver: 0 written now, 0 failed" in again
    assert peer.total("Provenance") == 12
