"""The card of the response model: closed, and it cannot leave its label out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backend.inference.agreement import schema_of
from backend.inference.card import ResponseCard, read_card
from backend.inference.response_card import LABEL
from backend.twin.errors import ModelUntrusted
from backend.twin.pharmacogenomics import response_inputs
from tests.inference.test_link_card import link_card

SIDE_EFFECT = {"auc": 0.7, "ece": 0.01}
SCORES = {
    "auc": 0.65,
    "ece": 0.01,
    "log_score": 0.6,
    "side_effects": {"nausea": SIDE_EFFECT},
}
METRICS = {
    "label": LABEL,
    "real_world": {"auc_low": 0.6, "auc_high": 0.67, "source": "studies"},
    "data": "simulated",
    "people": 9,
    "model": SCORES,
    "drug_only": SCORES,
    "oracle": SCORES,
    "share_of_oracle": 0.9,
    "auc_gain": {"mean": 0.1, "low": 0.09, "high": 0.11},
}


def card(**changed: Any) -> bytes:
    """The card with figures changed, or left out where they are None."""
    metrics = {n: v for n, v in {**METRICS, **changed}.items() if v is not None}
    made = link_card(model=response_inputs.MODEL, metrics=metrics)
    return json.dumps(made).encode()


def test_the_model_says_which_card_it_is() -> None:
    assert isinstance(read_card(card()), ResponseCard)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"label": None}, "metrics.label: Field required"),
        ({"label": "trained on real outcomes"}, "metrics.label"),
        ({"real_world": None}, "metrics.real_world: Field required"),
        ({"oracle": None}, "metrics.oracle"),
        ({"share_of_oracle": None}, "metrics.share_of_oracle"),
        ({"model": {**SCORES, "side_effects": {}}}, "metrics.model.side_effects"),
        ({"model": {**SCORES, "auc": 1.5}}, "metrics.model.auc"),
        ({"auc_gain": {"mean": 0.1}}, "metrics.auc_gain.low"),
    ],
)
def test_what_is_missing_or_odd_refuses_the_card(
    changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelUntrusted, match=message):
        read_card(card(**changed))


def test_more_may_be_said() -> None:
    assert read_card(card(logistic=SCORES, confidence={"mean": 0.9}))


def test_its_schema_is_its_own() -> None:
    found = schema_of(response_inputs.MODEL)
    assert found.columns == response_inputs.COLUMNS
    assert found.digest == response_inputs.schema_hash()
