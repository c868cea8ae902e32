"""Advice on medicines against another party's server, with the faults EHRs show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from tests.fhir_integration.advised import treatment
from tests.peer import Peer

KINDS = ("Device", "Observation", "Task", "DetectedIssue", "Provenance")
ONE_OF_EACH = [2, 2, 2, 1, 2]
FAULTS: list[dict[str, Any]] = [
    {"status": 429, "retryAfter": 1},
    {"status": 503, "after": "commit"},
    {"after": "commit"},
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("before", [0, 3])
@pytest.mark.parametrize("mode", ["full", "flat"])
def test_whatever_fails_one_of_each_is_written(
    peer: Peer, fault: dict[str, Any], before: int, mode: str
) -> None:
    site = peer.ehr(write_mode=mode)
    fine = {"status": 503}  # uses up one try of an earlier step, nothing is written
    peer.fail_next(*[fine] * before, fault)
    receipt = site.write_treatment(treatment())
    again = site.write_treatment(treatment())
    assert replace(receipt, created=False) == again
    assert [peer.total(kind) for kind in KINDS] == ONE_OF_EACH
    site.close()


def test_search_lag_makes_no_second_copy(peer: Peer) -> None:
    peer.admin("faults", {"searchLagMs": 60_000})
    site = peer.ehr()
    first, second = (site.write_treatment(treatment()) for _ in range(2))
    assert first.observation == second.observation
    assert first.others == second.others
    peer.admin("faults", {"searchLagMs": 0})
    assert [peer.total(kind) for kind in KINDS] == ONE_OF_EACH
    site.close()


def test_several_medicines_share_the_devices(peer: Peer) -> None:
    site = peer.ehr()
    for name in ("citalopram", "sertraline"):
        site.write_treatment(replace(treatment(name), identifier=uuid4()))
    assert [peer.total(kind) for kind in ("Device", "Observation")] == [2, 4]
    site.close()
