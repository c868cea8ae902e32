"""Promotion and rollback while four callers ask: nobody notices but by the numbers."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.system.served import MODELS, Served, next_versions, quantiles, served
from tests.system.traffic import Answered, Traffic

if TYPE_CHECKING:
    from tests.system.conftest import Installation

REQUESTS = 1000
CHECKED = 12  # answers of each set of versions that are computed again


def promote(found: Served, versions: dict[str, int]) -> None:
    pairs = [f"{model}={version}" for model, version in versions.items()]
    found.installation.manage(
        "models", "promote", *pairs, "--approver", "tester", "--uncalibrated"
    )


def rollback_ms(found: Served) -> float:
    """What the rollback itself took, apart from starting Python."""
    said = found.installation.run("tests/system/roll_back.py", *MODELS).stdout
    return float(said)


def assert_the_same_numbers(found: Served, answers: list[Answered]) -> None:
    chosen = answers[:: max(1, len(answers) // CHECKED)][:CHECKED]
    for answer, known in zip(chosen, found.again(chosen), strict=True):
        for mine, theirs in zip(quantiles(answer), known, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_promotion_and_rollback_under_traffic_by_triton(
    installation: Installation, ehr_url: str, tmp_path: Path
) -> None:
    with served(installation, ehr_url, tmp_path, copies=12) as found:
        with Traffic(found.url, found.given, callers=4, rate=None) as traffic:
            traffic.wait_for(REQUESTS // 4)
            fresh = next_versions(found)
            promote(found, fresh)
            promoted = time.monotonic()
            traffic.wait_for(REQUESTS // 4)
            took_ms = rollback_ms(found)
            back = time.monotonic()
            traffic.wait_for(max(REQUESTS // 4, REQUESTS - len(traffic.answers)))
        answers = traffic.answers
        calls = found.calls()
        old = next(iter(answers)).versions
        failed = [one.body for one in answers if one.status != 201]
        assert not failed, f"{len(failed)} failed or were given twice: {failed[:3]}"
        assert len(answers) >= REQUESTS
        assert {key for key, n in calls.items() if n} == {("triton", "ok")}, calls
        assert {one.versions for one in answers} == {old, frozenset(fresh.items())}
        assert {one.versions for one in traffic.since(back)} == {old}
        assert took_ms < 1000
        assert all(
            channel == "production" and len(sha256) == 64
            for one in answers
            for *_, sha256, channel in one.uses
        )
        assert_the_same_numbers(found, [one for one in answers if one.versions == old])
        promote(found, fresh)
        new = [one for one in answers if one.versions == frozenset(fresh.items())]
        assert any(one.asked >= promoted for one in new)
        assert_the_same_numbers(found, new)
