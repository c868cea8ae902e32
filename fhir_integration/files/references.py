"""Whose resource is it? One key for each patient, by whatever kind of reference.

Within one import a relative reference, an absolute one below the base URL and the
patient's own entry of a Bundle are the same patient. An absolute reference to another
server is another patient, even with the same id. A reference by identifier counts as
the patient who bears it, where exactly one does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qsl

from fhir_integration.codes import FHIR_ID
from fhir_integration.files.containers import Scope, identifiers_of, own_key
from fhir_integration.search_values import parts_of_token
from fhir_integration.strict_json import Json

_LINKS = ("subject", "patient")  # where R4 says whose a resource is

Key = str | bytes  # bytes where the text was hashed already, "" for nobody
# Given "system|value", the key of the one patient of the import who bears it; None
# where none does; "" where several do.
Bearer = Callable[[str], Key | None]


class Whose(NamedTuple):
    """The element that names the patient ("" for a Patient itself), and their key."""

    element: str
    key: Key


class References:
    """Resolves references of one import; `base_url` is where relative ones point."""

    def __init__(self, *, base_url: str, bearer: Bearer) -> None:
        self._base = f"{base_url.rstrip('/')}/" if base_url else ""
        self._bearer = bearer

    def whose(self, resource: Json, scope: Scope) -> Whose | None:
        """The patient, or None: none is named, or no single one. Never raises."""
        if resource.get("resourceType") == "Patient":
            own = own_key(resource)
            return Whose("", own) if own else None
        for element in _LINKS:
            link = resource.get(element)
            if isinstance(link, dict):
                key = self._key(link, resource, scope)
                return Whose(element, key) if key else None
        return None

    def _key(self, link: Json, resource: Json, scope: Scope) -> Key:
        stated = link.get("reference")
        if not isinstance(stated, str):
            return self._of_identifiers(link, scope)
        reference = stated.split("/_history/", maxsplit=1)[0]
        if reference.startswith("#"):
            return self._contained(reference[1:], resource, scope)
        if reference in scope.by_name:
            return own_key(scope.by_name[reference])
        if "?" in reference:
            return self._conditional(reference, scope)
        return self._plain(reference)

    def _plain(self, reference: str) -> str:
        """Relative or absolute; "" unless it is to a Patient."""
        if self._base:
            reference = reference.removeprefix(self._base)
        start, _, own_id = reference.rpartition("/")
        kind = start.rpartition("/")[2]
        return reference if kind == "Patient" and FHIR_ID.fullmatch(own_id) else ""

    def _conditional(self, reference: str, scope: Scope) -> Key:
        start, _, query = reference.partition("?")
        if start.rpartition("/")[2] != "Patient":
            return ""
        asked = parse_qsl(query)
        if len(asked) != 1 or asked[0][0] != "identifier":
            return ""
        parts = parts_of_token(asked[0][1])
        return self._bearing("|".join(parts), scope) if len(parts) == 2 else ""

    def _contained(self, own_id: str, resource: Json, scope: Scope) -> Key:
        """A contained patient by identifier; else known within the one resource."""
        held = resource.get("contained")
        for inner in held if isinstance(held, list) else ():
            if isinstance(inner, dict) and inner.get("id") == own_id:
                if inner.get("resourceType") != "Patient":
                    return ""
                return self._of_identifiers(inner, scope) or _within(resource, own_id)
        return ""

    def _of_identifiers(self, holder: Json, scope: Scope) -> Key:
        for text in identifiers_of(holder):
            return self._bearing(text, scope)
        return ""

    def _bearing(self, text: str, scope: Scope) -> Key:
        """The one patient with that identifier, of the Bundle, else of the import."""
        keys = scope.bearers.get(text)
        if keys is not None:
            return min(keys) if len(keys) == 1 else ""
        found = self._bearer(text)
        return f"identifier {text}" if found is None else found


def _within(resource: Json, own_id: str) -> str:
    kind, outer_id = resource.get("resourceType"), resource.get("id")
    is_named = isinstance(outer_id, str) and FHIR_ID.fullmatch(outer_id)
    return f"{kind}/{outer_id}#{own_id}" if is_named else ""
