from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.grpc.model_config_pb2 import ModelConfig

from backend.inference.config import (
    check_graph,
    check_request,
    read_config,
    served_versions,
)
from backend.twin.errors import ModelRefused, ModelUntrusted

TEXT = """
name: "two"
backend: "onnxruntime"
max_batch_size: 4
input [
  { name: "x" data_type: TYPE_FP32 dims: [ 3 ] },
  { name: "n" data_type: TYPE_INT64 dims: [ -1, 2 ] }
]
output [ { name: "y" data_type: TYPE_FP32 dims: [ 3 ] } ]
"""


@dataclass
class Tensor:
    """An input or output as ONNX Runtime would describe it."""

    name: str
    type: str
    shape: list[int | str | None]


X = Tensor("x", "tensor(float)", ["batch", 3])
N = Tensor("n", "tensor(int64)", [None, "days", 2])
Y = Tensor("y", "tensor(float)", ["batch", 3])
GOOD = {"x": np.zeros((2, 3), np.float32), "n": np.zeros((2, 5, 2), np.int64)}


def config(text: str = TEXT) -> ModelConfig:
    return text_format.Parse(text, ModelConfig())


def read(tmp_path: Path, text: str) -> ModelConfig:
    folder = tmp_path / "two"
    folder.mkdir()
    (folder / "config.pbtxt").write_text(text)
    return read_config(folder)


def test_a_config_is_read_as_triton_reads_it(tmp_path: Path) -> None:
    found = read(tmp_path, TEXT)
    assert (found.name, found.max_batch_size) == ("two", 4)
    assert [tensor.name for tensor in found.input] == ["x", "n"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name: two", "unreadable"),
        (TEXT.replace("dims: [ -1, 2 ]", "dimensions: 2"), "unreadable"),
        (TEXT.replace('name: "two"', 'name: "three"'), "another model"),
        (TEXT.replace("onnxruntime", "python"), "not for backend onnxruntime"),
        (TEXT.replace("TYPE_INT64", "TYPE_STRING"), "n has a type"),
        (TEXT.replace("TYPE_INT64", "99"), "n has a type"),
        (
            TEXT.replace("dims: [ -1, 2 ]", "dims: [2] reshape { shape: [1,2] }"),
            "sets reshape",
        ),
        (TEXT.replace("dims: [ -1, 2 ]", "dims: 2 optional: true"), "sets optional"),
    ],
)
def test_a_config_that_cannot_be_obeyed_is_refused(
    tmp_path: Path, text: str, why: str
) -> None:
    with pytest.raises(ModelUntrusted, match=f"two: .*{why}"):
        read(tmp_path, text)


WARM = 'model_warmup { name: "w" batch_size: %s inputs { key: "x" value { %s } } }'


@pytest.mark.parametrize(
    ("extra", "field"),
    [
        ("response_cache { enable: true }", "response_cache"),
        ("response_cache { }", "response_cache"),
        ('default_model_filename: "../../evil.onnx"', "default_model_filename"),
        ("sequence_batching { }", "sequence_batching"),
        ("optimization { cuda { graphs: true } }", "optimization"),
        ('model_operations { op_library_filename: "/tmp/e.so" }', "model_operations"),
        ('parameters { key: "x" value { string_value: "/" } }', "parameters"),
        ("model_transaction_policy { decoupled: true }", "model_transaction_policy"),
        ('platform: "tensorflow_savedmodel"', "platform"),
        ('runtime: "other.so"', "runtime"),
        ('cc_model_filenames { key: "8" value: "other.onnx" }', "cc_model_filenames"),
        ("model_repository_agents { agents { } }", "model_repository_agents"),
        ("instance_group { count: 1 gpus: [ 0 ] }", "gpus"),
        ("instance_group { host_policy: 'x' }", "host_policy"),
        ("dynamic_batching { priority_levels: 3 }", "priority_levels"),
        (WARM % (1, "data_type: TYPE_FP32 dims: 3 input_data_file: '/x'"), "input_d"),
        ('output { name: "z" label_filename: "/etc/passwd" }', "label_filename"),
    ],
)
def test_a_field_that_we_never_write_is_refused(
    tmp_path: Path, extra: str, field: str
) -> None:
    with pytest.raises(ModelUntrusted, match=f"^two: config.pbtxt sets {field}"):
        read(tmp_path, TEXT + extra)


@pytest.mark.parametrize(
    ("extra", "fits"),
    [
        ("instance_group { count: 2 kind: KIND_CPU }", True),
        ("instance_group { count: 65 }", False),
        ("dynamic_batching { preferred_batch_size: 4 }", True),
        ("dynamic_batching { max_queue_delay_microseconds: 1000000 }", True),
        ("dynamic_batching { max_queue_delay_microseconds: 1000001 }", False),
        ("version_policy { specific { versions: [ 1, 2 ] } }", True),
        (WARM % (4, "data_type: TYPE_FP32 dims: 3 zero_data: true"), True),
        (WARM % (5, "data_type: TYPE_FP32 dims: 3 zero_data: true"), False),
        (WARM % (1, "data_type: TYPE_FP32 dims: 1000000000 zero_data: true"), False),
    ],
)
def test_what_may_be_tuned_stays_within_bounds(
    tmp_path: Path, extra: str, fits: bool
) -> None:
    if fits:
        read(tmp_path, TEXT + extra)
        return
    with pytest.raises(ModelUntrusted, match=r"^two: config\.pbtxt asks for too much$"):
        read(tmp_path, TEXT + extra)


