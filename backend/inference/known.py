"""The versions a process knows of: read once, and again when somebody asks for more."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from backend.inference.catalogue import ModelVersion
from backend.inference.fork_lock import ForkLock
from backend.twin.errors import ModelUnavailable, ModelUntrusted

Read = Callable[[], Sequence[ModelVersion]]
Digests = Callable[[], Mapping[tuple[str, int], str]]
Key = tuple[str, int]

AGAIN_S = 1.0  # a catalogue is read again for an unknown version at most so often


class KnownVersions:
    """A catalogue that grows. What was verified once keeps its digest in this process.

    So a version that somebody overwrites can never take the place of the one that was
    proven: its files no longer fit the digest known here. Threads may share it.
    """

    def __init__(
        self,
        read: Read,
        *,
        digests: Digests | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`digests` are the graphs' sha256 as registered, by model and version."""
        self._read, self._digests, self._clock = read, digests, clock
        self._found: dict[Key, ModelVersion] = {}
        self._registered: set[Key] = set()
        self._lock = ForkLock()
        self._read_at = float("-inf")

    def all(self) -> tuple[ModelVersion, ...]:
        """Every version known now, by model and version."""
        found = dict(self._found)
        return tuple(found[key] for key in sorted(found))

    def find(self, model: str, version: int) -> ModelVersion | None:
        """The version, verified or not; None where no catalogue ever had it."""
        key = (model, version)
        if key not in self._found:
            with self._lock:
                late = self._clock() - self._read_at >= AGAIN_S
                if key not in self._found and late:
                    self._take(self._read())
                    self._read_at = self._clock()
        return self._found.get(key)

    def refresh(self) -> tuple[ModelVersion, ...]:
        """Read the catalogue now: what lies there, which may differ from `all`."""
        with self._lock:
            fresh = tuple(self._read())
            self._take(fresh)
        return fresh

    def proven(self, model: str, versions: Collection[int]) -> list[ModelVersion]:
        """These versions, read anew and still what they were when first seen.

        Raises ModelUnavailable (not there) and ModelUntrusted (not verified, another
        graph than before or than registered).
        """
        fresh = {(one.model, one.version): one for one in self.refresh()}
        return [self._proven(fresh, (model, number)) for number in sorted(versions)]

    def check_registered(self, found: ModelVersion) -> None:
        """Raise ModelUntrusted where the registry knows another graph by this number.

        Asks the registry once per version; what it has registered never changes.
        """
        key = (found.model, found.version)
        if self._digests is None or key in self._registered:
            return
        known = self._digests().get(key)
        if known is None:
            return
        if known != found.sha256:
            raise ModelUntrusted(
                f"{found.model}/{found.version}: not the graph that was registered"
            )
        self._registered.add(key)

    def named(self, model: str, version: int) -> bool:
        """Whether the registry has a digest of this version."""
        return self._digests is not None and (model, version) in self._digests()

    def _take(self, fresh: Sequence[ModelVersion]) -> None:
        """Add what is new, or verified at last; never replace what was proven."""
        for one in fresh:
            known = self._found.get((one.model, one.version))
            if known is None or not known.verified:
                self._found[one.model, one.version] = one

    def _proven(self, fresh: Mapping[Key, ModelVersion], key: Key) -> ModelVersion:
        found, place = fresh.get(key), f"{key[0]}/{key[1]}"
        if found is None:
            raise ModelUnavailable(f"{place} is not in the repository")
        if not found.verified:
            raise ModelUntrusted(found.problem or f"{place}: not verified")
        if found.sha256 != self._found[key].sha256:
            raise ModelUntrusted(f"{place}: overwritten by another graph")
        self.check_registered(found)
        return found
