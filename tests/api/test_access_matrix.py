"""Every path of the API against every kind of caller."""

from __future__ import annotations

from itertools import product

import pytest

from backend.api.urls import urlpatterns
from backend.audit.models import AccessEvent
from backend.twin.record import PatientRecord
from tests.predictions import fakes

CALLERS = ("anonymous", "expired", "api", "other", "service", "elsewhere")
SIGNED_IN = {"api", "other", "service", "elsewhere"}
GRANTED = {"api", "service"}

# name of the path -> method, who may see patient data, what the others get
MATRIX = {
    "tokens": ("post", set(), {}, 400),
    "patients": ("get", GRANTED, dict.fromkeys(SIGNED_IN, 200), 401),
    "patient": ("get", GRANTED, dict.fromkeys(SIGNED_IN, 404), 401),
    "forecasts": ("get", GRANTED, dict.fromkeys(SIGNED_IN, 404), 401),
    "forecast": ("get", GRANTED, dict.fromkeys(SIGNED_IN, 404), 401),
    "correlations": ("get", GRANTED, dict.fromkeys(SIGNED_IN, 404), 401),
    "correlation": ("get", GRANTED, dict.fromkeys(SIGNED_IN, 404), 401),
    "patient-advice": ("get", GRANTED, dict.fromkeys(SIGNED_IN, 404), 401),
    "advice": ("get", GRANTED, dict.fromkeys(SIGNED_IN, 404), 401),
    "alerts": ("get", GRANTED, dict.fromkeys(SIGNED_IN, 200), 401),
    "acknowledge": ("post", GRANTED, dict.fromkeys(SIGNED_IN, 404), 401),
    "health": ("get", set(), {}, 200),
    "schema": ("get", set(), {}, 200),
    "docs": ("get", set(), {}, 200),
    # last, because it ends what the others need
    "current-token": ("delete", set(), dict.fromkeys(SIGNED_IN, 204), 401),
}
METHODS = ("get", "post", "put", "patch", "options", "head", "delete")


@pytest.fixture
def places(api, ehr, patient):
    """The path of each name, with a real patient, answer and alert in it."""
    ehr.record = PatientRecord(
        series=(fakes.diary(),), safety=(fakes.self_harm(fakes.LAST_DAY),)
    )
    root = "/api/v1"
    of_patient = f"{root}/patients/{patient.pk}"
    made = {}
    for service in ("forecasts", "correlations", "pharmacogenomics"):
        answer = api.post(f"{of_patient}/{service}", {}, format="json").json()
        made[f"{service}/<uuid:prediction_id>"] = f"{service}/{answer['id']}"
    (alert,) = api.get(f"{root}/alerts").json()
    made |= {"<uuid:patient_id>": str(patient.pk), "<uuid:alert_id>": alert["id"]}
    paths = {one.name: str(one.pattern) for one in urlpatterns}
    for pattern, value in made.items():
        paths = {name: path.replace(pattern, value) for name, path in paths.items()}
    assert not any("<" in path for path in paths.values())
    secrets = [value.rpartition("/")[2] for value in made.values()]
    return {name: f"{root}/{path}" for name, path in paths.items()}, secrets


def test_the_matrix_has_every_path():
    assert set(MATRIX) == {one.name for one in urlpatterns}


@pytest.mark.parametrize("caller", CALLERS)
def test_nobody_gets_what_is_not_theirs(caller, places, request):
    paths, secrets = places
    client = request.getfixturevalue(caller)
    for name, (method, granted, signed_in, otherwise) in MATRIX.items():
        answer = getattr(client, method)(paths[name])
        body = answer.content.decode()
        if caller in granted:
            assert answer.status_code == 200, name
            assert any(secret in body for secret in secrets), name
        else:
            assert answer.status_code == signed_in.get(caller, otherwise), name
            assert not any(secret in body for secret in secrets), name


@pytest.mark.parametrize("caller", CALLERS)
def test_no_other_method_opens_a_path(caller, places, request):
    paths, secrets = places
    client = request.getfixturevalue(caller)
    for name, method in product(MATRIX, METHODS):
        body = getattr(client, method)(paths[name]).content.decode()
        if caller not in MATRIX[name][1]:
            assert not any(secret in body for secret in secrets), (name, method)


@pytest.mark.parametrize("caller", ["anonymous", "expired"])
def test_a_caller_without_a_token_is_refused_and_recorded(caller, places, request):
    client = request.getfixturevalue(caller)
    guarded = {name: row[0] for name, row in MATRIX.items() if row[3] == 401}
    before = AccessEvent.objects.count()
    for name, method in guarded.items():
        answer = getattr(client, method)(places[0][name])
        assert answer["WWW-Authenticate"] == "Token", name
        row = AccessEvent.objects.latest("seq")
        assert (row.actor, row.outcome) == ("anonymous", "DENIED"), name
    assert AccessEvent.objects.count() == before + len(guarded)


@pytest.mark.parametrize("method", METHODS)
def test_no_method_is_refused_in_silence(method, anonymous, places):
    for name, row in MATRIX.items():
        if row[3] != 401:
            continue
        before = AccessEvent.objects.count()
        assert getattr(anonymous, method)(places[0][name]).status_code == 401, name
        left = AccessEvent.objects.order_by("seq")[before:]
        assert [(one.actor, one.outcome) for one in left] == [("anonymous", "DENIED")]
