from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from tests.system.conftest import Installation

KILLS = 108  # every point six times
PREDICTION = "https://mindtwin.example/fhir/prediction"


def held(url: str, kind: str) -> list[dict]:
    """Every resource of a kind that the EHR holds, page by page."""
    resources, following = [], f"{url}/{kind}?_count=200"
    with httpx.Client() as http:
        while following:
            bundle = http.get(following).raise_for_status().json()
            resources += [entry["resource"] for entry in bundle.get("entry", ())]
            links = {link["relation"]: link["url"] for link in bundle["link"]}
            following = links.get("next")
    return resources


@pytest.mark.slow
def test_a_process_killed_at_any_step_loses_and_doubles_nothing(
    installation: Installation, ehr_url: str
) -> None:
    for name in [n for n in installation.environment if n.startswith("COVERAGE")]:
        del installation.environment[name]  # killed processes have nothing to tell
    done = installation.run("tests/system/kill_driver.py", ehr_url, str(KILLS))
    found = json.loads(done.stdout.splitlines()[-1])

    assert found["killed"] == KILLS
    assert found["undelivered"] == 0
    assert found["predictions"] == found["records"], "one prediction for each record"
    assert found["predictions"] >= KILLS // 2
    assert found["audit_problems"] == []

    ours = {
        observation["id"]: observation["identifier"][0]["value"]
        for observation in held(ehr_url, "Observation")
        if observation["identifier"][0]["system"] == PREDICTION
    }
    assert sorted(ours.values()) == found["outbox"], "each once, none missing"
    targets = Counter(
        provenance["target"][0]["reference"]
        for provenance in held(ehr_url, "Provenance")
    )
    assert targets == {f"Observation/{name}": 1 for name in ours}
    assert len(held(ehr_url, "Device")) == 1
