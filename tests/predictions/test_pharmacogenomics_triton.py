"""Advice with the real Triton: its figures are those made in process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from backend.inference.catalogue import read_catalogue
from backend.inference.guarded import GuardedServer
from backend.inference.keys import SHIPPED
from backend.inference.triton import TritonAddress, TritonServer
from backend.inference.triton_process import TritonProcess
from backend.predictions.models import Prediction
from backend.registry.channels import needed
from backend.twin.pharmacogenomics.report_json import to_dict
from backend.twin.pharmacogenomics.response_inputs import Person
from tests.triton import ADMIN_KEY
from tests.versions import SHIPPED_MODELS

FIGURES = ("efficacy", "percentile", "confidence")
ILL = Person(severity=0.6, episode_months=6.0, failures=1)  # else it is too unsure


@pytest.fixture
def remote(triton: TritonProcess) -> Iterator[TritonServer]:
    catalogue = read_catalogue(SHIPPED_MODELS, trusted=[SHIPPED])
    address = TritonAddress(triton.grpc_url, admin_key=ADMIN_KEY)
    server = TritonServer(address, catalogue=lambda: catalogue)
    yield server
    server.close()


def figures(stored):
    """What of each answer can differ by rounding."""
    told = [one.response for one in stored.report.recommendations if one.response]
    assert told
    sides = [[effect.risk for effect in one.side_effects] for one in told]
    return np.ravel([[getattr(one, f) for f in FIGURES] for one in told]), sides


def words(stored):
    """All the rest of it."""
    told = to_dict(stored.report)
    for one in told["recommendations"]:
        one.pop("response")
    return told


def test_triton_and_this_process_give_one_answer(
    *, advise, published, network, remote, audited, deliver, ehr
):
    audited()
    there = advise(models=remote, person=ILL)
    assert audited() == [("PULL", "SUCCESS"), ("ADVISE", "SUCCESS")]
    assert deliver().failed == 0
    Prediction.objects.all().delete()
    here = advise(models=network, person=ILL)
    assert not here.reused and here.models == there.models
    for these, those in zip(figures(there), figures(here), strict=True):
        assert np.allclose(these, those, rtol=0, atol=1e-5)
    assert words(here) == words(there)
    assert here.identifiers == there.identifiers


def test_advice_outlives_a_server_that_is_down(advise, published, network, remote):
    whole = advise(models=remote, person=ILL)
    Prediction.objects.all().delete()
    nobody = TritonServer(
        TritonAddress("127.0.0.1:1", admin_key=ADMIN_KEY),
        catalogue=lambda: read_catalogue(SHIPPED_MODELS, trusted=[SHIPPED]),
    )
    with closing(GuardedServer(nobody, network, wanted=needed())) as guarded:
        again = advise(models=guarded, person=ILL)
    assert again.models == whole.models and words(again) == words(whole)
