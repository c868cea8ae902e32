"""ONNX Runtime as MindTwin runs it, wherever it does: checked, served or measured."""

from __future__ import annotations

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_state

from backend.twin.errors import ModelUntrusted

LOAD_ERRORS = (
    ort_state.Fail,
    ort_state.InvalidArgument,
    ort_state.InvalidGraph,
    ort_state.InvalidProtobuf,
    ort_state.NoModel,
    ort_state.NotImplemented,
    ort_state.RuntimeException,
)


def session(content: bytes) -> ort.InferenceSession:
    """The graph, ready to run on one thread that sleeps when idle: callers decide how
    many run at once.

    Raises ModelUntrusted where ONNX Runtime does not load it.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 4  # errors reach us as exceptions
    try:
        return ort.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
    except LOAD_ERRORS as error:
        raise ModelUntrusted(f"model.onnx does not load{why(error)}") from error


def why(error: BaseException) -> str:
    """What to add where memory was the reason; the runtime's own text stays unsaid."""
    return ": it needs more memory" if "alloc" in str(error) else ""
