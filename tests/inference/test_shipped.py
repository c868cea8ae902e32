from __future__ import annotations

from pathlib import Path

import pytest

from backend.inference.catalogue import latest_verified, read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.inference.keys import SHIPPED
from backend.twin import features
from backend.twin.ensemble import BATCH
from backend.twin.forecast import WEIGHTS

REPOSITORY = Path(__file__).resolve().parents[2] / "model_repository"


@pytest.fixture(scope="module")
def server() -> EmbeddedServer:
    return EmbeddedServer(REPOSITORY)


def test_every_published_version_verifies_with_a_shipped_key() -> None:
    problems = [one.problem for one in read_catalogue(REPOSITORY, trusted=(SHIPPED,))]
    assert problems
    assert set(problems) == {None}


@pytest.mark.parametrize("model", sorted(WEIGHTS))
def test_each_member_of_the_ensemble_is_alive_and_fits_the_twin(
    model: str, server: EmbeddedServer
) -> None:
    found = latest_verified(server.catalogue)[model]
    server.canary(model, found.version)
    assert found.config.max_batch_size >= BATCH
    assert found.card["feature_schema_hash"] == features.schema_hash()
    assert {tensor.name for tensor in found.config.input} == set(features.INPUTS[model])
    assert [tensor.name for tensor in found.config.output] == ["quantiles"]
