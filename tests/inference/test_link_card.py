"""The card of a network over pairs: closed as the others are, with its own figures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backend.inference.card import ForecastCard, LinkCard, read_card
from backend.twin.correlation.model_inputs import ANSWER, MODEL, OUTPUT
from backend.twin.errors import ModelUntrusted
from tests.versions import SHIPPED_MODELS, shipped_version

SCORES = {"auc": 0.9, "ece": 0.01, "log_score": 0.4, "ci90": 0.9, "lag90": 0.9}
FORECASTS_ONLY = ("beats_climatology", "calibration")


def link_card(**parts: Any) -> dict[str, Any]:
    name = "symptom_transformer"
    folder = SHIPPED_MODELS / name / str(shipped_version(name))
    made: dict[str, Any] = json.loads((folder / "card.json").read_text())
    for one in FORECASTS_ONLY:
        del made[one]
    figures = {"data": "simulated", "people": 9, "pairs": 90}
    answer = {"name": OUTPUT, "unit": "shares", "rows": "pairs"}
    return {
        **made,
        "model": MODEL,
        "output": {**answer, "columns": list(ANSWER)},
        "metrics": {**figures, "model": SCORES, "engine": SCORES},
        **parts,
    }


def test_the_model_says_which_card_it_is() -> None:
    assert isinstance(read_card(json.dumps(link_card()).encode()), LinkCard)
    with pytest.raises(ModelUntrusted, match="output"):
        read_card(json.dumps(link_card(model="another")).encode())
    assert not issubclass(LinkCard, ForecastCard)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"calibration": {}}, "calibration: Extra inputs"),
        ({"metrics": {}}, "metrics.data: Field required"),
        ({"output": {"name": OUTPUT}}, "output.unit: Field required"),
    ],
)
def test_a_forecasts_parts_are_none_of_it(parts: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelUntrusted, match=message):
        read_card(json.dumps(link_card(**parts)).encode())
