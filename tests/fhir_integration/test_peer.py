"""The adapter against another party's FHIR server, with the faults that EHRs show."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from backend.twin.errors import EhrRefused, EhrUnavailable
from backend.twin.record import Reason
from backend.twin.scales import scale
from tests.fhir_integration.made import (
    SINCE,
    UNTIL,
    diary,
    document,
    observation,
    rating,
    safety,
)
from tests.peer import Peer

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "fhir"
KINDS = ("Device", "Observation", "Provenance")
# The peer adds these to what a client may want to see again.
WRITE_FAULTS: list[list[dict[str, Any]]] = [
    [{"status": 429, "retryAfter": 1}],
    [{"status": 503}],
    [{"status": 503, "after": "commit"}],
    [{"after": "commit"}],
]


def fill(peer: Peer, days: int = 25) -> None:
    for day in range(days):
        when = f"{SINCE + timedelta(days=day)}T20:00:00+01:00"
        peer.put(rating(f"r{day}", when, day % 11))


def values(peer: Peer, **options: Any) -> list[float]:
    site = peer.ehr(**options)
    record = site.read_symptoms("p1", since=SINCE, until=UNTIL)
    site.close()
    return [entry.value for series in record.series for entry in series.entries]


EXPECTED = [float(day % 11) for day in range(25)]


def test_symptoms_are_read(peer: Peer) -> None:
    stray = observation(id="o2", subject={"reference": "Patient/p2"})
    for resource in (observation(), rating("r", "2026-02-01", 4), safety("s"), stray):
        peer.put(resource)
    peer.put(diary("d"))
    peer.put(observation(id="o3", status="entered-in-error"))
    site = peer.ehr()
    record = site.read_symptoms("p1", since=SINCE, until=UNTIL)
    site.close()
    keys = [series.scale.key for series in record.series]
    assert keys == ["diary:cheerful", "mood-0-10", "phq9"]
    assert [answer.value for answer in record.safety] == [1.0]
    assert [r.reason for r in record.refused] == [Reason.ENTERED_IN_ERROR]


def test_small_pages_lead_to_everything(peer: Peer) -> None:
    fill(peer)
    peer.admin("faults", {"maxCount": 10})
    assert values(peer) == EXPECTED


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retryAfter": 1},
        {"status": 503},
        {"status": 401},
        {"after": "commit"},
    ],
)
def test_a_fault_within_the_pages_is_overcome(
    peer: Peer, fault: dict[str, Any]
) -> None:
    fill(peer)
    peer.admin("faults", {"maxCount": 10})
    site = peer.ehr()
    pages = site.client.search("Observation", {"patient": "p1", "_count": "10"})
    first = next(pages)
    peer.fail_next(fault)  # the first page is here, the second is not asked for yet
    found = [first, *pages]
    assert len({resource["id"] for resource in found}) == len(found) == len(EXPECTED)
    peer.fail_next(fault)
    assert values(peer) == EXPECTED
    site.close()


def test_throttling_is_waited_out(peer: Peer) -> None:
    fill(peer, days=12)
    peer.admin("faults", {"maxCount": 3, "ratePerSecond": 2})
    assert values(peer) == EXPECTED[:12]


def test_a_token_that_ends_between_pages_is_a_refusal(peer: Peer) -> None:
    fill(peer)
    peer.admin("faults", {"maxCount": 10, "token": "abc"})
    assert values(peer, token="abc") == EXPECTED
    site = peer.ehr(token="abc")
    pages = site.client.search("Observation", {"patient": "p1"})
    next(pages)
    peer.admin("faults", {"token": "another"})
    with pytest.raises(EhrRefused) as caught:
        list(pages)
    assert caught.value.status == 401
    site.close()


class Changed:
    """A token that somebody changes when it is refused, and nothing before."""

    def __init__(self) -> None:
        self.text = "abc"

    def current(self) -> str:
        return self.text

    def renew(self, rejected: str) -> str:
        assert rejected == "abc"
        self.text = "another"
        return self.text


def test_a_token_that_ends_between_pages_is_renewed(peer: Peer) -> None:
    fill(peer)
    peer.admin("faults", {"maxCount": 10, "token": "abc"})
    site = peer.ehr(token=Changed())
    pages = site.client.search("Observation", {"patient": "p1"})
    first = next(pages)
    peer.admin("faults", {"token": "another"})
    assert len([first, *pages]) == len(EXPECTED)
    site.close()


def test_a_slow_server_is_unavailable_in_time(peer: Peer) -> None:
    peer.admin("faults", {"delayMs": 1500})
    site = peer.ehr(deadline_s=0.4)
    with pytest.raises(EhrUnavailable):
        site.read_symptoms("p1", since=SINCE, until=UNTIL)
    site.close()


@pytest.mark.parametrize("faults", WRITE_FAULTS)
@pytest.mark.parametrize("before", [0, 1, 3])
def test_whatever_fails_one_of_each_is_written(
    peer: Peer, faults: list[dict[str, Any]], before: int
) -> None:
    site = peer.ehr()
    fine = {"status": 503}  # uses up one try of an earlier step, nothing is written
    peer.fail_next(*[fine] * before, *faults)
    receipt = site.write_forecast(document())
    again = site.write_forecast(document())
    assert replace(receipt, created=False) == again
    assert [peer.total(kind) for kind in KINDS] == [1, 1, 1]
    site.close()


def test_search_lag_makes_no_second_copy(peer: Peer) -> None:
    peer.admin("faults", {"searchLagMs": 60_000})
    site = peer.ehr()
    first, second = (site.write_forecast(document()) for _ in range(2))
    assert first.observation == second.observation
    peer.admin("faults", {"searchLagMs": 0})
    assert [peer.total(kind) for kind in KINDS] == [1, 1, 1]
    site.close()


def test_several_instruments_share_one_device(peer: Peer) -> None:
    site = peer.ehr()
    for key in ("phq9", "mood-0-10", "stress-0-100"):
        other = replace(document(of=scale(key)), identifier=uuid4())
        site.write_forecast(other)
    assert [peer.total(kind) for kind in KINDS] == [1, 3, 3]
    site.close()


def test_what_is_written_passes_the_peers_validator(peer: Peer, tmp_path: Path) -> None:
    goldens = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(GOLDEN.glob("*.json"))
        if not path.stem.endswith("_out")
    ]
    assert len(goldens) >= 9
    file = tmp_path / "emitted.json"
    file.write_text(json.dumps(goldens), encoding="utf-8")
    assert peer.problems(file) == []
    broken = {**goldens[-1], "target": "nothing"}
    file.write_text(json.dumps(broken), encoding="utf-8")
    assert peer.problems(file) != []
