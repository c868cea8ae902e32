"""Signing in and out."""

from __future__ import annotations

import pytest
from knox.models import AuthToken
from rest_framework.test import APIClient

PASSWORD = "correct horse battery"


@pytest.fixture
def ada(clinician):
    clinician.set_password(PASSWORD)
    clinician.save()
    return clinician


def sign_in(client, **other):
    body = {"username": "ada", "password": PASSWORD, **other}
    return client.post("/api/v1/tokens", body, format="json")


def test_a_password_gives_a_token_that_opens_the_door(ada, anonymous, audited):
    audited()
    answer = sign_in(anonymous)
    assert answer.status_code == 201
    assert audited() == [("LOGIN", "SUCCESS")]
    anonymous.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert anonymous.get("/api/v1/patients").status_code == 200


def test_only_a_hash_of_the_token_is_kept(ada, anonymous):
    token = sign_in(anonymous).json()["token"]
    assert token not in {row.digest for row in AuthToken.objects.all()}


@pytest.mark.parametrize("wrong", [{"password": "no"}, {"username": "nobody"}])
def test_a_wrong_name_or_password_is_refused_and_recorded_once(
    ada, anonymous, audited, wrong
):
    audited()
    answer = sign_in(anonymous, **wrong)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")
    assert answer.json()["detail"] == "Wrong name or password."
    assert audited() == [("LOGIN", "DENIED")]
    assert not AuthToken.objects.exists()


def test_no_token_leaves_when_the_login_cannot_be_recorded(ada, anonymous, tmp_path):
    (tmp_path / "audit.anchor").write_bytes(b"spoilt")
    assert sign_in(anonymous).status_code == 503
    assert not AuthToken.objects.exists()


def test_a_returned_token_is_worthless(api, audited):
    audited()
    assert api.delete("/api/v1/tokens/current").status_code == 204
    assert audited() == [("LOGOUT", "SUCCESS")]
    assert api.get("/api/v1/patients").status_code == 401


def test_a_disabled_user_is_out_at_once(api, clinician):
    clinician.is_active = False
    clinician.save()
    assert api.get("/api/v1/patients").status_code == 401


@pytest.mark.parametrize("header", ["Token \xff\xfe", "Token", "Token a b", "Token x"])
def test_a_header_that_is_no_token_is_a_401(db, header):
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=header)
    assert client.get("/api/v1/patients").status_code == 401
