"""What a `config.pbtxt` promises, and refusing whatever breaks the promise.

The file is Triton's own model configuration. Both runtimes obey the same text, so the
rules here follow Triton's: which versions are served, what a request may look like, and
that the graph is what the configuration says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import DataType, ModelConfig

from backend.inference.plain import read_plain
from backend.twin.errors import ModelRefused, ModelUntrusted
from backend.twin.ports import Arrays

CONFIG = "config.pbtxt"
BACKEND = "onnxruntime"
_LIMIT = 1 << 20
_COPIES, _DELAY_US = 64, 1_000_000
_TENSOR = frozenset({"name", "data_type", "dims"})
# The file is not signed, and Triton is told all of it: what is not here (files to load,
# caches, sequences, other runtimes) is refused. By message, what may be set in it.
_FIELDS = {
    "ModelConfig": {
        *("name", "backend", "max_batch_size", "input", "output", "version_policy"),
        *("instance_group", "dynamic_batching", "model_warmup"),
    },
    "ModelInput": _TENSOR,
    "ModelOutput": _TENSOR,
    "ModelInstanceGroup": {"count", "kind"},
    "ModelDynamicBatching": {"preferred_batch_size", "max_queue_delay_microseconds"},
    "ModelWarmup": {"name", "batch_size", "inputs"},
    "Input": {"data_type", "dims", "zero_data", "random_data"},
    "ModelVersionPolicy": {"latest", "all", "specific"},
    "Latest": {"num_versions"},
    "All": set(),
    "Specific": {"versions"},
}


class _Type(NamedTuple):
    """One element type by its three names; `wire` is the name in Triton's protocol."""

    wire: str
    graph: str
    dtype: str


_TYPES = {
    f"TYPE_{wire}": _Type(wire, graph, dtype)
    for wire, graph, dtype in (
        ("FP16", "tensor(float16)", "float16"),
        ("FP32", "tensor(float)", "float32"),
        ("FP64", "tensor(double)", "float64"),
        ("INT8", "tensor(int8)", "int8"),
        ("INT16", "tensor(int16)", "int16"),
        ("INT32", "tensor(int32)", "int32"),
        ("INT64", "tensor(int64)", "int64"),
        ("BOOL", "tensor(bool)", "bool"),
    )
}


class GraphTensor(Protocol):
    """An input or output as ONNX Runtime describes it; a named dimension is free."""

    name: str
    type: str
    shape: Sequence[int | str | None]


def read_config(model_folder: Path) -> Any:
    """The model's configuration: a protobuf ModelConfig, which carries no Python types.

    Raises ModelUntrusted: missing, unreadable, for another model or another backend, or
    with a field that we never write.
    """
    name, config = model_folder.name, _parsed(model_folder)
    if config.name not in ("", name):
        raise ModelUntrusted(f"{name}: {CONFIG} names another model")
    if config.backend != BACKEND:
        raise ModelUntrusted(f"{name}: {CONFIG} is not for backend {BACKEND}")
    for field in _fields_beyond(config):
        raise ModelUntrusted(f"{name}: {CONFIG} sets {field}, which is not served")
    if not _modest(config):
        raise ModelUntrusted(f"{name}: {CONFIG} asks for too much")
    for tensor in (*config.input, *config.output):
        if _type_name(tensor) not in _TYPES:
            raise ModelUntrusted(f"{name}: {tensor.name} has a type unknown")
    return config


def _parsed(model_folder: Path) -> Any:
    name = model_folder.name
    try:
        text = read_plain(model_folder / CONFIG, limit=_LIMIT).decode("utf-8")
        return text_format.Parse(text, ModelConfig())
    except ModelUntrusted as error:
        raise ModelUntrusted(f"{name}: {error}") from error
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise ModelUntrusted(f"{name}: unreadable {CONFIG}") from error


def _fields_beyond(message: Any) -> Iterator[str]:
    """The fields that are set here, or further in, and are not on the list."""
    allowed = _FIELDS[message.DESCRIPTOR.name]
    for field, value in message.ListFields():
        if field.name not in allowed:
            yield field.name
        elif field.message_type:
            for part in _parts(field, value):
                yield from _fields_beyond(part)


def _modest(config: Any) -> bool:
    """Whether copies, waiting and warming up stay within what serving needs."""
    dims = {tensor.name: list(tensor.dims) for tensor in config.input}
    return (
        all(group.count <= _COPIES for group in config.instance_group)
        and config.dynamic_batching.max_queue_delay_microseconds <= _DELAY_US
        and all(
            warm.batch_size <= max(config.max_batch_size, 1)
            and all(dims.get(n) == list(e.dims) for n, e in warm.inputs.items())
            for warm in config.model_warmup
        )
    )


def _parts(field: Any, value: Any) -> Iterable[Any]:
    """The messages in a field: one, several, or those by a name."""
    if field.message_type.GetOptions().map_entry:
        parts: Iterable[Any] = value.values()
        return parts
    return value if field.is_repeated else (value,)


