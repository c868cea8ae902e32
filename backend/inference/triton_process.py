"""NVIDIA's Triton from its wheel, as a process of ours on loopback.

For tests and for `manage.py triton`; production runs NVIDIA's image (docker/). It
serves the same repository through the stand-in in docker/triton.

The control key is an argument of the server, so every local user can read it in the
process list; where that matters, give a `ServerTls` as well.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from google.protobuf.json_format import MessageToJson
from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from backend.inference.catalogue import ModelVersion
from backend.inference.child_processes import children, tied_to_us
from backend.inference.config import read_config
from backend.inference.triton_wheel import STUB, TritonWheel
from backend.twin.errors import ModelUnavailable

ADMIN_HEADER = "triton-grpc-protocol-admin-key"
START_S = 30.0  # measured: 1 s on two cores
LOAD_S = 60.0  # measured: 1-2 s a version, most of it Python's own start
GRACE_S = 5.0  # from SIGTERM to SIGKILL
_LOOK_EVERY_S = 0.05
_ATTEMPTS = 3  # a port that was free may be taken before the server binds it
_RESTRICTED = "model-repository,model-config,shared-memory,trace,logging"


@dataclass(frozen=True, slots=True)
class ServerTls:
    """PEM files for mutual TLS: the server's own, and those of a client that loads."""

    certificate: Path
    key: Path
    root: Path
    client_certificate: Path
    client_key: Path


@dataclass(frozen=True, slots=True)
class TritonOptions:
    """How to start a server. Port 0 is any free one, kept over restarts.

    `venv` is the wheel's environment; `folder` takes backends and log. `models` are the
    versions to load, by model: Triton looks at no signature, so the caller does
    (`verified`). With `admin_key` only who knows it may load, unload and read
    configurations.
    """

    repository: Path
    venv: Path
    folder: Path
    models: Mapping[str, Sequence[int]]
    grpc_port: int = 0
    metrics_port: int = 0
    admin_key: str | None = None
    tls: ServerTls | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a key that the server's flag would cut short."""
        if self.admin_key and not re.fullmatch(r"[\w-]+", self.admin_key):
            raise ValueError("the admin key has other signs than letters, digits, - _")


