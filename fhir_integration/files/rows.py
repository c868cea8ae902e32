"""From a resource to what the spool keeps of it: words, hashes and counts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import orjson

from backend.twin.record import Reason
from fhir_integration.dispatch import Context, Fact, concept_of, read_any
from fhir_integration.files.containers import Found
from fhir_integration.files.medications import Around, Within
from fhir_integration.files.references import Key, References, Whose
from fhir_integration.files.scope import ALONE
from fhir_integration.files.spool import PartRow, ResourceRow, Spool, sortable
from fhir_integration.kinds.consent import Consented
from fhir_integration.kinds.refused import Refused
from fhir_integration.labels import is_restricted
from fhir_integration.observation import Answer, Reading
from fhir_integration.resource_types import R4_TYPES
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject
from fhir_integration.version_marks import TYPES

# Every resource is read as this patient's once it is known whose it is, so that the
# readers need not know how files refer to patients.
_ID = "whose"
_SUBJECT = Subject.at("", _ID)
_LINK = {"reference": f"Patient/{_ID}"}
_DIARY = "diary:"
UNREADABLE = "(not readable)"
UNNAMED = "(no type of FHIR)"
# What no reader used must not stand in for what one does.
_STRAYS = frozenset(
    {
        Reason.NOT_READ,
        Reason.NOT_FHIR,
        Reason.WRONG_VERSION,
        Reason.WRONG_TYPE,
        Reason.NO_PATIENT,
    }
)
_REMEMBERED = 10_000  # patients' hashes


class Rows:
    """Rows not yet written; `len` is their number, `parts` that of their parts.

    `stand_at` says where the next resources stand.
    """

    def __init__(
        self,
        spool: Spool,
        *,
        references: References,
        until: date,
        lookup: Mapping[str, Json],
        site_codes: Mapping[tuple[str, str], tuple[str, str]],
    ) -> None:
        self._spool, self._references, self._lookup = spool, references, lookup
        self._context = Context(
            _SUBJECT, until=until, lookup=lookup, site_codes=site_codes
        )
        self._around = Around(ALONE, "")  # what `_inside` was made for
        self._inside = self._context
        self._patients: dict[Key, bytes] = {}
        self._rows: list[tuple[ResourceRow, list[PartRow]]] = []
        self._faults: list[str] = []
        self._file = self._place = 0
        self.parts = 0

    def __len__(self) -> int:
        return len(self._rows)

    def stand_at(self, file: int, place: int) -> None:
        """What comes next stands in this file at this place."""
        self._file, self._place = file, place

    def take(self, found: Found) -> None:
        """Read one resource, whatever it holds."""
        reason = _objection(found)
        if reason is None:
            self._add(self._read(found))
        else:
            self._add(self._refused(_kind(found.resource), reason))

    def fault(self, fault: str) -> None:
        """A document that cannot be read counts as one resource."""
        self._faults.append(fault)
        self._add(self._refused(UNREADABLE, Reason.MALFORMED))

    def write(self) -> None:
        """Hand everything to the spool, within its transaction."""
        self._spool.add(self._rows)
        for fault in self._faults:
            self._spool.fault(self._file, fault)
        self._rows.clear()
        self._faults.clear()
        self.parts = 0

    def _add(self, row: tuple[ResourceRow, list[PartRow]]) -> None:
        self._rows.append(row)
        self.parts += len(row[1])

    def _refused(self, kind: str, reason: Reason) -> tuple[ResourceRow, list[PartRow]]:
        at = (b"", 0, self._file, self._place)
        row = ResourceRow(self._spool.word(kind), None, None, None, "", "", 0, *at)
        return row, [PartRow(None, self._spool.word(reason), None, None)]

    def _read(self, found: Found) -> tuple[ResourceRow, list[PartRow]]:
        resource = found.resource
        whose = self._references.whose(found)
        read = read_any(_about(resource, whose), self._context_around(found))
        parts = [
            self._part(one, content, is_known=whose is not None)
            for one, content in zip(read.results, read.content, strict=True)
        ]
        stray = _is_stray(read.results, is_known=whose is not None)
        hashed = self._spool.hashed
        row = ResourceRow(
            kind=self._spool.word(_kind(resource)),
            patient=None if whose is None else self._patient(whose.key),
            identity=hashed(read.identity) if read.identity and not stray else None,
            business=hashed(repr(read.business))
            if read.business and not stray
            else None,
            newness=sortable(read.newness),
            shape=_shape(read.results),
            used=sum(part.reason is None for part in parts),
            digest=_digest(resource, read.content),
            closes=_closes(resource, read.results),
            file=self._file,
            stands=self._place,
        )
        return row, parts

    def _context_around(self, found: Found) -> Context:
        """Inside a Bundle its own entries are found first."""
        scope, server = found.scope, found.server
        if not scope.by_name:
            return self._context
        if scope is not self._around.scope or server != self._around.server:
            self._around = Around(scope, server)
            lookup = Within(self._around, self._lookup)
            self._inside = replace(self._context, lookup=lookup)
        return self._inside

    def _part(
        self, result: Fact | Refused, content: tuple[str, ...], *, is_known: bool
    ) -> PartRow:
        if isinstance(result, Refused):
            reason = result.reason
            if reason is Reason.WRONG_PATIENT and not is_known:
                reason = Reason.NO_PATIENT
            return PartRow(None, self._spool.word(reason), None, None)
        if not is_known:
            return PartRow(None, self._spool.word(Reason.NO_PATIENT), None, None)
        return PartRow(
            self._spool.word(_concept(result)),
            None,
            self._spool.hashed(_same(result, content)),
            _variant(result),
        )

    def _patient(self, key: Key) -> bytes:
        if isinstance(key, bytes):
            return key
        if key not in self._patients:
            if len(self._patients) >= _REMEMBERED:
                self._patients.clear()
            self._patients[key] = self._spool.hashed(key)
        return self._patients[key]


def _objection(found: Found) -> Reason | None:
    """Why no reader is asked."""
    if found.scope.other_version and "resourceType" in found.resource:
        return Reason.WRONG_VERSION
    return found.reason


def _digest(resource: Json, content: tuple[tuple[str, ...], ...]) -> bytes:
    """Orders versions that nothing else does: without a key, so that every run does."""
    raw = orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(raw + repr(content).encode(), digest_size=8).digest()


def _closes(resource: Json, results: tuple[Fact | Refused, ...]) -> int:
    """1 for a patient under a label that restricts, and for a consent that denies."""
    if resource.get("resourceType") == "Patient":
        return int(is_restricted(resource))
    return int(any(isinstance(one, Consented) and one.denies for one in results))


def _about(resource: Json, whose: Whose | None) -> Json:
    """The same resource about the one patient that the readers know."""
    if whose is None:
        return resource
    if not whose.element:
        return {**resource, "id": _ID}
    named, focus = resource.get(whose.element), resource.get("focus")
    own = {"focus": [_LINK]} if focus is not None and focus == [named] else {}
    return {**resource, **own, whose.element: _LINK}


def _kind(resource: Json) -> str:
    """The type, if it is a word of FHIR: a file may hold anything in its place."""
    kind = resource.get("resourceType")
    is_fhir = isinstance(kind, str) and (kind in R4_TYPES or kind in TYPES)
    return str(kind) if is_fhir else UNNAMED


def _is_stray(results: tuple[Fact | Refused, ...], *, is_known: bool) -> bool:
    first = results[0] if results else None
    return not is_known or (isinstance(first, Refused) and first.reason in _STRAYS)


def _shape(results: tuple[Fact | Refused, ...]) -> str:
    return " ".join(
        sorted(
            one.reason if isinstance(one, Refused) else _concept(one) for one in results
        )
    )


def _concept(fact: Fact) -> str:
    """As elsewhere, but items and safety items beside their questionnaire's totals."""
    if isinstance(fact, Answer):
        return f"{fact.scale.key}:item"
    if isinstance(fact, Reading) and fact.safety:
        return f"{fact.scale.key}:safety"
    return concept_of(fact)


def _same(fact: Fact, content: tuple[str, ...]) -> str:
    """Equal for two facts of one patient that say the same."""
    if isinstance(fact, Reading):
        scale, at = fact.scale, fact.moment
        return f"{scale.system}|{scale.code}|{fact.safety}|{at.utc}|{fact.value!r}"
    return repr(content)


def _variant(fact: Fact) -> str | None:
    if isinstance(fact, Reading) and fact.scale.key.startswith(_DIARY):
        low, high = fact.scale.low, fact.scale.high
        return f"{high - low:030.9f}|{low!r}|{high!r}"
    return None
