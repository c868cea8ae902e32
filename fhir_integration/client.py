"""FHIR R4 towards one EHR: read, search to the last page, create exactly once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx
import orjson

from backend.twin.errors import EhrMalformed, EhrRefused, EhrUnavailable
from fhir_integration import bundles
from fhir_integration.auth import Token
from fhir_integration.connection import Clock, Connection
from fhir_integration.strict_json import Json, parse

MAX_PAGES = 1_000
_ID = r"([A-Za-z0-9\-.]{1,64})"


@dataclass(frozen=True, slots=True)
class Created:
    """A resource that now exists exactly once; `created` is False where it did before.

    `resource` is what the server answered, if anything, with its id filled in.
    """

    reference: str
    resource: Json
    created: bool


class FhirClient:
    """One EHR's FHIR R4 base URL. Threads may share it; `close` it when done.

    Every call takes `until`, a moment made by `deadline`; without it the call has
    `deadline_s` seconds. Raises only `EhrError` and its children.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | Token | None = None,
        timeout_s: float = 10.0,
        deadline_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`timeout_s` bounds each wait for the network, `deadline_s` a whole call.

        A `token` given as text never changes; a `Token` is renewed when it is refused.
        """
        self._clock = clock or Clock()
        self._deadline_s = deadline_s
        self._connection = Connection(
            base_url,
            token=token,
            timeout_s=timeout_s,
            transport=transport,
            clock=self._clock,
        )

    def close(self) -> None:
        """Give the connections back."""
        self._connection.close()

    def deadline(self, seconds: float | None = None) -> float:
        """The moment (monotonic) at which calls that are given it stop trying."""
        return self._clock.monotonic() + (
            self._deadline_s if seconds is None else seconds
        )

    def pause(self, seconds: float, *, until: float) -> bool:
        """Wait before the same is asked again; False, at once, when time is up."""
        if self._clock.monotonic() + seconds > until:
            return False
        self._clock.sleep(seconds)
        return True

    def read(self, reference: str, *, until: float | None = None) -> Json:
        """GET one resource by "Type/id", or one version of it."""
        return _resource(self._get(self._connection.url(reference), until=until))

    def search(
        self,
        kind: str,
        params: Mapping[str, str] | Sequence[tuple[str, str]],
        *,
        until: float | None = None,
    ) -> Iterator[Json]:
        """All matching resources, page by page, following the server's next links.

        Raises EhrMalformed for a link to another origin, a loop or too many pages: a
        series cut short in silence would be worse than none.
        """
        until = self.deadline() if until is None else until
        pairs = list(params.items()) if isinstance(params, Mapping) else list(params)
        url: httpx.URL | None = self._connection.url(f"{kind}?{urlencode(pairs)}")
        asked: set[str] = set()
        before: frozenset[str] = frozenset()
        while url is not None:
            if str(url) in asked or len(asked) >= MAX_PAGES:
                raise EhrMalformed("the EHR's paging does not come to an end")
            asked.add(str(url))
            bundle = _resource(self._get(url, until=until))
            found = bundles.matches(bundle)
            names = bundles.ids(found)
            if names and names == before:
                raise EhrMalformed("the EHR serves the same page again")
            before = names
            yield from found
            link = bundles.next_link(bundle)
            url = None if link is None else self._connection.same_origin(link)

    def create(
        self,
        resource: Json,
        *,
        if_none_exist: Mapping[str, str],
        until: float | None = None,
    ) -> Created:
        """POST unless it exists; repeating it, or losing its answer, is harmless.

        `if_none_exist` is the search that finds it, name by name, such as
        {"identifier": token(system, value)}: escaped as `search_values` does it, not
        percent-encoded.
        Where the server holds several (its own race), the oldest is taken.
        """
        until = self.deadline() if until is None else until
        kind = str(resource["resourceType"])
        try:
            response = self._connection.send(
                "POST",
                self._connection.url(kind),
                until=until,
                body=orjson.dumps(resource),
                if_none_exist=urlencode(if_none_exist),
            )
        except EhrRefused as refusal:
            if refusal.status != 412:  # 412: several match
                raise
            return self._oldest(kind, if_none_exist, until=until)
        created = response.status_code == 201
        body = _resource(response) if response.content else {}
        own_id = _own_id(response, body, kind)
        if own_id is None:
            return self._oldest(kind, if_none_exist, until=until)
        return Created(f"{kind}/{own_id}", {**body, "id": own_id}, created)

    def batch_create(
        self, resources: Sequence[Json], *, until: float | None = None
    ) -> None:
        """Create each resource unless its first identifier exists; one request.

        Every entry carries its own condition, so the whole batch may be repeated.
        Raises EhrRefused or EhrUnavailable if any entry was not taken.
        """
        response = self._connection.send(
            "POST",
            self._connection.url(""),
            until=self.deadline() if until is None else until,
            body=orjson.dumps(bundles.batch(resources)),
        )
        bundles.check_batch(_resource(response), expected=len(resources))

    def _get(self, url: httpx.URL, *, until: float | None) -> httpx.Response:
        until = self.deadline() if until is None else until
        return self._connection.send("GET", url, until=until)

    def _oldest(self, kind: str, match: Mapping[str, str], *, until: float) -> Created:
        found = [
            (bundles.last_updated(resource), str(resource.get("id")), resource)
            for resource in self.search(kind, match, until=until)
        ]
        if not found:  # written, but not searchable yet: ask again later
            raise EhrUnavailable("the EHR does not show yet what it keeps")
        _, own_id, resource = min(found, key=lambda row: row[:2])
        return Created(f"{kind}/{own_id}", resource, created=False)


def _resource(response: httpx.Response) -> Json:
    resource = parse(response.content)
    if resource.get("resourceType") == "OperationOutcome":
        raise EhrMalformed("the EHR answered success with an OperationOutcome")
    return resource


def _own_id(response: httpx.Response, body: Json, kind: str) -> str | None:
    """Id of the created or existing resource: from Location, else from the body."""
    location = response.headers.get("location", "")
    found = re.search(rf"(?:^|/){kind}/{_ID}(?:/_history/[^/]+)?$", location)
    if found is not None:
        return found[1]
    own_id = body.get("id")
    if body.get("resourceType") != kind or not isinstance(own_id, str):
        return None
    return own_id if re.fullmatch(_ID, own_id) else None
