"""From a resource to what the spool keeps of it: words, hashes and counts."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from datetime import date
from typing import cast

from backend.twin.record import Reason
from fhir_integration.dispatch import Context, Fact, concept_of, read_any
from fhir_integration.files.containers import ALONE, Found, Scope
from fhir_integration.files.references import Key, References, Whose
from fhir_integration.files.spool import PartRow, ResourceRow, Spool
from fhir_integration.kinds.refused import Refused
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
    """Rows of the transaction under way; `len` is the number of resources in it."""

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
        self._scope = ALONE  # what `_inside` was made for
        self._inside = self._context
        self._patients: dict[Key, bytes] = {}
        self._rows: list[tuple[ResourceRow, list[PartRow]]] = []
        self._faults: list[str] = []

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, found: Found) -> None:
        """Read one resource, whatever it holds."""
        is_other = found.scope.other_version and "resourceType" in found.resource
        reason = Reason.WRONG_VERSION if is_other else found.reason
        if reason is None:
            self._rows.append(self._read(found))
        else:
            self._rows.append(self._refused(_kind(found.resource), reason))

    def fault(self, fault: str) -> None:
        """A document that cannot be read counts as one resource."""
        self._faults.append(fault)
        self._rows.append(self._refused(UNREADABLE, Reason.MALFORMED))

    def write(self, file: int) -> None:
        """Hand everything to the spool, within its transaction."""
        self._spool.add(self._rows)
        for fault in self._faults:
            self._spool.fault(file, fault)
        self._rows.clear()
        self._faults.clear()

    def _refused(self, kind: str, reason: Reason) -> tuple[ResourceRow, list[PartRow]]:
        row = ResourceRow(self._spool.word(kind), None, None, None, "", "", 0)
        return row, [PartRow(None, self._spool.word(reason), None, None)]

    def _read(self, found: Found) -> tuple[ResourceRow, list[PartRow]]:
        resource = found.resource
        whose = self._references.whose(resource, found.scope)
        read = read_any(_about(resource, whose), self._context_in(found.scope))
        parts = [
            self._part(one, content, is_known=whose is not None)
            for one, content in zip(read.results, read.content, strict=True)
        ]
        stray = _is_stray(read.results, is_known=whose is not None)
        hashed = self._spool.hashed
        updated, number, text = read.newness
        row = ResourceRow(
            kind=self._spool.word(_kind(resource)),
            patient=None if whose is None else self._patient(whose.key),
            identity=hashed(read.identity) if read.identity and not stray else None,
            business=hashed(repr(read.business))
            if read.business and not stray
            else None,
            newness=f"{updated}|{number:020}|{text}",
            shape=_shape(read.results),
            used=sum(part.reason is None for part in parts),
        )
        return row, parts

    def _context_in(self, scope: Scope) -> Context:
        """Inside a Bundle its own entries are found first."""
        if scope.by_name and scope is not self._scope:
            maps = cast(list[MutableMapping[str, Json]], [scope.by_name, self._lookup])
            self._scope = scope
            self._inside = replace(self._context, lookup=ChainMap(*maps))
        return self._inside if scope.by_name else self._context

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


def _about(resource: Json, whose: Whose | None) -> Json:
    """The same resource about the one patient that the readers know."""
    if whose is None:
        return resource
    if not whose.element:
        return {**resource, "id": _ID}
    return {**resource, whose.element: _LINK}


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
