"""Which ONNX graphs we run at all, and Triton's configuration of one.

A graph is data until it asks for more: operators with code of their own, files outside
its folder, loops without an end. What is not on the list below is refused, unread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import onnx
from google.protobuf import text_format
from google.protobuf.message import DecodeError
from onnx import AttributeProto, TensorProto
from tritonclient.grpc.model_config_pb2 import ModelConfig, ModelInstanceGroup

from backend.inference.config import BACKEND
from backend.inference.sizes import check_sizes
from backend.twin.errors import ModelUntrusted

# What transformers, recurrent nets, convolutions, small classical models and their
# quantized forms need when torch or a tree converter writes them. Left out on purpose:
# Loop, If, Scan and SequenceMap (graphs inside graphs, without bounds in time) and
# everything random (an answer must repeat).
_PLAIN = """
    Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh Attention
    AveragePool BatchNormalization Cast CastLike Ceil Celu Clip Compress Concat
    Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum
    DepthToSpace DequantizeLinear Div Dropout DynamicQuantizeLinear Einsum Elu
    Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND
    Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual
    GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization IsInf
    IsNaN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax
    LpNormalization MatMul MatMulInteger Max MaxPool Mean MeanVarianceNormalization
    Min Mish Mod Mul Neg NonZero Not OneHot Or PRelu Pad Pow QLinearConv
    QLinearMatMul QuantizeLinear RMSNormalization RNN Range Reciprocal ReduceL1
    ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
    ReduceSum ReduceSumSquare Relu Reshape Resize RotaryEmbedding Round ScatterND
    ScatterElements Selu Shape Sigmoid Sign Sin Sinh Size Slice Softmax Softplus
    Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh ThresholdedRelu
    Tile TopK Transpose Trilu Unsqueeze Where Xor
"""
_CLASSICAL = """
    Binarizer Imputer LinearClassifier LinearRegressor Normalizer Scaler
    TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor
"""
ALLOWED = {
    "": frozenset(_PLAIN.split()),
    "ai.onnx.ml": frozenset(_CLASSICAL.split()),
}
_GRAPHS = {AttributeProto.GRAPH, AttributeProto.GRAPHS}
_SPARSE = {AttributeProto.SPARSE_TENSOR, AttributeProto.SPARSE_TENSORS}


def read_graph(content: bytes) -> onnx.ModelProto:
    """The graph in a file's bytes, once it is one that we run.

    Raises ModelUntrusted: no ONNX, or whatever `check_operators`, ONNX's own checker
    and `check_sizes` refuse.
    """
    try:
        graph = onnx.load_model_from_string(content)
    except (DecodeError, ValueError) as error:
        raise ModelUntrusted("model.onnx is no ONNX file") from error
    check_operators(graph)
    try:
        onnx.checker.check_model(graph, full_check=True)
    except (
        onnx.checker.ValidationError,
        onnx.shape_inference.InferenceError,
        ValueError,
    ) as error:
        # The checker's text quotes the graph at length: not passed on.
        raise ModelUntrusted("model.onnx is not valid ONNX") from error
    check_sizes(graph)
    return graph


def check_operators(graph: onnx.ModelProto) -> None:
    """Raise ModelUntrusted unless the graph is one file of operators on the list."""
    if graph.functions or graph.training_info or graph.graph.sparse_initializer:
        raise ModelUntrusted("functions, training and sparse weights are not served")
    for node in graph.graph.node:
        if node.op_type not in ALLOWED.get(node.domain, frozenset()):
            name = f"{node.domain or 'ai.onnx'}.{node.op_type}"
            raise ModelUntrusted(f"the operator {name:.60} is not on the list")
        if any(a.type in _GRAPHS | _SPARSE for a in node.attribute):
            raise ModelUntrusted(f"{node.op_type:.60} holds what is not served")
    if any(t.external_data or t.data_location for t in _tensors(graph)):
        raise ModelUntrusted("weights outside the file are not served")


def config_of(model: str, graph: onnx.ModelProto, *, max_batch: int) -> Any:
    """Triton's configuration of the graph, a ModelConfig; the same for every version.

    Raises ModelUntrusted for an input or output without an element type that Triton
    names, or with a size after the batch that is not fixed.
    """
    config = ModelConfig(name=model, backend=BACKEND, max_batch_size=max_batch)
    for tensor in graph.graph.input:
        config.input.add(**_described(tensor))
    for tensor in graph.graph.output:
        config.output.add(**_described(tensor))
    config.instance_group.add(count=1, kind=ModelInstanceGroup.KIND_AUTO)
    config.dynamic_batching.SetInParent()  # no delay: a single caller never waits
    warm_up = config.model_warmup.add(name="zeros", batch_size=1)
    for tensor in config.input:
        entry = warm_up.inputs[tensor.name]
        entry.data_type, entry.zero_data = tensor.data_type, True
        entry.dims.extend(tensor.dims)
    return config


def config_text(config: Any) -> str:
    """What stands in `config.pbtxt`."""
    return str(text_format.MessageToString(config))


_WIRE = {
    TensorProto.FLOAT16: "TYPE_FP16",
    TensorProto.FLOAT: "TYPE_FP32",
    TensorProto.DOUBLE: "TYPE_FP64",
    TensorProto.INT8: "TYPE_INT8",
    TensorProto.INT16: "TYPE_INT16",
    TensorProto.INT32: "TYPE_INT32",
    TensorProto.INT64: "TYPE_INT64",
    TensorProto.BOOL: "TYPE_BOOL",
}


def _described(tensor: Any) -> dict[str, Any]:
    kind = tensor.type.tensor_type
    dims = [dim.dim_value for dim in kind.shape.dim[1:]]
    if kind.elem_type not in _WIRE or not all(dims):
        raise ModelUntrusted(f"{tensor.name:.60} has a type or size that is not served")
    return {"name": tensor.name, "data_type": _WIRE[kind.elem_type], "dims": dims}


def _tensors(graph: onnx.ModelProto) -> Iterator[Any]:
    """Every stored tensor: weights, and constants in the nodes' attributes."""
    yield from graph.graph.initializer
    for node in graph.graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