def served_versions(config: Any, present: Collection[int]) -> tuple[int, ...]:
    """The versions that the policy serves of those present, ascending.

    Without a policy Triton serves the latest one, and so do we.
    """
    ordered = sorted(present)
    policy = config.version_policy
    match policy.WhichOneof("policy_choice"):
        case "all":
            return tuple(ordered)
        case "specific":
            return tuple(v for v in ordered if v in policy.specific.versions)
        case _:
            return tuple(ordered[-(policy.latest.num_versions or 1) :])


class Wire(NamedTuple):
    """A tensor as Triton's protocol names it; -1 in `shape` is any size."""

    name: str
    datatype: str
    dtype: np.dtype
    shape: tuple[int, ...]


def wires(config: Any, tensors: Iterable[Any]) -> tuple[Wire, ...]:
    """The configuration's inputs or outputs, the batch in front, as they travel."""
    return tuple(
        Wire(
            tensor.name,
            _TYPES[_type_name(tensor)].wire,
            np.dtype(_TYPES[_type_name(tensor)].dtype),
            tuple(_full_shape(config, tensor)),
        )
        for tensor in tensors
    )


def check_request(config: Any, inputs: Arrays) -> None:
    """Raise ModelRefused unless Triton would take these inputs for this model."""
    model = config.name
    expected = {tensor.name: tensor for tensor in config.input}
    for name in inputs:
        if name not in expected:
            raise ModelRefused(f"unexpected inference input '{name}' for '{model}'")
    if len(inputs) != len(expected):
        raise ModelRefused(
            f"expected {len(expected)} inputs but got {len(inputs)} for '{model}'"
        )
    for name, tensor in expected.items():
        _check_type(model, tensor, inputs[name])
        _check_shape(config, tensor, inputs[name])
    if config.max_batch_size:
        _check_batch(config, inputs)


def check_graph(
    config: Any, inputs: Sequence[GraphTensor], outputs: Sequence[GraphTensor]
) -> None:
    """Raise ModelUntrusted unless the graph is what the configuration says.

    Every graph input must be configured; an output may stay unused.
    """
    known = {tensor.name: tensor for tensor in inputs}
    missing = known.keys() ^ {tensor.name for tensor in config.input}
    if missing:
        raise ModelUntrusted(
            f"{config.name}: graph and {CONFIG} differ in inputs {sorted(missing)}"
        )
    known |= {tensor.name: tensor for tensor in outputs}
    for tensor in (*config.input, *config.output):
        found = known.get(tensor.name)
        if found is None:
            raise ModelUntrusted(f"{config.name}: no {tensor.name} in the graph")
        _check_tensor(config, tensor, found)


def _full_shape(config: Any, tensor: Any) -> list[int]:
    """Dimensions with the batch in front, which the file leaves out; -1 is any size."""
    batch = [-1] if config.max_batch_size else []
    return [*batch, *tensor.dims]


def _type_name(tensor: Any) -> str:
    known = DataType.DESCRIPTOR.values_by_number.get(tensor.data_type)
    return known.name if known else ""


def _check_type(model: str, tensor: Any, array: np.ndarray) -> None:
    wanted = _TYPES[_type_name(tensor)]
    if array.dtype != np.dtype(wanted.dtype):
        raise ModelRefused(
            f"inference input data-type for '{tensor.name}' is {array.dtype}, "
            f"model '{model}' expects {wanted.wire}"
        )


def _check_shape(config: Any, tensor: Any, array: np.ndarray) -> None:
    wanted = _full_shape(config, tensor)
    fits = array.ndim == len(wanted) and all(
        size in (-1, found) for size, found in zip(wanted, array.shape, strict=True)
    )
    if not fits:
        raise ModelRefused(
            f"unexpected shape for input '{tensor.name}' for model '{config.name}'. "
            f"Expected {wanted}, got {list(array.shape)}"
        )


def _check_batch(config: Any, inputs: Arrays) -> None:
    sizes = {len(array) for array in inputs.values()}
    if len(sizes) > 1:
        raise ModelRefused(f"input batch sizes do not match for '{config.name}'")
    if not 1 <= max(sizes, default=1) <= config.max_batch_size:
        raise ModelRefused(
            f"inference request batch-size must be <= {config.max_batch_size} "
            f"and at least 1 for '{config.name}'"
        )


def _check_tensor(config: Any, tensor: Any, found: GraphTensor) -> None:
    wanted = _TYPES[_type_name(tensor)]
    if found.type != wanted.graph:
        raise ModelUntrusted(
            f"{config.name}: {tensor.name} is {found.type}, {CONFIG} says {wanted.wire}"
        )
    shape = _full_shape(config, tensor)
    # A named or empty dimension of the graph takes any size, a number only itself.
    fits = len(found.shape) == len(shape) and all(
        not isinstance(size, int) or size == said
        for size, said in zip(found.shape, shape, strict=True)
    )
    if not fits:
        raise ModelUntrusted(
            f"{config.name}: {tensor.name} has shape {list(found.shape)}, "
            f"{CONFIG} says {shape}"
        )
