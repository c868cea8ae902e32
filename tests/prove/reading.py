"""Mutants through the parser and the reader: what came of them, and what went wrong."""

from __future__ import annotations

import gc
import logging
import os
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from backend.twin.errors import EhrMalformed
from backend.twin.record import Reason
from fhir_integration.dispatch import Context, Fact, concept_of, read_any
from fhir_integration.kinds.refused import Refused
from fhir_integration.reader import read_record
from fhir_integration.strict_json import Json, parse
from fhir_integration.subject import Subject
from tests.prove.mutations import Mutants
from tests.prove.odd import CANARY, CANARY_NUMBER, MEDICATION, PATIENT
from tests.prove.real import canaried

SINCE, UNTIL = date(1900, 1, 1), date(2100, 1, 1)
BATCH = 20  # resources of one record: enough to meet each other's copies
PAGE = os.sysconf("SC_PAGE_SIZE")
SECRETS = (CANARY.lower(), f"{CANARY_NUMBER:.0f}", str(CANARY_NUMBER))


@dataclass
class Outcome:
    """Counts of a run; `crashes` and `leaks` are places in our code, never data."""

    read: int = 0
    not_json: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    used: Counter[str] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)
    leaks: Counter[str] = field(default_factory=Counter)
    growth_mb: float = 0.0


class Ears(logging.Handler):
    """Hears every log record there is, and keeps those that quote a canary."""

    def __init__(self, leaks: Counter[str]) -> None:
        super().__init__(logging.DEBUG)
        self._leaks = leaks

    def emit(self, record: logging.LogRecord) -> None:
        if _quotes(self.format(record)):
            self._leaks[f"log: {record.name}"] += 1


def used_as(resource: Json) -> str:
    """The concept that the resource is used for as it is; empty if for none."""
    context = Context(Subject.at("", PATIENT), since=SINCE, until=UNTIL)
    results = read_any(canaried(resource), context).results
    found = (_word(result) for result in results if not isinstance(result, Refused))
    return next(found, "")


def read_mutants(
    mutants: Mutants, count: int, *, progress: Callable[[Outcome], None] | None = None
) -> Outcome:
    """Read `count` mutants; those that are no strict JSON are counted beside them."""
    done, root = Outcome(), logging.getLogger()
    ears = Ears(done.leaks)
    level = root.level
    root.addHandler(ears)
    root.setLevel(logging.DEBUG)
    before = 0.0
    try:
        while done.read < count:
            _read_batch(mutants, done)
            if done.read % (count // 10) == 0 or not before:
                before = before or _resident_mb()
                if progress is not None:
                    progress(done)
    finally:
        root.removeHandler(ears)
        root.setLevel(level)
    done.growth_mb = _resident_mb() - before
    return done


def _read_batch(mutants: Mutants, done: Outcome) -> None:
    lookup = {MEDICATION: mutants.one("Medication")[0]}
    context = Context(Subject.at("", PATIENT), since=SINCE, until=UNTIL, lookup=lookup)
    batch: list[Json] = []
    while len(batch) < BATCH:
        resource, names = mutants.one()
        parsed = _parsed(mutants.text(resource), done, names)
        if parsed is not None:
            batch.append(parsed)
            _guarded(done, names, lambda r=parsed: _count(read_any(r, context), done))
    _guarded(done, ("record",), lambda: _read_record(batch, done))
    done.read += len(batch)


def _parsed(raw: bytes, done: Outcome, names: tuple[str, ...]) -> Json | None:
    found: list[Json] = []
    try:
        _guarded(done, names, lambda: found.append(parse(raw)))
    except EhrMalformed as refusal:
        done.not_json[str(getattr(refusal, "fault", "unnamed"))] += 1
        if _quotes("".join(traceback.format_exception(refusal)) + repr(refusal)):
            done.leaks["parser"] += 1
    return found[0] if found else None


def _count(read: object, done: Outcome) -> None:
    for result in read.results:  # type: ignore[attr-defined]
        if isinstance(result, Refused):
            assert isinstance(result.reason, Reason)
            done.refused[str(result.reason)] += 1
            if _quotes(repr(result)):
                done.leaks["refused"] += 1
        else:
            done.used[_word(result)] += 1


def _read_record(batch: list[Json], done: Outcome) -> None:
    record = read_record(batch, ehr_patient=PATIENT, since=SINCE, until=UNTIL)
    assert record.digest
    if _quotes(repr({refusal.reason for refusal in record.refused})):
        done.leaks["record"] += 1


def _guarded(done: Outcome, names: tuple[str, ...], work: Callable[[], None]) -> None:
    """Do it; a crash is kept as its place, with the mutations that led there."""
    try:
        work()
    except EhrMalformed:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "prove" not in Path(frame.filename).parts]
        last = (ours or list(frames))[-1]
        place = f"{Path(last.filename).name}:{last.lineno} {last.name}"
        done.crashes[f"{type(error).__name__} at {place} after {names[0]}"] += 1


def _word(fact: Fact) -> str:
    return concept_of(fact).partition(":")[0]


def _quotes(text: str) -> bool:
    folded = text.lower()
    return any(secret in folded for secret in SECRETS)


def _resident_mb() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * PAGE / 2**20
