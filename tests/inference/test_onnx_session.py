from __future__ import annotations

import pytest

from backend.inference.onnx_session import session
from backend.twin.errors import ModelUntrusted
from tests.inference.tiny import failing_graph


def test_a_session_runs_and_what_does_not_load_is_refused() -> None:
    (found,) = session(failing_graph()).get_outputs()
    assert found.name == "y"
    with pytest.raises(ModelUntrusted, match=r"^model\.onnx does not load$"):
        session(b"nothing")
