"""The card's schema: closed, and every refusal names its field in one line."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from backend.inference.card import Histogram, read_card
from backend.inference.source_attributes import SourceAttributes
from backend.twin.errors import ModelUntrusted
from tests.versions import SHIPPED_MODELS, shipped_version

MODEL = "symptom_transformer"


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    folder = SHIPPED_MODELS / MODEL / str(shipped_version(MODEL))
    found: dict[str, Any] = json.loads((folder / "card.json").read_text())
    return found


def said(card: dict[str, Any]) -> str:
    """What reading it says; nothing where it is read."""
    try:
        read_card(json.dumps(card).encode())
    except ModelUntrusted as refusal:
        return str(refusal)
    return ""


def test_a_shipped_card_is_read_as_it_is(shipped: dict[str, Any]) -> None:
    found = read_card(json.dumps(shipped).encode())
    assert json.loads(found.model_dump_json(exclude_none=True)) == shipped
    assert found.training.real_people == 0


def test_the_source_attributes_are_the_31() -> None:
    assert len(SourceAttributes.model_fields) == 31


def test_no_field_but_two_may_be_missing(shipped: dict[str, Any]) -> None:
    for name in shipped:
        rest = {key: value for key, value in shipped.items() if key != name}
        free = name in {"compression", "renewed"}
        assert said(rest) == ("" if free else f"card.json: {name}: Field required")


def test_no_source_attribute_may_be_missing(shipped: dict[str, Any]) -> None:
    for name in shipped["source_attributes"]:
        card = copy.deepcopy(shipped)
        del card["source_attributes"][name]
        assert said(card) == f"card.json: source_attributes.{name}: Field required"


def _feature(card: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = card["inputs"]["context"]["features"][3]
    return found


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda c: c.update(extra=1), "extra: Extra inputs are not permitted"),
        (lambda c: c.update(model="../up"), "model: "),
        (lambda c: c.update(version="3"), "version: "),
        (lambda c: c.update(version=2**31), "version: "),
        (lambda c: c.update(created="yesterday"), "created: "),
        (lambda c: c.update(inputs={}), "inputs: "),
        (lambda c: c.update(feature_schema_hash="abc"), "feature_schema_hash: "),
        (lambda c: c.update(approver="me"), "approver.Known: "),
        (lambda c: c.update(approver={"value": ""}), "approver.Known.value: "),
        (lambda c: _feature(c).pop("unit"), "inputs.context.features.3.unit: "),
        (lambda c: _feature(c).pop("range"), "inputs.context.features.3.range: "),
        (lambda c: _feature(c).update(range=[1, 1]), "the range is empty"),
        (lambda c: _feature(c).update(code="mine"), "inputs.context.features.3.code: "),
        (lambda c: c["metrics"]["model"].pop("mae_z"), "metrics.model.mae_z: "),
        (lambda c: c["metrics"].pop("intervals_95"), "metrics.intervals_95: "),
        (lambda c: c["training"].pop("data_sha256"), "training.data_sha256: "),
        (lambda c: c["parity"].update(tolerance=1.0), "parity.tolerance: "),
        (lambda c: c["histograms"].update(people=10), "histograms.people: "),
    ],
)
def test_a_bad_field_is_named_in_one_line(
    shipped: dict[str, Any], edit: Callable[[dict[str, Any]], object], says: str
) -> None:
    card = copy.deepcopy(shipped)
    edit(card)
    found = said(card)
    assert found.startswith("card.json: ")
    assert says in found
    assert "\n" not in found


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b'{"version": NaN}'])
def test_what_is_no_card_at_all_is_refused(content: bytes) -> None:
    with pytest.raises(ModelUntrusted, match=r"^card\.json: "):
        read_card(content)


def test_no_number_of_a_card_may_be_infinite(shipped: dict[str, Any]) -> None:
    card = copy.deepcopy(shipped)
    card["parity"]["max_abs"] = float("inf")
    assert "parity.max_abs" in said(card)


def _deep(levels: int) -> Any:
    found: Any = "deep"
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("odd", "says"),
    [
        (float("nan"), "a number is not finite"),
        (float("inf"), "a number is not finite"),
        ([{"a": -float("inf")}], "a number is not finite"),
        (2**63, "too large"),
        ("a\0b", "a text holds NUL"),
        ({"a\0b": 1}, "a text holds NUL"),
        ("\ud800", "card.json: "),
        (_deep(40), "nested too deeply"),
        (_deep(500), "card.json: "),
    ],
)
@pytest.mark.parametrize("part", ["metrics", "training", "compression", "renewed"])
def test_parts_that_may_say_more_say_what_a_database_keeps(
    shipped: dict[str, Any], part: str, odd: object, says: str
) -> None:
    card = copy.deepcopy(shipped)
    card[part] = {**(card.get(part) or {}), "more": odd}
    assert says in said(card)
    card[part]["more"] = {"sd": [0.5, 1], "by": "us"}
    assert said(card) == ""


def test_no_text_of_a_card_holds_what_postgresql_refuses(
    shipped: dict[str, Any],
) -> None:
    for name in ("licence", "intended_use"):
        assert "a text holds NUL" in said({**shipped, name: "a\0b"})


def test_a_card_that_is_nothing_but_brackets_is_refused() -> None:
    with pytest.raises(ModelUntrusted, match=r"^card\.json: "):
        read_card(b"[" * 200_000)


def test_more_problems_are_counted(shipped: dict[str, Any]) -> None:
    card = {**shipped, "model": "", "licence": ""}
    assert said(card).endswith("(and 1 more)")


@pytest.mark.parametrize(
    ("edges", "shares", "missing", "says"),
    [
        ([0.0, 0.0], [1.0], 0.0, "edges must rise"),
        ([0.0, 1.0], [0.5, 0.5], 0.0, "one share for each bin"),
        ([0.0, 1.0], [0.5], 0.0, "shares must sum to one"),
        ([0.0, 1.0], [1.5], 0.0, "less than or equal to 1"),
    ],
)
def test_a_histogram_must_be_whole(
    edges: list[float], shares: list[float], missing: float, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        Histogram(edges=edges, shares=shares, missing=missing)
    Histogram(edges=[0.0, 1.0], shares=[0.9], missing=0.1)
