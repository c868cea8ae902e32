"""A stand-in for Triton's onnxruntime backend, for the Triton that pip can install.

NVIDIA's wheel carries the real server, and of its backends only the Python one. With
this folder beside it, that server serves a repository whose configurations say
`backend: "onnxruntime"` unchanged, so tests and laptops meet the real protocol, the
real batching and model control. Production runs NVIDIA's image, whose own backend has
this name; nothing of this folder goes there.

It runs in a virtual environment of its own and knows no other code of ours.
"""

import json
import os
import threading
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils
from onnxruntime.capi import onnxruntime_pybind11_state as ort_state

GRAPH = "model.onnx"
GRAPH_TYPES = {
    "TYPE_FP16": "tensor(float16)",
    "TYPE_FP32": "tensor(float)",
    "TYPE_FP64": "tensor(double)",
    "TYPE_INT8": "tensor(int8)",
    "TYPE_INT16": "tensor(int16)",
    "TYPE_INT32": "tensor(int32)",
    "TYPE_INT64": "tensor(int64)",
    "TYPE_BOOL": "tensor(bool)",
}
ORT_ERRORS = (
    ort_state.Fail,
    ort_state.InvalidArgument,
    ort_state.InvalidGraph,
    ort_state.InvalidProtobuf,
    ort_state.NoModel,
    ort_state.NoSuchFile,
    ort_state.NotImplemented,
    ort_state.RuntimeException,
)


class TritonPythonModel:
    """One version of one model; Triton names the class and its methods."""

    def initialize(self, args):
        """Load the graph; refuse it unless it is what the configuration says."""
        threading.Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
        self.config = json.loads(args["model_config"])
        self.place = f"{args['model_name']}/{args['model_version']}"
        folder = Path(args["model_repository"]) / args["model_version"]
        self.session = self._load(folder / GRAPH)
        self._check()
        self.batched = self.config["max_batch_size"] > 0
        self.inputs = [tensor["name"] for tensor in self.config["input"]]
        self.outputs = [tensor["name"] for tensor in self.config["output"]]

    def execute(self, requests):
        """Answer what Triton collected, in one run where the model takes batches."""
        groups = [requests] if self.batched else [[request] for request in requests]
        return [answer for group in groups for answer in self._answer(group)]

    def _load(self, path):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1  # the caller decides how many runs there are
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        options.log_severity_level = 4  # errors come as exceptions; no values in logs
        try:
            return ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except ORT_ERRORS as error:
            self._refuse(f"{GRAPH} does not load: {type(error).__name__}")

    def _refuse(self, why):
        raise pb_utils.TritonModelException(f"{self.place}: {why}") from None

    def _check(self):
        """Names, types and dimensions; every input of the graph must be configured."""
        inputs = {node.name: node for node in self.session.get_inputs()}
        outputs = {node.name: node for node in self.session.get_outputs()}
        different = inputs.keys() ^ {tensor["name"] for tensor in self.config["input"]}
        if different:
            self._refuse(
                f"graph and configuration differ in inputs {sorted(different)}"
            )
        for known, key in ((inputs, "input"), (outputs, "output")):
            for tensor in self.config[key]:
                if tensor["name"] not in known:
                    self._refuse(f"no {key} {tensor['name']} in the graph")
                self._check_tensor(tensor, known[tensor["name"]])

    def _check_tensor(self, tensor, node):
        name, said = tensor["name"], tensor["data_type"]
        if GRAPH_TYPES.get(said) != node.type:
            self._refuse(f"{name} is {node.type}, the configuration says {said}")
        batch = [-1] if self.config["max_batch_size"] > 0 else []
        shape = batch + [int(size) for size in tensor["dims"]]
        # A named dimension of the graph takes any size, a number only itself.
        fits = len(shape) == len(node.shape) and all(
            not isinstance(found, int) or found == size
            for found, size in zip(node.shape, shape, strict=True)
        )
        if not fits:
            self._refuse(f"{name} is {node.shape}, the configuration says {shape}")

    def _answer(self, requests):
        columns = [
            [
                pb_utils.get_input_tensor_by_name(request, name).as_numpy()
                for request in requests
            ]
            for name in self.inputs
        ]
        feed = {
            name: column[0] if len(column) == 1 else np.concatenate(column)
            for name, column in zip(self.inputs, columns, strict=True)
        }
        try:
            answers = self.session.run(self.outputs, feed)
        except ORT_ERRORS as error:
            # The graph's own words may quote values of the request: not passed on.
            failure = f"{self.place} failed: {type(error).__name__}"
            return [_failed(failure) for _ in requests]
        if len(requests) == 1:
            return [self._response(answers)]
        ends = np.cumsum([len(rows) for rows in columns[0]])[:-1]
        split = [np.split(answer, ends) for answer in answers]
        return [self._response(rows) for rows in zip(*split, strict=True)]

    def _response(self, arrays):
        pairs = zip(self.outputs, arrays, strict=True)
        return pb_utils.InferenceResponse(
            [pb_utils.Tensor(name, array) for name, array in pairs]
        )


def _end_with(server):
    """Without this a stub outlives a server that was killed, for ever (2.51)."""
    while os.getppid() == server:
        time.sleep(0.5)
    os._exit(1)


def _failed(text):
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(text))
