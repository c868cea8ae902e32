"""Links while the network does not answer, and while the service is switched off."""

from __future__ import annotations

import pytest

from backend import wiring
from backend.inference.guarded import GuardedServer
from backend.inference.triton import TritonFailed
from backend.predictions.link_network import NO_ANSWER, NONE_APPROVED
from backend.registry.models import Channel
from backend.registry.switches import switch
from backend.twin.errors import ModelUnavailable
from tests.inference.fake_servers import FakeRemote
from tests.inference.guards import SLOW
from tests.predictions import signals
from tests.predictions.signals import Silenced

ASKED = {"days": 60}
GONE = ModelUnavailable("gone")


@pytest.fixture
def models(published, network):
    """The published network, in place of sums."""
    return network


@pytest.fixture
def path(patient, ehr):
    ehr.record = signals.linked()
    return f"/api/v1/patients/{patient.pk}/correlations"


def without_network(api, path):
    answer = api.post(path, ASKED, format="json")
    assert answer.status_code == 201
    body = answer.json()
    assert body["models"] == [] and len(body["insights"]) == 1
    assert {pair["method"] for pair in body["pairs"]} == {"engine"}
    assert "simulated" not in body["disclaimer"]
    return body


@pytest.fixture
def behind_a_dead_remote():
    """What is asked where the remote server does not answer, at whatever it stands."""
    made = []

    def guarded(embedded):
        remote = FakeRemote()
        remote.golden = remote.answer = TritonFailed("m", "unavailable")
        made.append(GuardedServer(remote, embedded, probe_every_s=SLOW))
        return made[-1]

    yield guarded
    for server in made:
        server.close()


def test_the_same_weights_answer_in_process(api, path, network, behind_a_dead_remote):
    with wiring.use(models=behind_a_dead_remote(network)):
        answer = api.post(path, ASKED, format="json")
    body = answer.json()
    assert (answer.status_code, body["notices"]) == (201, [])
    assert body["pairs"][0]["method"] == "network"


def test_where_neither_answers_the_engine_does(api, path, behind_a_dead_remote):
    class Nobody(Silenced):
        def prepare(self, model, version):
            raise GONE

    with wiring.use(models=behind_a_dead_remote(Nobody(GONE))):
        assert without_network(api, path)["notices"] == [NO_ANSWER]


def test_the_engine_answers_alone_and_it_is_said(api, path):
    with wiring.use(models=Silenced(GONE)):
        body = without_network(api, path)
    assert body["notices"] == [NO_ANSWER]
    assert api.get(body["links"]["correlation"]).json() == body
    whole = api.post(path, ASKED, format="json")  # the network is back
    assert (whole.status_code, whole.json()["notices"]) == (201, [])
    assert whole.json()["pairs"][0]["method"] == "network"


def test_where_no_network_is_approved_that_is_said(api, path):
    Channel.objects.filter(model="biometric_correlation").delete()
    assert without_network(api, path)["notices"] == [NONE_APPROVED]


def test_switched_off_only_what_is_stored_is_read(api, path, ehr, audited):
    link = api.post(path, ASKED, format="json")["Location"]
    switch("correlation", on=False, actor="user:1", reason="looks wrong")
    asked = len(ehr.asked)
    audited()
    answer = api.post(path, ASKED, format="json")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:mindtwin:problem:service-off"
    assert "Retry-After" not in answer
    assert "looks wrong" not in answer.content.decode()
    assert (len(ehr.asked), audited()) == (asked, [("CORRELATE", "DENIED")])
    assert api.get(link).status_code == api.get(path).status_code == 200


def test_one_service_is_switched_off_without_the_other(api, path, patient):
    forecasts = f"/api/v1/patients/{patient.pk}/forecasts"
    switch("forecast", on=False, actor="user:1", reason="looks wrong")
    assert api.post(path, ASKED, format="json").status_code == 201
    switch("forecast", on=True, actor="user:1", reason="")
    switch("correlation", on=False, actor="user:1", reason="looks wrong")
    assert api.post(forecasts, {}, format="json").status_code == 201
