"""Links in words against another party's FHIR server, with the faults EHRs show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from tests.fhir_integration.made import correlation
from tests.peer import Peer

KINDS = ("Device", "Observation", "Provenance")
FAULTS: list[dict[str, Any]] = [
    {"status": 429, "retryAfter": 1},
    {"status": 503, "after": "commit"},
    {"after": "commit"},
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("before", [0, 1, 3])
@pytest.mark.parametrize("mode", ["full", "flat"])
def test_whatever_fails_one_of_each_is_written(
    peer: Peer, fault: dict[str, Any], before: int, mode: str
) -> None:
    site = peer.ehr(write_mode=mode)
    fine = {"status": 503}  # uses up one try of an earlier step, nothing is written
    peer.fail_next(*[fine] * before, fault)
    receipt = site.write_correlation(correlation())
    again = site.write_correlation(correlation())
    assert replace(receipt, created=False) == again
    assert [peer.total(kind) for kind in KINDS] == [1, 1, 1]
    site.close()


def test_search_lag_makes_no_second_copy(peer: Peer) -> None:
    peer.admin("faults", {"searchLagMs": 60_000})
    site = peer.ehr()
    first, second = (site.write_correlation(correlation()) for _ in range(2))
    assert first.observation == second.observation
    peer.admin("faults", {"searchLagMs": 0})
    assert [peer.total(kind) for kind in KINDS] == [1, 1, 1]
    site.close()


def test_several_links_share_one_device(peer: Peer) -> None:
    site = peer.ehr()
    for key in ("hrv-sdnn", "heart-rate", "sleep-duration"):
        site.write_correlation(replace(correlation(biometric=key), identifier=uuid4()))
    assert [peer.total(kind) for kind in KINDS] == [1, 3, 3]
    site.close()
