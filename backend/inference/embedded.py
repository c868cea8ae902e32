"""Models in this very process: ONNX Runtime obeying `config.pbtxt` as Triton would."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from onnxruntime.capi import onnxruntime_pybind11_state as ort_state

from backend.inference import onnx_session
from backend.inference.catalogue import GRAPH, ModelVersion, read_catalogue
from backend.inference.config import check_graph, check_request, served_versions
from backend.inference.fork_lock import ForkLock
from backend.inference.golden import CANARY_S, check_golden
from backend.inference.keys import SHIPPED
from backend.inference.known import Digests, Key, KnownVersions
from backend.twin.errors import ModelRefused, ModelUnavailable, ModelUntrusted
from backend.twin.ports import Arrays

_RUN_ERRORS = (ort_state.Fail, ort_state.InvalidArgument, ort_state.RuntimeException)


class EmbeddedServer:
    """A model server without a server; implements `twin.ports.ModelServer`.

    The repository is read at construction, and again when a version is asked for that
    was not there; a version's graph is loaded at its first use and kept. Threads may
    share one instance: a run takes no lock.
    """

    def __init__(
        self,
        repository: Path,
        *,
        versions: Mapping[str, Sequence[int]] | None = None,
        trusted: Iterable[Ed25519PublicKey | Path] = (SHIPPED,),
        digests: Digests | None = None,
    ) -> None:
        """`versions` says which to serve, by model, instead of the file's policy.

        `digests` are the graphs' sha256 as registered: a version with another graph is
        refused, and a registered one is served when asked for, whatever `versions`, the
        policy and `load` say: other processes move the channels, too.
        """
        places = tuple(trusted)  # read with each catalogue: a key may be added
        self._known = KnownVersions(
            lambda: read_catalogue(repository, trusted=places), digests=digests
        )
        self._override: dict[str, Collection[int]] = dict(versions or {})
        self._served = _served(self._known.refresh(), self._override)
        self._passed_over = {_key(one) for one in self.catalogue} - self._served.keys()
        self._sessions: dict[tuple[Key, str], ort.InferenceSession] = {}
        self._loading = ForkLock()

    @property
    def catalogue(self) -> tuple[ModelVersion, ...]:
        """Every version known to this process, served or not."""
        return self._known.all()

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
        return self._run(self._find(model, version), inputs, deadline)

    def canary(self, model: str, version: int) -> None:
        """Run the version's golden case; its answer came from the training framework.

        Raises ModelUntrusted where they differ by more than the card's tolerance, and
        whatever `infer` raises.
        """
        self._prove(self._find(model, version))

    def prepare(self, model: str, version: int) -> None:
        """Load the version's graph, so that its first call need not. Raises as that."""
        self._session(self._find(model, version))

    def load(self, model: str, versions: Collection[int]) -> None:
        """Serve exactly these versions of a model, read anew; each answers its case.

        All or nothing: raises ModelUnavailable or ModelUntrusted for the first version
        that is missing or not to be trusted, and serves what it served before.
        """
        found = {_key(one): one for one in self._known.proven(model, versions)}
        for one in found.values():
            self._prove(one)
        with self._loading:
            others = {k: v for k, v in self._served.items() if k[0] != model}
            self._override[model] = frozenset(versions)
            self._passed_over |= {_key(one) for one in self.catalogue}
            self._passed_over -= found.keys() | others.keys()
            self._served = others | found
            self._sessions = {
                k: v for k, v in self._sessions.items() if k[0] in self._served
            }

    def _run(
        self, found: ModelVersion, inputs: Arrays, deadline: float
    ) -> dict[str, np.ndarray]:
        model, version = _key(found)
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

    def _prove(self, found: ModelVersion) -> None:
        deadline = time.monotonic() + CANARY_S
        check_golden(found, lambda batch: self._run(found, batch, deadline))

    def _find(self, model: str, version: int) -> ModelVersion:
        found = self._served.get((model, version)) or self._look_again(model, version)
        if found is None:
            raise ModelUnavailable(
                f"Request for unknown model: '{model}' version {version} is not found"
            )
        return found

    def _look_again(self, model: str, version: int) -> ModelVersion | None:
        """A version that was published since, where the registry or the policy has it.

        Whoever asks, asks for this very number: never does it answer for another.
        """
        found = self._known.find(model, version)
        if found is None:
            return None
        wanted = self._known.named(model, version) or (
            _key(found) not in self._passed_over
            and _key(found) in _served(self.catalogue, self._override)
        )
        if not wanted:
            return None
        with self._loading:
            return self._served.setdefault(_key(found), found)

    def _session(self, found: ModelVersion) -> ort.InferenceSession:
        key = (_key(found), found.sha256)
        session = self._sessions.get(key)
        if session is None:
            with self._loading:  # one load at a time, and none twice
                session = self._sessions.get(key) or self._load(found)
                self._sessions[key] = session
        return session

    def _load(self, found: ModelVersion) -> ort.InferenceSession:
        self._known.check_registered(found)
        return _load(found)


def _key(found: ModelVersion) -> Key:
    return (found.model, found.version)


def _served(
    catalogue: Sequence[ModelVersion], override: Mapping[str, Collection[int]]
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
        session = onnx_session.session(graph)
    except ModelUntrusted as error:
        raise ModelUntrusted(f"{place}: {error}") from error
    check_graph(found.config, session.get_inputs(), session.get_outputs())
    return session


def _check_time(deadline: float, model: str) -> None:
    """Raise ModelUnavailable once the deadline (monotonic seconds) is over."""
    if time.monotonic() >= deadline:
        raise ModelUnavailable(f"'{model}' took too long")
