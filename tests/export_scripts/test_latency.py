"""A graph asked, timed and weighed with the embedded server's settings."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import onnx

from export_scripts.latency import answers, serving
from export_scripts.onnx_export import Export

Make = Callable[..., Export]


def test_answers_come_in_order_whatever_the_batch(export_of: Make) -> None:
    export = export_of(rows=70)
    for batch in (1, 64, 100):
        found = answers(export.graph, export.cases, batch=batch)
        np.testing.assert_array_equal(found, export.expected)


def test_the_cards_figures_are_plain_and_positive(
    export_of: Make, repeating_graph: onnx.ModelProto
) -> None:
    found = serving(repeating_graph, export_of().cases)
    assert json.loads(json.dumps(found)) == found
    assert found["size_bytes"] == len(repeating_graph.SerializeToString())
    assert set(found["latency_ms"]) == {"1", "64"}
    for times in found["latency_ms"].values():
        assert 0 <= times["median"] <= times["p95"]
    assert "one thread" in found["machine"]