class TritonProcess:
    """One server; a context manager that starts and stops it.

    Start it from a thread that lives as long as the server should.
    """

    def __init__(self, options: TritonOptions) -> None:
        self.options = options
        self.log = options.folder / "triton.log"
        self._ports = options.grpc_port, options.metrics_port
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The server's process id. Raises ModelUnavailable when it is not started."""
        if self._process is None:
            raise ModelUnavailable("Triton is not started")
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether the process is there; it may be frozen."""
        return self._process is not None and self._process.poll() is None

    @property
    def grpc_url(self) -> str:
        """Host and port for inference and control."""
        return f"127.0.0.1:{self._ports[0]}"

    @property
    def metrics_url(self) -> str:
        """Where Prometheus reads; plain HTTP on loopback, also under TLS."""
        return f"http://127.0.0.1:{self._ports[1]}/metrics"

    @property
    def headers(self) -> dict[str, str]:
        """What the control calls carry."""
        key = self.options.admin_key
        return {ADMIN_HEADER: key} if key else {}

    def start(self) -> None:
        """Start, wait until the server lives, and load the versions asked for.

        A server of before is stopped first. Raises ModelUnavailable with the log's last
        error when it does not live within START_S, or when it refuses a version.
        """
        self.stop()
        with contextlib.ExitStack() as otherwise:
            otherwise.callback(self.stop)
            self._come_up()
            for model, versions in self.options.models.items():
                self.load(model, versions)
            otherwise.pop_all()

    def stop(self) -> None:
        """End the server and its stubs, by force after GRACE_S; nothing is left."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        process.send_signal(signal.SIGCONT)  # frozen, it would not hear the first one
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=GRACE_S)
        with contextlib.suppress(ProcessLookupError):  # the stubs are of its group
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for region in Path("/dev/shm").glob(f"{self._name}*"):  # noqa: S108
            region.unlink(missing_ok=True)

    def load(self, model: str, versions: Sequence[int]) -> None:
        """Serve exactly these versions of a model.

        Raises ModelUnavailable when the server refuses; what it served before stays.
        """
        config = read_config(self.options.repository / model)
        config.name = model
        config.version_policy.specific.versions[:] = versions
        try:
            with contextlib.closing(self.client()) as client:
                client.load_model(
                    model,
                    headers=self.headers,
                    config=MessageToJson(config, preserving_proto_field_name=True),
                    client_timeout=LOAD_S,
                )
                # Triton passes over versions that are not there.
                for version in map(str, versions):
                    if not client.is_model_ready(model, version, client_timeout=LOAD_S):
                        raise ModelUnavailable(f"no '{model}' version {version}")
        except InferenceServerException as error:
            first = str(error.message()).partition("\n")[0]
            raise ModelUnavailable(f"Triton refuses '{model}': {first}") from error

    def client(self) -> InferenceServerClient:
        """A new client of this server, for tests; the caller closes it."""
        tls = self.options.tls
        return InferenceServerClient(
            self.grpc_url,
            ssl=tls is not None,
            root_certificates=str(tls.root) if tls else None,
            certificate_chain=str(tls.client_certificate) if tls else None,
            private_key=str(tls.client_key) if tls else None,
        )

    def stub_pids(self) -> dict[str, list[int]]:
        """The processes that run the models, by model: one for a version."""
        found: dict[str, list[int]] = {}
        for pid, words in children(self.pid):
            if words[0].endswith(STUB):  # its argument is <model>/<version>/<graph>
                found.setdefault(Path(words[1]).parts[-3], []).append(pid)
        return found

    @property
    def _name(self) -> str:
        """Tells this server from another one on its port, and its shared memory."""
        return f"mindtwin_{os.getpid()}_{self._ports[0]}_"

    def _come_up(self) -> None:
        asked = self._ports
        for _ in range(_ATTEMPTS):
            self._ports = asked[0] or _free_port(), asked[1] or _free_port()
            self._process = self._popen()
            if self._lives(self._process):
                return
            self.stop()
            if "already in use" not in self.log.read_text(errors="replace"):
                break
        self._ports = asked
        raise ModelUnavailable(f"Triton did not start: {self._last_error()}")

    def _popen(self) -> subprocess.Popen[bytes]:
        wheel = TritonWheel(self.options.venv)
        self.options.folder.mkdir(parents=True, exist_ok=True)
        wheel.lay_out_backends(self.options.folder / "backends")
        with self.log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - our own arguments
                tied_to_us([str(wheel.server), *self._flags()]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=wheel.environment(),
                start_new_session=True,  # Ctrl-C is for us; and a group to kill
            )

    def _flags(self) -> list[str]:
        flags = [
            f"--id={self._name}",
            f"--model-repository={self.options.repository}",
            f"--backend-directory={self.options.folder / 'backends'}",
            f"--backend-config=python,shm-region-prefix-name={self._name}",
            "--model-control-mode=explicit",
            "--disable-auto-complete-config",
            # Strictly, one refused candidate makes the whole server "not ready".
            "--strict-readiness=false",
            "--exit-timeout-secs=3",
            "--allow-http=false",
            "--grpc-address=127.0.0.1",
            f"--grpc-port={self._ports[0]}",
            "--metrics-address=127.0.0.1",
            f"--metrics-port={self._ports[1]}",
            "--allow-gpu-metrics=false",
        ]
        if key := self.options.admin_key:
            flags.append(f"--grpc-restricted-protocol={_RESTRICTED}:admin-key={key}")
        if tls := self.options.tls:
            flags += [
                "--grpc-use-ssl-mutual=true",
                f"--grpc-server-cert={tls.certificate}",
                f"--grpc-server-key={tls.key}",
                f"--grpc-root-cert={tls.root}",
            ]
        return flags

    def _lives(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until it answers by its name; never "ready", which depends on models."""
        deadline = time.monotonic() + START_S
        with contextlib.closing(self.client()) as client:
            while process.poll() is None and time.monotonic() < deadline:
                with contextlib.suppress(InferenceServerException):
                    told = client.get_server_metadata(client_timeout=1.0)
                    return bool(told.name == self._name)
                time.sleep(_LOOK_EVERY_S)
        return False

    def _last_error(self) -> str:
        """The last line of the log that tells of an error, without time and place."""
        lines = self.log.read_text(errors="replace").splitlines()
        errors = [line for line in lines if re.match(r"E\d|error|.*\berror\b", line)]
        told = (errors or lines or ["it said nothing"])[-1]
        return re.sub(r"^E\d+ [\d:.]+ \d+ \S+\] ", "", told)


def verified(versions: Iterable[ModelVersion]) -> dict[str, list[int]]:
    """Those of a catalogue that may be loaded, by model."""
    found: dict[str, list[int]] = {}
    for one in versions:
        if one.verified:
            found.setdefault(one.model, []).append(one.version)
    return found


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
