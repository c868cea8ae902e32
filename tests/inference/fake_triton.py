"""A server that speaks Triton's protocol and says what a test wants it to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc.service_pb2_grpc import (
    GRPCInferenceServiceServicer,
    add_GRPCInferenceServiceServicer_to_server,
)

SECRET = "77531"  # stands for what a server's words might quote of a request


def tiny_answer(request: Any, **changes: Any) -> Any:
    """What a good server says for the tiny model: y = 2 x + 1."""
    x = np.frombuffer(request.raw_input_contents[0], np.float32)
    y = 2 * x.reshape(request.inputs[0].shape) + 1
    answer = pb.ModelInferResponse(
        model_name=changes.get("model", request.model_name),
        model_version=changes.get("version", request.model_version),
    )
    for name in changes.get("names", ("y",)):
        answer.outputs.add(
            name=name,
            datatype=changes.get("datatype", "FP32"),
            shape=changes.get("shape", y.shape),
        )
        answer.raw_output_contents.append(changes.get("raw", y.tobytes()))
    return answer


class FakeTriton(GRPCInferenceServiceServicer):
    """`answer` makes the answers; a status in `fails` is given instead, by call."""

    def __init__(self) -> None:
        self.answer: Callable[[Any], Any] = tiny_answer
        self.fails: dict[str, grpc.StatusCode] = {}
        self.seen: list[tuple[str, Any, dict[str, str]]] = []
        self.url = ""

    def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._note("ModelInfer", request, context)
        return self.answer(request)

    def ModelReady(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._note("ModelReady", request, context)
        return pb.ModelReadyResponse(ready=request.version != "9")

    def ServerLive(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._note("ServerLive", request, context)
        return pb.ServerLiveResponse(live=True)

    def RepositoryModelLoad(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._note("RepositoryModelLoad", request, context)
        return pb.RepositoryModelLoadResponse()

    def RepositoryModelUnload(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._note("RepositoryModelUnload", request, context)
        return pb.RepositoryModelUnloadResponse()

    def RepositoryIndex(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._note("RepositoryIndex", request, context)
        answer = pb.RepositoryIndexResponse()
        for name, version, state in (
            ("tiny", "1", "READY"),
            ("tiny", "2", "UNAVAILABLE"),
            ("other", "3", "READY"),
            ("tiny", "", ""),
        ):
            answer.models.add(name=name, version=version, state=state)
        return answer

    def calls(self, name: str) -> list[Any]:
        """The requests of one kind, in order."""
        return [request for called, request, _ in self.seen if called == name]

    def _note(self, name: str, request: Any, context: Any) -> None:
        metadata = {key: str(value) for key, value in context.invocation_metadata()}
        self.seen.append((name, request, metadata))
        if name in self.fails:
            context.abort(self.fails[name], f"the server quotes {SECRET}")


@contextmanager
def fake_triton(
    credentials: grpc.ServerCredentials | None = None, port: int = 0
) -> Iterator[Any]:
    """A running fake; its `url` says where."""
    fake = FakeTriton()
    with ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool)
        add_GRPCInferenceServiceServicer_to_server(fake, server)
        place = f"127.0.0.1:{port}"
        port = (
            server.add_secure_port(place, credentials)
            if credentials
            else server.add_insecure_port(place)
        )
        fake.url = f"127.0.0.1:{port}"
        server.start()
        try:
            yield fake
        finally:
            server.stop(None).wait()
