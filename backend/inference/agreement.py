"""Card, twin and configuration must tell of the same arrays, column by column.

A graph knows no names: two columns that changed places would be served without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tritonclient.grpc.model_config_pb2 import DataType

from backend.inference.card import Card
from backend.twin import features
from backend.twin.correlation import model_inputs
from backend.twin.errors import ModelUntrusted
from backend.twin.pharmacogenomics import response_inputs
from backend.twin.trajectory import LEVELS

# The arrays of a forecast, column by column.
COLUMNS = {
    "history": features.HISTORY_FEATURES,
    "context": features.CONTEXT_FEATURES,
    "features": features.DAY_FEATURES,
    "anchor": tuple(f"q{level:g}" for level in LEVELS),
}
_INPUTS = {
    **features.INPUTS,
    model_inputs.MODEL: tuple(model_inputs.COLUMNS),
    response_inputs.MODEL: tuple(response_inputs.COLUMNS),
}
_WIRE = {
    "float16": "TYPE_FP16",
    "float32": "TYPE_FP32",
    "float64": "TYPE_FP64",
    "int32": "TYPE_INT32",
    "int64": "TYPE_INT64",
    "bool": "TYPE_BOOL",
}


class Schema(NamedTuple):
    """What the twin hands over to a model: hash, and columns of each array in order."""

    digest: str
    columns: Mapping[str, tuple[str, ...]]


def schema_of(model: str) -> Schema:
    """The twin's side; a model that it does not know may take what forecasts take."""
    if model == model_inputs.MODEL:
        return Schema(model_inputs.schema_hash(), model_inputs.COLUMNS)
    if model == response_inputs.MODEL:
        return Schema(response_inputs.schema_hash(), response_inputs.COLUMNS)
    return Schema(features.schema_hash(), COLUMNS)


def check_features(card: Card) -> None:
    """Raise ModelUntrusted unless the card's inputs are what the twin hands over.

    The schema's hash, and the names and their order, feature by feature.
    """
    twin = schema_of(card.model)
    if card.feature_schema_hash != twin.digest:
        raise ModelUntrusted("stale feature schema: the card's hash is not the twin's")
    wanted = _INPUTS.get(card.model, tuple(card.inputs))
    if tuple(card.inputs) != wanted:
        raise ModelUntrusted(f"inputs are not those of {card.model}: {wanted}")
    for name, given in card.inputs.items():
        if name not in twin.columns:
            raise ModelUntrusted(f"the twin has no input {name}")
        told = tuple(column.name for column in given.features)
        _check_columns(name, told, wanted=twin.columns[name])
        if card.histograms.arrays.get(name, {}).keys() != set(twin.columns[name]):
            raise ModelUntrusted(f"histograms of {name} are not those of its features")


def check_against(card: Card, config: Any) -> None:
    """Raise ModelUntrusted unless card and `config.pbtxt` tell of the same arrays."""
    configured = {tensor.name: tensor for tensor in config.input}
    if configured.keys() != card.inputs.keys():
        raise ModelUntrusted(
            f"the card's inputs are {sorted(card.inputs)}, "
            f"the configuration's {sorted(configured)}"
        )
    for name, given in card.inputs.items():
        dims, count = list(configured[name].dims), len(given.features)
        if dims[-1:] != [count]:
            raise ModelUntrusted(f"{name} is {dims} wide, the card names {count}")
        wire = DataType.Name(configured[name].data_type)
        if wire != _WIRE[given.dtype]:
            raise ModelUntrusted(f"{name} is {wire}, the card says {given.dtype}")
    if card.output.name not in {tensor.name for tensor in config.output}:
        raise ModelUntrusted(f"no output {card.output.name}")


def _check_columns(
    name: str, given: tuple[str, ...], *, wanted: tuple[str, ...]
) -> None:
    if given == wanted:
        return
    if sorted(given) == sorted(wanted):
        moved = [new for new, old in zip(given, wanted, strict=True) if new != old]
        raise ModelUntrusted(f"{name}: feature order differs from {moved[0]} on")
    raise ModelUntrusted(f"{name}: features are not the twin's")
