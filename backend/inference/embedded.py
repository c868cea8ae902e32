"""Models in this very process: ONNX Runtime obeying `config.pbtxt` as Triton would."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import onnxruntime as ort
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from onnxruntime.capi import onnxruntime_pybind11_state as ort_state

from backend.inference.catalogue import GOLDEN, GRAPH, ModelVersion, read_catalogue
from backend.inference.config import check_graph, check_request, served_versions
from backend.inference.keys import SHIPPED
from backend.twin.errors import ModelRefused, ModelUnavailable, ModelUntrusted
from backend.twin.ports import Arrays

CANARY_S = 30.0  # a golden case takes milliseconds; this only ends a hang

_LOAD_ERRORS = (
    ort_state.Fail,
    ort_state.InvalidArgument,
    ort_state.InvalidGraph,
    ort_state.InvalidProtobuf,
    ort_state.NoModel,
    ort_state.NotImplemented,
    ort_state.RuntimeException,
)
_RUN_ERRORS = (ort_state.Fail, ort_state.InvalidArgument, ort_state.RuntimeException)


class EmbeddedServer:
    """A model server without a server; implements `twin.ports.ModelServer`.

    The repository is read once, at construction; a version's graph is loaded at its
    first use and kept. Threads may share one instance: a run takes no lock.
    """

    def __init__(
        self,
        repository: Path,
        *,
        versions: Mapping[str, Sequence[int]] | None = None,
        trusted: Iterable[Ed25519PublicKey | Path] = (SHIPPED,),
    ) -> None:
        """`versions` says which to serve, by model, instead of the file's policy."""
        self.catalogue = read_catalogue(repository, trusted=trusted)
        self._served = _served(self.catalogue, versions or {})
        self._sessions: dict[tuple[str, int], ort.InferenceSession] = {}
        self._loading = threading.Lock()

    def infer(
        self, model: str, version: int, inputs: Arrays, *, timeout_s: float
    ) -> dict[str, np.ndarray]:
        """Named arrays in, first axis is the batch; named arrays out.

        A run cannot be cut short from outside without a thread to watch it, which would
        cost more than the run; so `timeout_s` is checked before and after, and a late
        answer is no answer. Loading, at first use, counts. Raises ModelUnavailable (not
        served, or too slow), ModelRefused (the request does not fit the configuration)
        and ModelUntrusted (digest, signature, card or graph do not agree).
        """
        deadline = time.monotonic() + timeout_s
        found = self._find(model, version)
        check_request(found.config, inputs)
        session = self._session(found)
        _check_time(deadline, model)
        names = [tensor.name for tensor in found.config.output]
        try:
            answers = session.run(names, dict(inputs))
        except _RUN_ERRORS as error:
            # The graph's own words may quote values of the request: not passed on.
            raise ModelRefused(
                f"'{model}' version {version} failed: {type(error).__name__}"
            ) from None
        _check_time(deadline, model)
        return dict(zip(names, answers, strict=True))

    def canary(self, model: str, version: int) -> None:
        """Run the version's golden case; its answer came from the training framework.

        Raises ModelUntrusted where they differ by more than the card's tolerance, and
        whatever `infer` raises.
        """
        found = self._find(model, version)
        inputs, expected, tolerance = _golden(found)
        step = found.config.max_batch_size or len(next(iter(inputs.values())))
        for start in range(0, len(next(iter(inputs.values()))), step):
            rows = slice(start, start + step)
            batch = {name: array[rows] for name, array in inputs.items()}
            answer = self.infer(model, version, batch, timeout_s=CANARY_S)
            for name, known in expected.items():
                if not _close(answer.get(name), known[rows], tolerance):
                    raise ModelUntrusted(
                        f"'{model}' version {version}: golden case differs in {name}"
                    )

    def _find(self, model: str, version: int) -> ModelVersion:
        found = self._served.get((model, version))
        if found is None:
            raise ModelUnavailable(
                f"Request for unknown model: '{model}' version {version} is not found"
            )
        return found

    def _session(self, found: ModelVersion) -> ort.InferenceSession:
        key = (found.model, found.version)
        session = self._sessions.get(key)
        if session is None:
            with self._loading:  # one load at a time, and none twice
                session = self._sessions.get(key) or _load(found)
                self._sessions[key] = session
        return session


def _served(
    catalogue: Sequence[ModelVersion], override: Mapping[str, Sequence[int]]
) -> dict[tuple[str, int], ModelVersion]:
    """The versions to serve; the policy counts folders, trusted or not, as Triton does.

    So an untrusted newest version is refused when asked for; never does an older one
    take its place unasked.
    """
    present: dict[str, list[ModelVersion]] = {}
    for found in catalogue:
        present.setdefault(found.model, []).append(found)
    served: dict[tuple[str, int], ModelVersion] = {}
    for model, versions in present.items():
        numbers = [found.version for found in versions]
        chosen = override.get(model, served_versions(versions[0].config, numbers))
        served |= {(model, v.version): v for v in versions if v.version in chosen}
    return served


def _load(found: ModelVersion) -> ort.InferenceSession:
    """A session over the very bytes that were verified, and a graph that fits."""
    if not found.verified:
        raise ModelUntrusted(found.problem or "not verified")
    place = f"{found.model}/{found.version}"
    try:
        graph = (found.path / GRAPH).read_bytes()
    except OSError as error:
        raise ModelUntrusted(f"{place}: {GRAPH} is gone") from error
    if hashlib.sha256(graph).hexdigest() != found.sha256:
        raise ModelUntrusted(f"{place}: {GRAPH} was changed after it was verified")
    try:
        session = ort.InferenceSession(
            graph, _options(), providers=["CPUExecutionProvider"]
        )
    except _LOAD_ERRORS as error:
        raise ModelUntrusted(f"{place}: {GRAPH} does not load") from error
    check_graph(found.config, session.get_inputs(), session.get_outputs())
    return session


def _options() -> ort.SessionOptions:
    """One thread per run, asleep when idle: the caller decides how many run."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 4  # errors reach us as exceptions
    return options


def _check_time(deadline: float, model: str) -> None:
    """Raise ModelUnavailable once the deadline (monotonic seconds) is over."""
    if time.monotonic() >= deadline:
        raise ModelUnavailable(f"'{model}' took too long")


def _golden(
    found: ModelVersion,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], float]:
    """Inputs, expected outputs and the tolerance of a version's golden case."""
    if not found.verified:
        raise ModelUntrusted(found.problem or "not verified")
    try:
        with (
            (found.path / GOLDEN).open("rb") as file,
            np.load(file, allow_pickle=False) as arrays,
        ):
            inputs = {n[3:]: arrays[n] for n in arrays.files if n.startswith("in_")}
            outputs = {n[4:]: arrays[n] for n in arrays.files if n.startswith("out_")}
        tolerance = float(found.card["parity"]["tolerance"])
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise ModelUntrusted(
            f"{found.model}/{found.version}: no usable golden case"
        ) from error
    if not inputs or not outputs:
        raise ModelUntrusted(f"{found.model}/{found.version}: empty golden case")
    return inputs, outputs, tolerance


def _close(answer: Any, known: np.ndarray, tolerance: float) -> bool:
    return (
        answer is not None
        and answer.shape == known.shape
        and np.allclose(answer, known, rtol=0.0, atol=tolerance, equal_nan=True)
    )