def test_a_config_without_end_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "config.pbtxt").symlink_to("/dev/zero")
    with pytest.raises(ModelUntrusted, match=r"config\.pbtxt is not a plain file"):
        read_config(tmp_path)


def test_a_config_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUntrusted, match=r"no config\.pbtxt"):
        read_config(tmp_path)
    (tmp_path / "config.pbtxt").write_bytes(b"\xff\xfe")
    with pytest.raises(ModelUntrusted, match="unreadable"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        ("", (7,)),
        ("latest { }", (7,)),
        ("latest { num_versions: 2 }", (3, 7)),
        ("latest { num_versions: 9 }", (1, 3, 7)),
        ("all { }", (1, 3, 7)),
        ("specific { versions: [ 7, 1, 5 ] }", (1, 7)),
        ("specific { }", ()),
    ],
)
def test_the_policy_says_which_versions_are_served(
    policy: str, served: tuple[int, ...]
) -> None:
    made = config(TEXT + (f"version_policy: {{ {policy} }}" if policy else ""))
    assert served_versions(made, [7, 1, 3]) == served


@given(st.sets(st.integers(1, 10**6)), st.integers(1, 12))
def test_latest_serves_the_highest_and_no_others(present: set[int], count: int) -> None:
    made = config(f"version_policy {{ latest {{ num_versions: {count} }} }}")
    served = served_versions(made, present)
    assert len(served) == min(count, len(present))
    assert all(left < min(served) for left in present - set(served))


@pytest.mark.parametrize("rows", [1, 4])
def test_a_request_that_fits_is_taken(rows: int) -> None:
    check_request(
        config(), {name: array[:1].repeat(rows, 0) for name, array in GOOD.items()}
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"z": GOOD["x"]}, "unexpected inference input 'z' for 'two'"),
        ({"n": None}, "expected 2 inputs but got 1"),
        ({"x": GOOD["x"].astype(np.float64)}, "is float64, model 'two' expects FP32"),
        ({"n": GOOD["n"].astype(np.int32)}, "is int32, model 'two' expects INT64"),
        ({"x": GOOD["x"][:, :2]}, r"Expected \[-1, 3\], got \[2, 2\]"),
        ({"x": GOOD["x"][0]}, r"Expected \[-1, 3\], got \[3\]"),
        ({"n": GOOD["n"][:, :, :1]}, r"Expected \[-1, -1, 2\], got \[2, 5, 1\]"),
        ({"x": GOOD["x"][:1]}, "batch sizes do not match"),
        ({name: array[:0] for name, array in GOOD.items()}, "batch-size must be <= 4"),
        (
            {name: array.repeat(3, 0) for name, array in GOOD.items()},
            "batch-size must be <= 4",
        ),
    ],
)
def test_a_request_that_does_not_fit_is_refused(
    change: dict[str, np.ndarray | None], why: str
) -> None:
    request = {n: a for n, a in {**GOOD, **change}.items() if a is not None}
    with pytest.raises(ModelRefused, match=why):
        check_request(config(), request)


def test_without_batching_the_dims_are_the_whole_shape() -> None:
    plain = config(TEXT.replace("max_batch_size: 4", "max_batch_size: 0"))
    check_request(plain, {"x": GOOD["x"][0], "n": GOOD["n"][0]})
    with pytest.raises(ModelRefused, match=r"Expected \[3\], got \[2, 3\]"):
        check_request(plain, GOOD)


def test_a_graph_that_agrees_may_have_an_output_more() -> None:
    check_graph(config(), [N, X], [Tensor("z", "tensor(bool)", []), Y])


@pytest.mark.parametrize(
    ("inputs", "outputs", "why"),
    [
        ([X], [Y], r"differ in inputs \['n'\]"),
        ([X, N, Tensor("m", "tensor(float)", [])], [Y], r"differ in inputs \['m'\]"),
        ([X, N], [], "no y in the graph"),
        ([X, N], [Tensor("y", "tensor(double)", ["b", 3])], "y is tensor"),
        ([X, N], [Tensor("y", "tensor(float)", ["b", 4])], r"y has shape \['b', 4\]"),
        ([X, N], [Tensor("y", "tensor(float)", [1, 3])], r"y has shape \[1, 3\]"),
        ([X, N], [Tensor("y", "tensor(float)", ["b", 3, 1])], "y has shape"),
    ],
)
def test_a_graph_that_disagrees_is_refused(
    inputs: list[Tensor], outputs: list[Tensor], why: str
) -> None:
    with pytest.raises(ModelUntrusted, match=f"two: .*{why}"):
        check_graph(config(), inputs, outputs)
