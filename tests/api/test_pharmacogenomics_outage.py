"""Advice while no response model answers, and while the service is switched off."""

from __future__ import annotations

import pytest

from backend import wiring
from backend.inference.guarded import GuardedServer
from backend.inference.triton import TritonFailed
from backend.predictions.response_model import NO_ANSWER, NONE_APPROVED
from backend.registry.models import Channel
from backend.registry.switches import switch
from backend.twin.errors import ModelRefused, ModelUnavailable, ModelUntrusted
from tests.inference.fake_servers import FakeRemote
from tests.inference.guards import SLOW
from tests.predictions import treatments
from tests.predictions.treatments import GONE, Responder, slow

ASKED = {"medications": ["sertraline", "mirtazapine"]}


@pytest.fixture
def models(db):
    """The response model is in production and answers."""
    treatments.publish()
    return Responder()


@pytest.fixture
def path(patient, ehr):
    ehr.record = slow()
    ehr.persons = {"ehr-4711": treatments.PERSON}
    return f"/api/v1/patients/{patient.pk}/pharmacogenomics"


def without_model(api, path):
    answer = api.post(path, ASKED, format="json")
    assert answer.status_code == 201
    body = answer.json()
    assert body["models"] == []
    assert {one["response"] for one in body["medications"]} == {None}
    assert all(len(one["advice"]) >= 4 for one in body["medications"])
    assert body["medications"][0]["recommendation"]["action"] == "reduced_dosing"
    assert body["comparison"]["optimal_balance"] is None
    return body


@pytest.mark.parametrize(
    "error", [GONE, ModelRefused("odd"), ModelUntrusted("changed")], ids=repr
)
def test_sources_and_stops_answer_alone_and_it_is_said(api, path, error):
    with wiring.use(models=Responder(error)):
        body = without_model(api, path)
    assert body["notices"] == [NO_ANSWER]
    assert api.get(body["links"]["pharmacogenomics"]).json() == body
    whole = api.post(path, ASKED, format="json")  # the model is back
    assert (whole.status_code, len(whole.json()["models"])) == (201, 1)


def test_where_a_remote_is_dead_and_nothing_answers_in_process(api, path):
    class Nobody(Responder):
        def prepare(self, model, version):
            raise GONE

    remote = FakeRemote()
    remote.golden = remote.answer = TritonFailed("m", "unavailable")
    server = GuardedServer(remote, Nobody(GONE), probe_every_s=SLOW)
    with wiring.use(models=server):
        assert without_model(api, path)["notices"] == [NO_ANSWER]
    server.close()


@pytest.mark.parametrize("error", [ModelUntrusted("twice"), ModelUnavailable("gone")])
def test_a_repository_that_is_refused_takes_no_source_along(
    api, path, monkeypatch, error
):
    def refused():
        raise error

    monkeypatch.setattr(wiring, "models", refused)
    assert without_model(api, path)["notices"] == [NO_ANSWER]


def test_where_no_model_is_approved_that_is_said(api, path, registered):
    Channel.objects.filter(model="treatment_response").delete()
    assert without_model(api, path)["notices"] == [NONE_APPROVED]


def test_switched_off_only_what_is_stored_is_read(api, path, ehr, audited):
    link = api.post(path, ASKED, format="json")["Location"]
    switch("pharmacogenomics", on=False, actor="user:1", reason="looks wrong")
    asked = len(ehr.asked)
    audited()
    answer = api.post(path, ASKED, format="json")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:mindtwin:problem:service-off"
    assert "Retry-After" not in answer
    assert "looks wrong" not in answer.content.decode()
    assert (len(ehr.asked), audited()) == (asked, [("ADVISE", "DENIED")])
    assert api.get(link).status_code == api.get(path).status_code == 200


def test_one_service_is_switched_off_without_the_others(api, path, patient):
    for service in ("forecast", "correlation"):
        switch(service, on=False, actor="user:1", reason="looks wrong")
    assert api.post(path, ASKED, format="json").status_code == 201
