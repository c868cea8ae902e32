"""Whose resource is it? One key for each patient, by whatever kind of reference.

Within one import a relative reference and an absolute one below the base URL are the
same patient. What a Bundle's fullUrl or an absolute reference places at another server
is another patient, even with the same id. A reference by identifier counts as
the patient who bears it, where exactly one does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qsl

from fhir_integration.codes import FHIR_ID
from fhir_integration.files.containers import Found
from fhir_integration.files.scope import (
    Scope,
    identifiers_of,
    is_absolute,
    own_key,
)
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

    def whose(self, found: Found) -> Whose | None:
        """The patient, or None: none is named, or no single one. Never raises."""
        resource = found.resource
        if resource.get("resourceType") == "Patient":
            own = self._local(own_key(resource, found.server))
            return Whose("", own) if own else None
        for element in _LINKS:
            link = resource.get(element)
            if isinstance(link, dict):
                key = self._key(link, found)
                return Whose(element, key) if key else None
        return None

    def patient_at(self, reference: str, found: Found) -> str:
        """The key of the patient that a plain reference of `found` names, or ""."""
        plain = reference.split("/_history/", maxsplit=1)[0]
        target = found.scope.find(plain, found.server)
        if target is not None:
            return self._local(own_key(target.resource, target.server))
        return self._plain(plain, found.server)

    def is_own(self, server: str) -> bool:
        """True where ids of that server are the source's own."""
        return not server or f"{server}/" == self._base

    def _key(self, link: Json, found: Found) -> Key:
        stated = link.get("reference")
        if not isinstance(stated, str):
            return self._of_identifiers(link, found.scope)
        reference = stated.split("/_history/", maxsplit=1)[0]
        if reference.startswith("#"):
            return self._contained(reference[1:], found)
        if "?" in reference and found.scope.find(reference, found.server) is None:
            return self._conditional(reference, found.scope)
        return self.patient_at(reference, found)

    def _local(self, key: str) -> str:
        """The same for what is below the base and what is relative."""
        return key.removeprefix(self._base) if self._base else key

    def _plain(self, reference: str, server: str) -> str:
        """Relative or absolute; "" unless it is to a Patient."""
        if server and not is_absolute(reference):
            reference = f"{server}/{reference}"
        start, _, own_id = reference.rpartition("/")
        is_patient = start.rpartition("/")[2] == "Patient"
        is_one = is_patient and _is_id(own_id) and "?" not in reference
        return self._local(reference) if is_one else ""

    def _conditional(self, reference: str, scope: Scope) -> Key:
        start, _, query = reference.partition("?")
        if start.rpartition("/")[2] != "Patient":
            return ""
        asked = parse_qsl(query)
        if len(asked) != 1 or asked[0][0] != "identifier":
            return ""
        parts = parts_of_token(asked[0][1])
        return self._bearing("|".join(parts), scope) if len(parts) == 2 else ""

    def _contained(self, own_id: str, found: Found) -> Key:
        """A contained patient by identifier; else known within the one resource."""
        held = found.resource.get("contained")
        for inner in held if isinstance(held, list) else ():
            if isinstance(inner, dict) and inner.get("id") == own_id:
                if inner.get("resourceType") != "Patient":
                    return ""
                return self._of_identifiers(inner, found.scope) or _within(
                    found, own_id
                )
        return ""

    def _of_identifiers(self, holder: Json, scope: Scope) -> Key:
        for text in identifiers_of(holder):
            return self._bearing(text, scope)
        return ""

    def _bearing(self, text: str, scope: Scope) -> Key:
        """The one patient with that identifier, of the Bundle, else of the import."""
        keys = scope.bearers.get(text)
        if keys is not None:
            return self._local(min(keys)) if len(keys) == 1 else ""
        found = self._bearer(text)
        return f"identifier {text}" if found is None else found


def _is_id(text: object) -> bool:
    return isinstance(text, str) and FHIR_ID.fullmatch(text) is not None


def _within(found: Found, own_id: str) -> str:
    kind, outer_id = found.resource.get("resourceType"), found.resource.get("id")
    at = f"{found.server}/" if found.server else ""
    return f"{at}{kind}/{outer_id}#{own_id}" if _is_id(outer_id) else ""
