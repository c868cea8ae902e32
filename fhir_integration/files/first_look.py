"""A first look through files for what others point at: patients and medications.

A test of bytes finds the few documents that are worth parsing. Bundles are left out:
their entries find each other.
"""

from __future__ import annotations

from collections.abc import Iterator

from fhir_integration.files.documents import Limits, raw_documents
from fhir_integration.files.listing import Source
from fhir_integration.strict_json import Json, NotStrict, parse

_LOOKED_AT = 1024 * 1024  # bytes: a larger file of one object is a Bundle
_TYPES = frozenset({"Patient", "Medication"})


def pointed_at(source: Source, *, limits: Limits) -> Iterator[Json | None]:
    """Each Patient and Medication of the file; None for whatever else was passed."""
    if not source.has_lines and _size(source) > _LOOKED_AT:
        return
    for raw in raw_documents(source, limits=limits):
        yield _found(raw, limits) if _may_be(raw) else None


def _size(source: Source) -> int:
    try:
        return source.path.stat().st_size
    except OSError:
        return 0  # that it cannot be read is said when it is read in earnest


def _may_be(raw: bytes) -> bool:
    return b'"Medication"' in raw or b'"Patient"' in raw


def _found(raw: bytes, limits: Limits) -> Json | None:
    try:
        resource = parse(raw, max_bytes=limits.line)
    except NotStrict:
        return None
    return resource if str(resource.get("resourceType")) in _TYPES else None
