"""NVIDIA's Triton as a process of ours."""

from __future__ import annotations

import numpy as np
import pytest
from tritonclient.grpc import InferInput

from backend.inference.triton_process import TritonProcess
from tests.triton import SHIPPED

MODELS = ("symptom_transformer", "symptom_xgboost")
VERSION = max(int(p.name) for p in (SHIPPED / MODELS[0]).iterdir() if p.is_dir())


@pytest.mark.parametrize("model", MODELS)
def test_triton_answers_the_golden_case(triton: TritonProcess, model: str) -> None:
    cases = np.load(SHIPPED / model / str(VERSION) / "golden.npz")
    rows = {n: cases[n][:7] for n in cases.files}
    inputs = []
    for name in (name for name in rows if name.startswith("in_")):
        tensor = InferInput(name[3:], list(rows[name].shape), "FP32")
        inputs.append(tensor.set_data_from_numpy(rows[name]))
    client = triton.client()
    answer = client.infer(model, inputs, model_version=str(VERSION), client_timeout=10)
    client.close()
    assert answer.get_response().model_version == str(VERSION)
    np.testing.assert_allclose(
        answer.as_numpy("quantiles"), rows["out_quantiles"], atol=1e-4
    )
