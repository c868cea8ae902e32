"""The whole line against a FHIR server that nobody here wrote."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhir_integration.codes import PREDICTION
from tests.system.login_proxy import login_proxy

if TYPE_CHECKING:
    from tests.peer import Peer
    from tests.system.conftest import Installation


MADE = 21  # Observations of ours, each with its Provenance


def test_the_demo_runs_on_the_peer_and_what_it_wrote_is_valid(
    installation: Installation, peer: Peer, tmp_path: Path
) -> None:
    output = installation.manage("demo", "--ehr", peer.base_url)
    assert "read back: 14 of 14 forecasts are there exactly once" in output
    assert "read back: 1 of 1 conflicts are there exactly once" in output
    assert "0 problems" in output

    ours = [
        entry["resource"]
        for entry in peer.http.get(
            f"{peer.base_url}/Observation?identifier={PREDICTION}|&_count=100"
        ).json()["entry"]
    ]
    # forecasts, a link, implications of three medicines and what the model expects
    assert len(ours) == MADE == 14 + 1 + 3 + 3
    written = [*ours]
    counts = {"Provenance": MADE, "Device": None, "Task": 5, "DetectedIssue": 1}
    for kind, count in counts.items():
        bundle = peer.http.get(f"{peer.base_url}/{kind}?_count=100").json()
        resources = [entry["resource"] for entry in bundle["entry"]]
        assert count is None or len(resources) == count
        written += resources
    file = tmp_path / "written.json"
    file.write_text(json.dumps(written), encoding="utf-8")
    assert peer.problems(file) == []

    again = installation.manage("demo", "--ehr", peer.base_url)
    assert "Deliver: 0 written now, 0 failed" in again
    assert peer.total("Provenance") == MADE


# What is stored of each patient: the record's digest, and what came of it.
STORED = """
import json, django
django.setup()
from backend.predictions.models import Prediction
from backend.predictions.payload import open_payload
ANSWER = ("forecast", "instruments", "report")
rows = Prediction.objects.select_related("patient").order_by("created", "pk")
print(json.dumps([
    {
        "patient": str(row.patient_id),
        "digest": row.record_digest,
        "stale": row.stale_reason,
        "service": row.service,
        "answer": [open_payload(row.patient, row).get(part) for part in ANSWER],
    }
    for row in rows
], default=str))
"""
FORGET = """
import django
django.setup()
from backend.predictions.models import Prediction
Prediction.objects.update(models_digest="")
"""


def stored(installation: Installation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(installation.run("-c", STORED).stdout)
    return found


def test_faults_on_the_way_change_nothing_of_what_is_read(
    installation: Installation, peer: Peer
) -> None:
    """Pages of 20, late searches, a 401 and a 429 before each later page."""
    peer.admin("faults", {"maxCount": 20, "searchLagMs": 1500, "ratePerSecond": 40})
    with login_proxy(peer.base_url) as proxy:
        output = installation.manage("demo", "--ehr", proxy.base_url)
        assert "read back: 14 of 14 forecasts are there exactly once" in output
        with_faults = stored(installation)
        patients = {one["patient"] for one in with_faults}
        assert len(patients) == 8
        services = Counter(one["service"] for one in with_faults)
        assert services == {"forecast": 7, "correlation": 2, "pharmacogenomics": 1}
        assert len(proxy.asked) >= len(patients)  # each has more than one page
        assert min(proxy.asked.values()) >= 3  # and each page was refused twice before

        peer.admin("reset")
        installation.run("-c", FORGET)  # or the stored answers would be given again
        installation.manage("demo", "--ehr", proxy.base_url)
    both = stored(installation)
    assert both == [*with_faults, *with_faults]
    assert {one["stale"] for one in both} == {""}
