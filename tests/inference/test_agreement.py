"""Card, twin and configuration tell of the same arrays, or the version is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from backend.inference.agreement import (
    COLUMNS,
    check_against,
    check_features,
    schema_of,
)
from backend.inference.card import Card, read_card
from backend.inference.config import read_config
from backend.twin import features
from backend.twin.correlation import model_inputs
from backend.twin.errors import ModelUntrusted
from backend.twin.features import INPUTS
from tests.versions import SHIPPED_MODELS, shipped_version

MODEL = "symptom_transformer"
Edit = Callable[[dict[str, Any]], object]


def card(model: str = MODEL, edit: Edit = lambda content: None) -> Card:
    folder = SHIPPED_MODELS / model / str(shipped_version(model))
    content = json.loads((folder / "card.json").read_text())
    edit(content)
    return read_card(json.dumps(content).encode())


@pytest.mark.parametrize("model", sorted(INPUTS))
def test_what_is_shipped_agrees(model: str) -> None:
    found = card(model)
    check_features(found)
    check_against(found, read_config(SHIPPED_MODELS / model))


def test_columns_are_as_wide_as_the_twins_arrays() -> None:
    """Every array that any model is given is described."""
    assert {name for names in INPUTS.values() for name in names} == COLUMNS.keys()


def test_another_schema_of_the_twin_makes_every_card_stale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(features, "TRANSFORMATION", 99)
    with pytest.raises(ModelUntrusted, match="stale feature schema"):
        check_features(card())


def _columns(content: dict[str, Any], name: str = "context") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = content["inputs"][name]["features"]
    return found


def _reverse_inputs(content: dict[str, Any]) -> None:
    content["inputs"] = dict(reversed(content["inputs"].items()))


def _unknown_input(content: dict[str, Any]) -> None:
    content["model"] = "another"
    content["inputs"]["steps"] = content["inputs"]["anchor"]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda c: _columns(c).reverse(), "feature order differs from own_q0.975 on"),
        (lambda c: _columns(c).pop(), "context: features are not the twin's"),
        (lambda c: _columns(c)[0].update(name="x"), "features are not the twin's"),
        (_reverse_inputs, "inputs are not those of symptom_transformer"),
        (lambda c: c["inputs"].pop("context"), "inputs are not those of"),
        (_unknown_input, "the twin has no input steps"),
        (
            lambda c: c["histograms"]["arrays"]["anchor"].pop("q0.5"),
            "histograms of anchor",
        ),
        (lambda c: c["histograms"]["arrays"].pop("anchor"), "histograms of anchor"),
    ],
)
def test_a_card_of_other_inputs_is_refused(edit: Edit, says: str) -> None:
    with pytest.raises(ModelUntrusted, match=says):
        check_features(card(edit=edit))


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda c: c["inputs"].pop("context"), "the card's inputs are"),
        (lambda c: _columns(c).pop(), r"context is \[44\] wide, the card names 43"),
        (
            lambda c: c["inputs"]["anchor"].update(dtype="int64"),
            "anchor is TYPE_FP32, the card says int64",
        ),
        (lambda c: c["output"].update(name="means"), "no output means"),
    ],
)
def test_a_card_of_another_configuration_is_refused(edit: Edit, says: str) -> None:
    with pytest.raises(ModelUntrusted, match=says):
        check_against(card(edit=edit), read_config(SHIPPED_MODELS / MODEL))


def test_another_service_has_a_schema_of_its_own() -> None:
    links = schema_of(model_inputs.MODEL)
    assert links.columns == model_inputs.COLUMNS
    assert links.digest == model_inputs.schema_hash()
    assert schema_of(MODEL).digest == features.schema_hash() != links.digest
