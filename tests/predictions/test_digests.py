"""When two answers are the same answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.predictions.digests import digest_of_models, identifier
from backend.twin.trajectory import ModelUse

ONE = ModelUse("a", 1, "0" * 64, "production", 0.7)
TWO = ModelUse("b", 1, "1" * 64, "production", 0.3)


def test_the_order_of_models_does_not_count():
    assert digest_of_models([ONE, TWO]) == digest_of_models([TWO, ONE])


@pytest.mark.parametrize(
    "other", [{"version": 2}, {"sha256": "2" * 64}, {"weight": 0.6}, {"model": "c"}]
)
def test_version_weights_and_share_count(other):
    assert digest_of_models([ONE]) != digest_of_models([replace(ONE, **other)])


def test_the_channel_does_not_count():
    assert digest_of_models([ONE]) == digest_of_models([replace(ONE, channel="shadow")])


def test_an_equal_answer_has_an_equal_identifier(ask, patient):
    (item,) = ask().instruments
    again = identifier(patient, item.forecast, record_digest="r")
    assert again == identifier(patient, item.forecast, record_digest="r")
    assert again != identifier(patient, item.forecast, record_digest="s")


def test_a_fallback_is_another_answer_than_the_ensemble(ask, patient):
    (item,) = ask().instruments
    fallback = replace(item.forecast, models=(), method="climatology")
    assert identifier(patient, fallback, record_digest="r") != identifier(
        patient, item.forecast, record_digest="r"
    )
