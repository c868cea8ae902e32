"""The straight line with the real Triton: its numbers are those made in process."""

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
from backend.twin.correlation.correlation_json import link_to_dict
from tests.triton import ADMIN_KEY
from tests.versions import SHIPPED_MODELS


@pytest.fixture
def remote(triton: TritonProcess) -> Iterator[TritonServer]:
    catalogue = read_catalogue(SHIPPED_MODELS, trusted=[SHIPPED])
    address = TritonAddress(triton.grpc_url, admin_key=ADMIN_KEY)
    server = TritonServer(address, catalogue=lambda: catalogue)
    yield server
    server.close()


def numbers(stored):
    """Of every link what can differ by rounding, and of all the rest the same."""
    told = [link_to_dict(one) for one in stored.report.links]
    close = [[one.pop(name) for name in ("p_link", "coefficient")] for one in told]
    return [*np.ravel(close), *np.ravel([one.pop("ci") for one in told])], told


def test_triton_and_this_process_give_one_answer(*, correlate, remote, audited):
    audited()
    there = correlate(models=remote)
    assert audited() == [("PULL", "SUCCESS"), ("CORRELATE", "SUCCESS")]
    (insight,) = there.report.insights
    assert (insight.link.method, there.notices) == ("network", ())
    Prediction.objects.all().delete()
    here = correlate()
    assert not here.reused
    (these, others), (those, same) = numbers(there), numbers(here)
    assert np.allclose(these, those, rtol=0, atol=1e-5) and others == same
    assert here.identifiers == there.identifiers


def test_what_triton_said_is_written_as_stored(correlate, remote, deliver, ehr):
    there = correlate(models=remote)
    assert deliver().delivered == 1
    ((identifier, document),) = ehr.links.items()
    assert [identifier] == list(there.identifiers.values())
    assert document.insight == there.report.insights[0]
    assert document.models == there.models


def test_an_installation_with_triton_asks_it_for_links(correlate, remote, network):
    with closing(GuardedServer(remote, network)) as server:
        stored = correlate(models=server)
        (use,) = stored.models
        assert server.calls == {(use.model, use.version, "triton", "ok"): 1}
