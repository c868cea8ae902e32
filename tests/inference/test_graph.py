"""Graphs on the list, and Triton's configuration of them."""

from __future__ import annotations

from collections.abc import Callable

import onnx
import pytest
from google.protobuf import text_format
from onnx import TensorProto, helper
from tritonclient.grpc.model_config_pb2 import ModelConfig

from backend.inference.config import read_config
from backend.inference.graph import (
    ALLOWED,
    check_operators,
    config_of,
    config_text,
    read_graph,
)
from backend.twin.errors import ModelUntrusted
from tests.inference.tiny import graph, slow_graph
from tests.versions import SHIPPED_MODELS, shipped_version


def tiny() -> onnx.ModelProto:
    return onnx.load_model_from_string(graph())


def test_a_plain_graph_is_read() -> None:
    assert read_graph(graph()) == tiny()


def test_every_operator_on_the_list_exists() -> None:
    for domain, names in ALLOWED.items():
        known = {s.name for s in onnx.defs.get_all_schemas() if s.domain == domain}
        assert names <= known


def external(model: onnx.ModelProto) -> None:
    entry = model.graph.initializer[0].external_data.add()
    entry.key, entry.value = "location", "../../keys/export.pem"


def external_in_a_node(model: onnx.ModelProto) -> None:
    node = helper.make_node("Constant", [], ["key"], value=TensorProto())
    node.attribute[0].t.data_location = TensorProto.EXTERNAL
    model.graph.node.insert(0, node)


def foreign(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Magic", ["x"], ["z"], domain="com.ex"))


def random(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("RandomNormalLike", ["x"], ["z"]))


def own_function(model: onnx.ModelProto) -> None:
    model.functions.add(name="f", domain="own")


def sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add()


def hidden_graph(model: onnx.ModelProto) -> None:
    model.graph.node[0].attribute.append(helper.make_attribute("body", model.graph))


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (external, "weights outside the file"),
        (external_in_a_node, "weights outside the file"),
        (foreign, r"com\.ex\.Magic is not on the list"),
        (random, r"ai\.onnx\.RandomNormalLike is not on the list"),
        (own_function, "functions, training and sparse weights"),
        (sparse, "functions, training and sparse weights"),
        (hidden_graph, "Mul holds what is not served"),
    ],
)
def test_a_graph_that_asks_for_more_is_refused(
    edit: Callable[[onnx.ModelProto], None], says: str
) -> None:
    model = tiny()
    edit(model)
    with pytest.raises(ModelUntrusted, match=says):
        check_operators(model)
    with pytest.raises(ModelUntrusted, match=says):
        read_graph(model.SerializeToString())


def test_a_loop_is_refused() -> None:
    with pytest.raises(ModelUntrusted, match=r"ai\.onnx\.Loop"):
        read_graph(slow_graph())


def test_what_is_no_graph_is_refused_without_its_words() -> None:
    with pytest.raises(ModelUntrusted, match=r"^model\.onnx is no ONNX file$"):
        read_graph(b"\xff secret")
    model = tiny()
    model.graph.node[0].input[0] = "secret"
    with pytest.raises(ModelUntrusted, match=r"^model\.onnx is not valid ONNX$"):
        read_graph(model.SerializeToString())


def test_the_configuration_is_the_graphs() -> None:
    config = config_of("tiny", tiny(), max_batch=64)
    assert text_format.Parse(config_text(config), ModelConfig()) == config
    assert (config.backend, config.max_batch_size) == ("onnxruntime", 64)
    assert [(t.name, list(t.dims)) for t in config.input] == [("x", [3])]
    assert [t.name for t in config.output] == ["y", "unused"]
    assert config.HasField("dynamic_batching")
    assert config.dynamic_batching.max_queue_delay_microseconds == 0
    assert config.model_warmup[0].inputs["x"].zero_data


@pytest.mark.parametrize("model", ["symptom_transformer", "symptom_xgboost"])
def test_the_shipped_configurations_are_what_would_be_generated(model: str) -> None:
    folder = SHIPPED_MODELS / model
    found = read_graph(
        (folder / str(shipped_version(model)) / "model.onnx").read_bytes()
    )
    made = config_of(model, found, max_batch=64)
    assert made == read_config(folder)
    assert config_text(made) == (folder / "config.pbtxt").read_text()


@pytest.mark.parametrize(
    ("kind", "shape"),
    [(TensorProto.INT64, ("batch", "free")), (TensorProto.BFLOAT16, ("batch", 3))],
)
def test_types_and_sizes_that_triton_cannot_be_told_are_refused(
    kind: int, shape: tuple[str | int, ...]
) -> None:
    model = tiny()
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", kind, shape))
    with pytest.raises(ModelUntrusted, match="x has a type or size"):
        config_of("tiny", model, max_batch=8)
