"""Requests and answers as messages of Triton's gRPC protocol; no connection here."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.json_format import MessageToDict
from tritonclient.grpc import service_pb2 as pb

from backend.inference.catalogue import ModelVersion
from backend.inference.config import Wire, check_request, wires
from backend.twin.ports import Arrays

_FITTING = 256  # kept for each version; 64 sizes of a batch are usual


class Plan(NamedTuple):
    """All of a version that a call needs, worked out once."""

    found: ModelVersion
    version: str
    inputs: tuple[Wire, ...]
    outputs: tuple[Wire, ...]
    batched: bool
    fitting: set[Any]  # names, types and shapes that were found to fit


def plan_of(found: ModelVersion) -> Plan:
    """What the version's configuration means for every call."""
    config = found.config
    return Plan(
        found=found,
        version=str(found.version),
        inputs=wires(config, config.input),
        outputs=wires(config, config.output),
        batched=bool(config.max_batch_size),
        fitting=set(),
    )


def check_inputs(plan: Plan, inputs: Arrays) -> None:
    """Raise ModelRefused unless Triton would take these. What fits fits again: what is
    compared are names, types and shapes, and most calls are alike.
    """
    said = tuple((name, array.dtype, array.shape) for name, array in inputs.items())
    if said in plan.fitting:
        return
    check_request(plan.found.config, inputs)
    if len(plan.fitting) < _FITTING:
        plan.fitting.add(said)


def request_of(plan: Plan, inputs: Arrays) -> Any:
    """The message that asks this very version; `inputs` were checked before."""
    request = pb.ModelInferRequest(
        model_name=plan.found.model, model_version=plan.version
    )
    for name, datatype, _, _ in plan.inputs:
        array = inputs[name]
        request.inputs.add(name=name, datatype=datatype, shape=array.shape)
        request.raw_input_contents.append(array.tobytes())
    return request


def answer_of(
    plan: Plan, response: Any, inputs: Arrays
) -> dict[str, np.ndarray] | None:
    """The arrays of an answer; None unless it is this version's, whole and in shape."""
    contents = response.raw_output_contents
    tensors = {
        tensor.name: (tensor, raw)
        for tensor, raw in zip(response.outputs, contents, strict=False)
    }
    said = (response.model_name, response.model_version)
    whole = len(contents) == len(response.outputs) == len(plan.outputs)
    if said != (plan.found.model, plan.version) or not whole:
        return None
    rows = len(inputs[plan.inputs[0].name]) if plan.batched else None
    answer = {}
    for output in plan.outputs:
        array = _array(output, *tensors.get(output.name, (None, b"")), rows=rows)
        if array is None:
            return None
        answer[output.name] = array
    return answer


def override_of(found: Sequence[ModelVersion]) -> str:
    """A model's whole configuration as JSON, serving just these versions of it."""
    config = MessageToDict(found[0].config, preserving_proto_field_name=True)
    versions = [one.version for one in found]
    config["version_policy"] = {"specific": {"versions": versions}}
    return json.dumps(config)


def _array(
    output: Wire, tensor: Any, raw: bytes, *, rows: int | None
) -> np.ndarray | None:
    """An output as the configuration promises it, or None. A copy: ours to write to."""
    if tensor is None or tensor.datatype != output.datatype:
        return None
    shape = tuple(tensor.shape)
    wanted = output.shape if rows is None else (rows, *output.shape[1:])
    fits = (
        len(shape) == len(wanted)
        and all(size in (-1, found) for size, found in zip(wanted, shape, strict=True))
        and len(raw) == math.prod(shape) * output.dtype.itemsize
    )
    return np.frombuffer(raw, output.dtype).reshape(shape).copy() if fits else None
