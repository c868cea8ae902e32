from __future__ import annotations

import pytest


@pytest.mark.parametrize("body", ["[" * 100_000, '{"username":' * 100_000, '{"a'])
def test_a_body_that_cannot_be_read_is_a_400(anonymous, body):
    answer = anonymous.post("/api/v1/tokens", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_a_day_before_any_record_is_a_400(api, patient):
    path = f"/api/v1/patients/{patient.pk}/forecasts"
    answer = api.post(path, {"as_of": "0001-01-01"}, format="json")
    assert answer.status_code == 400
    assert "as_of" in answer.json()["invalid"]
