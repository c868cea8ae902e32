"""Whether what is served is what was published: files, channels, and known answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from backend import wiring
from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.inference import lifecycle
from backend.inference.catalogue import ModelVersion, read_catalogue
from backend.registry.services import available, exchanged, needed
from backend.twin.errors import ModelError

Say = Callable[[str], object]


def check_models(*, actor: str, thorough: bool, say: Say = lambda _: None) -> list[str]:
    """One line per problem; none: all is well. Leaves one audit row.

    `thorough` also does with every version what is done before publishing. `say` hears
    what is being looked at. Raises AuditUnavailable.
    """
    found = list(_problems(thorough=thorough, say=say))
    ledger.record(
        action=Action.VERIFY,
        actor=actor,
        outcome=Outcome.FAILED if found else Outcome.SUCCESS,
        purpose="HOPERAT",
        detail={"what": "models", "problems": len(found)},
    )
    return found


def _problems(*, thorough: bool, say: Say) -> Iterator[str]:
    say("reading the repository" + (", checking every version" if thorough else ""))
    repository, trusted = wiring.model_repository(), wiring.trusted()
    read = lifecycle.verify if thorough else read_catalogue
    versions = read(repository, trusted=trusted)
    yield from _files(versions)
    say("asking what is served, and for the known answers")
    try:
        yield from _served(versions)
    except ModelError as error:
        yield f"models are not served: {error}"


def _files(versions: Sequence[ModelVersion]) -> Iterator[str]:
    """Signatures and digests, and that what is registered still lies there."""
    for one in versions:
        if not one.verified:
            yield f"{one.model} version {one.version} does not verify: {one.problem}"
    for model, version in sorted(exchanged(versions)):
        yield f"{model} version {version} has other weights than were registered"
    there = {(one.model, one.version) for one in versions}
    for model, version in sorted(available() - there):
        yield f"{model} version {version} is registered, but not in the repository"


def _served(versions: Iterable[ModelVersion]) -> Iterator[str]:
    """That the served set is the channels' set, and that each answers as it should."""
    server, wanted = wiring.models(), needed()
    ready = getattr(server, "ready", None)  # in process there is nothing to ask
    for one in versions:
        if one.version in wanted.get(one.model, ()):
            problem = _answer(one.model, one.version)
            if problem:
                yield problem
            elif ready and not ready(one.model, one.version):
                yield f"{one.model} version {one.version} is not loaded on Triton"
        elif ready and ready(one.model, one.version):
            yield f"{one.model} version {one.version} is loaded, but in no channel"
    for model, version, _, why in getattr(server, "state", tuple)():
        if why != "ok" and version in wanted.get(model, ()):
            yield f"{model} version {version} is answered in process; Triton: {why}"


def _answer(model: str, version: int) -> str | None:
    try:
        wiring.models().canary(model, version)
    except ModelError as error:
        return f"{model} version {version} fails its known case: {error}"
    return None
