"""Models on a Triton server, by gRPC: the pinned version, a deadline, narrow errors.

A version is asked for only where it lies in our own catalogue, verified; the server is
believed only where its answer is what the version's configuration promises.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import numpy as np
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub

from backend.inference.catalogue import ModelVersion
from backend.inference.golden import CANARY_S, check_golden
from backend.inference.known import Digests, Key, KnownVersions
from backend.inference.wire import (
    Plan,
    answer_of,
    check_inputs,
    override_of,
    plan_of,
    request_of,
)
from backend.twin.errors import ModelUnavailable, ModelUntrusted
from backend.twin.ports import Arrays

CONTROL_S = 30.0  # loading starts a process and warms the model up
ALIVE_S = 1.0  # a living server says so in a millisecond
_READY = grpc.ChannelConnectivity.READY.value[0]
_ADMIN = "triton-grpc-protocol-admin-key"
_LARGEST = 64 * 2**20  # bytes of one message
_CHANNEL = (
    ("grpc.max_send_message_length", _LARGEST),
    ("grpc.max_receive_message_length", _LARGEST),
    ("grpc.use_local_subchannel_pool", 1),  # a new channel is a new connection
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),  # 2 minutes otherwise
)


@dataclass(frozen=True, slots=True)
class ClientTls:
    """PEM files: the authority that we believe, and who we are (mutual TLS)."""

    authority: Path
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class TritonAddress:
    """Where Triton answers gRPC (`host:port`), and the key to its control calls."""

    url: str
    tls: ClientTls | None = None
    admin_key: str | None = None


class TritonFailed(ModelUnavailable):
    """The server gave no usable answer; `status` is the word for how."""

    def __init__(self, model: str, status: str) -> None:
        self.status = status
        super().__init__(f"Triton gave no answer for '{model}': {status}")


class _Client(NamedTuple):
    """A channel keeps the threads and sockets of one process: never used by another."""

    channel: grpc.Channel
    stub: Any

    @property
    def ready(self) -> bool:
        """Whether it is connected; half a microsecond."""
        try:
            state = self.channel._channel.check_connectivity_state(try_to_connect=False)
        except ValueError:  # closed meanwhile
            return False
        return bool(state == _READY)


class TritonServer:
    """Implements `twin.ports.ModelServer`, and control over what is loaded.

    Threads may share it, and processes that fork inherit it: each makes a connection of
    its own at its first call.
    """

    def __init__(
        self,
        address: TritonAddress,
        *,
        catalogue: Callable[[], Sequence[ModelVersion]],
        digests: Digests | None = None,
    ) -> None:
        """`catalogue` reads the repository; `digests` are the graphs' as registered."""
        self._address = address
        self._known = KnownVersions(catalogue, digests=digests)
        self._plans: dict[Key, Plan] = {}
        self._clients: dict[int, _Client] = {}  # by process; a parent's is kept shut
        self._numbers = itertools.count(1)
        self._connection = 0

    def infer(
        self, model: str, version: int, inputs: Arrays, *, timeout_s: float
    ) -> dict[str, np.ndarray]:
        """Named arrays in, first axis is the batch; named arrays out.

        Raises ModelUnavailable (not in the catalogue, or as TritonFailed: no answer in
        time, or not one of this version), ModelRefused (the request does not fit) and
        ModelUntrusted (the version is not verified). What was checked here and is
        refused there is the server's failure: it holds another configuration.
        """
        plan = self._plans.get((model, version)) or self._plan(model, version)
        check_inputs(plan, inputs)
        if timeout_s <= 0:
            raise ModelUnavailable(f"'{model}' took too long")
        deadline = time.monotonic() + timeout_s
        response = self._call("ModelInfer", request_of(plan, inputs), timeout_s, model)
        if time.monotonic() > deadline:  # gRPC counts whole milliseconds
            raise TritonFailed(model, "deadline_exceeded")
        answer = answer_of(plan, response, inputs)
        if answer is None:
            raise TritonFailed(model, "malformed")
        return answer

    def canary(self, model: str, version: int, *, timeout_s: float = CANARY_S) -> None:
        """Ask for the version's golden case; `timeout_s` is for all of it.

        Raises ModelUntrusted where the answer differs, and whatever `infer` raises.
        """
        end = time.monotonic() + timeout_s
        check_golden(
            self._plan(model, version).found,
            lambda batch: self.infer(
                model, version, batch, timeout_s=end - time.monotonic()
            ),
        )

    def load(
        self, model: str, versions: Collection[int], *, timeout_s: float = CONTROL_S
    ) -> None:
        """Have exactly these versions of a model served; those served stay up.

        Raises ModelUnavailable (one is missing, or the server would not) and
        ModelUntrusted (one is not verified, or was overwritten).
        """
        found = self._known.proven(model, versions)
        if not found:
            self.unload(model, timeout_s=timeout_s)
            return
        request = pb.RepositoryModelLoadRequest(model_name=model)
        request.parameters["config"].string_param = override_of(found)
        self._call("RepositoryModelLoad", request, timeout_s, model)
        for one in found:  # the server passes over a version that it does not find
            if not self.ready(model, one.version):
                raise TritonFailed(model, "not loaded")

    def unload(self, model: str, *, timeout_s: float = CONTROL_S) -> None:
        """Serve no version of the model any more. Raises ModelUnavailable."""
        request = pb.RepositoryModelUnloadRequest(model_name=model)
        self._call("RepositoryModelUnload", request, timeout_s, model)

    def ready(self, model: str, version: int) -> bool:
        """Whether the server has it loaded; a dead model process goes unnoticed here.

        Only a canary tells whether it answers.
        """
        request = pb.ModelReadyRequest(name=model, version=str(version))
        try:
            return bool(self._call("ModelReady", request, ALIVE_S, model).ready)
        except ModelUnavailable:
            return False

    def states(self, model: str) -> dict[int, str]:
        """What the server says of each version it has seen: READY, LOADING, ..."""
        request = pb.RepositoryIndexRequest()
        index = self._call("RepositoryIndex", request, ALIVE_S, model)
        return {
            int(one.version): str(one.state)
            for one in index.models
            if one.name == model and one.version
        }

    @property
    def connection(self) -> int:
        """A number that changes with each loss of the connection.

        Behind another connection there may be another server, or other files. Channels
        tell only what state they are in, which is no public part of gRPC (`subscribe`
        tells too late, and its thread breaks forks); a lost one stays idle until the
        next call, so that whoever looks before each call misses none.
        """
        client = self._clients.get(os.getpid())
        if client is None or not client.ready:
            self._connection = next(self._numbers)
        return self._connection

    def alive(self) -> bool:
        """Whether the server answers at all, within a second."""
        try:
            request = pb.ServerLiveRequest()
            return bool(self._call("ServerLive", request, ALIVE_S, "").live)
        except ModelUnavailable:
            return False

    def reconnect(self) -> None:
        """Leave the connection to those who still wait on it; the next call makes one.

        To a machine that is gone, the old one would be tried for a quarter of an hour.
        Files of TLS are read again.
        """
        self._clients.pop(os.getpid(), None)

    def close(self) -> None:
        """Give this process' connection back; the next call would make a new one."""
        client = self._clients.pop(os.getpid(), None)
        if client:
            client.channel.close()

    def _plan(self, model: str, version: int) -> Plan:
        found = self._known.find(model, version)
        if found is None:
            raise ModelUnavailable(
                f"Request for unknown model: '{model}' version {version} is not found"
            )
        if not found.verified:
            raise ModelUntrusted(found.problem or "not verified")
        self._known.check_registered(found)
        return self._plans.setdefault((model, version), plan_of(found))

    def _call(self, name: str, request: Any, timeout_s: float, model: str) -> Any:
        """One call. The server's own words may quote a request: they end here."""
        client = self._clients.get(os.getpid()) or self._connect(model)
        key = self._address.admin_key
        control = key is not None and name.startswith("Repository")
        metadata = ((_ADMIN, key),) if control else None
        try:
            return getattr(client.stub, name)(
                request, timeout=timeout_s, metadata=metadata
            )
        except grpc.RpcError as error:
            status = error.code()
        except ValueError:  # closed meanwhile
            status = grpc.StatusCode.CANCELLED
        raise TritonFailed(model, status.name.lower())

    def _connect(self, model: str) -> _Client:
        """A connection for this process; made by the first call."""
        try:
            channel = _channel(self._address)
        except OSError:  # gone, or being exchanged
            raise TritonFailed(model, "tls") from None
        made = _Client(channel, GRPCInferenceServiceStub(channel))
        return self._clients.setdefault(os.getpid(), made)


def _channel(address: TritonAddress) -> grpc.Channel:
    if address.tls is None:
        return grpc.insecure_channel(address.url, options=_CHANNEL)
    parts = (address.tls.authority, address.tls.key, address.tls.certificate)
    pems = [path.read_bytes() if path else None for path in parts]
    credentials = grpc.ssl_channel_credentials(*pems)
    return grpc.secure_channel(address.url, credentials, options=_CHANNEL)
