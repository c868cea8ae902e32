from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backend.inference.catalogue import latest_verified, read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.inference.keys import SHIPPED
from backend.twin import features
from backend.twin.ensemble import BATCH
from backend.twin.forecast import WEIGHTS
from tests.triton import copy_of_the_repository
from tests.versions import next_version, shipped_version

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


def test_tests_make_next_versions_that_differ_by_as_much_as_they_say(
    tmp_path: Path,
) -> None:
    """One after the other; each is whole, and its golden case is its own."""
    key = Ed25519PrivateKey.generate()
    repository, model = copy_of_the_repository(tmp_path), "symptom_xgboost"
    old = shipped_version(model)
    new = [next_version(repository, model, shift=s, key=key) for s in (0.5, 0.25)]
    assert new == [old + 1, old + 2]
    server = EmbeddedServer(
        repository,
        versions={model: [old, *new]},
        trusted=[SHIPPED, key.public_key()],
    )
    with np.load(repository / model / str(old) / "golden.npz") as case:
        inputs = {n[3:]: case[n][8:9] for n in case.files if n.startswith("in_")}
    answers = []
    for version in (old, *new):
        server.canary(model, version)
        found = server.infer(model, version, inputs, timeout_s=5)
        answers.append(found["quantiles"])
    np.testing.assert_allclose(answers[1] - answers[0], 0.5, atol=1e-5)
    np.testing.assert_allclose(answers[2] - answers[0], 0.75, atol=1e-5)
