"""The one joint: settings become an EHR, a model server, a clock and keys.

The only reader of settings outside Django's own. Everything below it gets values.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from backend.audit import ledger
from backend.inference.catalogue import read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.inference.keys import SHIPPED, trusted_keys
from backend.people import crypto
from backend.people.models import Site
from backend.predictions.policy import ForecastPolicy
from backend.registry import services as registry
from backend.twin.errors import EhrMalformed, EhrRefused
from backend.twin.forecast import WEIGHTS
from backend.twin.ports import Ehr, ModelServer
from fhir_integration.bulkhead import Bulkhead, Places
from fhir_integration.codes import NO_SITE_CODES, SiteCodes
from fhir_integration.concept_map import read_concept_map
from fhir_integration.site import FhirEhr, WriteMode
from fhir_integration.strict_json import parse

_INTERACTIVE = "EHR_INTERACTIVE_DEADLINE_S"
_LEASE_MARGIN_S = 30.0  # beside the EHR, a delivery writes to database and audit
_REFUSED = 403  # the status of what we refuse in the EHR's place

_lock = threading.Lock()
_ehrs: dict[tuple[str, str, str], Ehr] = {}
_clients: list[FhirEhr] = []  # what stands behind them, to be closed
_places: Places | None = None  # of a web process; other processes may wait
_server: ModelServer | None = None
_replaced: dict[str, Any] = {}


def configure(*, grouped_audit: bool = False, web: bool = False) -> None:
    """Hand keys to the rooms that need them; called once when Django is ready.

    `grouped_audit` is for processes where many threads write audit rows at once. `web`
    is for those where somebody waits for each answer: an EHR gets less time there, and
    never all threads.
    Raises ImproperlyConfigured when a lease could end while its delivery is under way.
    """
    global _places  # noqa: PLW0603 - one kind of process, set at start
    own = settings.MINDTWIN
    if own["LEASE_S"] < own["EHR_DEADLINE_S"] + _LEASE_MARGIN_S:
        raise ImproperlyConfigured(
            f"LEASE_S must be at least EHR_DEADLINE_S + {_LEASE_MARGIN_S:g} seconds, "
            "or two workers deliver the same forecast at once"
        )
    ledger.configure(
        key=own["AUDIT_KEY"], anchor=own["AUDIT_ANCHOR"], grouped=grouped_audit
    )
    crypto.configure(master_keys=own["MASTER_KEYS"], index_key=own["INDEX_KEY"])
    close()
    _places = None
    if web:
        _places = Places(own["EHR_CONCURRENT"], retry_after_s=own[_INTERACTIVE])


def close() -> None:
    """Give the EHRs' connections back; who asks for an EHR again gets a new one."""
    with _lock:
        for client in _clients:
            client.close()
        _clients.clear()
        _ehrs.clear()


def now() -> datetime:
    """The current time, UTC."""
    clock: Callable[[], datetime] | None = _replaced.get("now")
    return clock() if clock else datetime.now(UTC)


def ehr_of(site: Site) -> Ehr:
    """The EHR of a site: one HTTP client per process and address.

    Raises EhrRefused where the site's address is one that we must not speak to.
    """
    if "ehr_of" in _replaced:
        replaced: Ehr = _replaced["ehr_of"](site)
        return replaced
    address = (site.slug, site.ehr_url, site.write_mode)
    with _lock:
        if address not in _ehrs:
            _ehrs[address] = _ehr(site)
        return _ehrs[address]


def models() -> ModelServer:
    """The model server; versions that are new to the registry are registered first."""
    global _server  # noqa: PLW0603 - one server per process, made on first use
    if "models" in _replaced:
        replaced: ModelServer = _replaced["models"]
        return replaced
    with _lock:
        if _server is None:
            _server = _embedded()
        return _server


def forecast_policy() -> ForecastPolicy:
    """What an installation may set about forecasts."""
    own = settings.MINDTWIN
    return ForecastPolicy(
        weights=own["WEIGHTS"] or WEIGHTS,
        lookback_days=own["LOOKBACK_DAYS"],
        fresh_hours=own["FRESH_HOURS"],
        timeout_s=own["MODEL_TIMEOUT_S"],
    )


def lease_s() -> float:
    """How long a delivery may take before another worker may claim it, seconds."""
    return float(settings.MINDTWIN["LEASE_S"])


def var() -> Path:
    """The folder for files of this installation."""
    return Path(settings.MINDTWIN["VAR"])


def demo_allowed() -> bool:
    """Whether demo accounts and simulated patients may be made here."""
    return bool(settings.MINDTWIN.get("DEMO", False))


@contextmanager
def use(**replacements: Any) -> Iterator[None]:
    """Put other parts in place for a while: `ehr_of`, `models`, `now`."""
    unknown = set(replacements) - {"ehr_of", "models", "now"}
    if unknown:
        raise TypeError(f"cannot replace {sorted(unknown)}")
    before = dict(_replaced)
    _replaced.update(replacements)
    try:
        yield
    finally:
        _replaced.clear()
        _replaced.update(before)


def _ehr(site: Site) -> Ehr:
    own = settings.MINDTWIN
    deadline_s = own["EHR_DEADLINE_S" if _places is None else _INTERACTIVE]
    ehr = FhirEhr(
        site.ehr_url,
        token=_token(site),
        timeout_s=min(own["EHR_TIMEOUT_S"], deadline_s),
        deadline_s=deadline_s,
        write_mode=cast(WriteMode, site.write_mode),
        site_codes=_site_codes(site),
    )
    _clients.append(ehr)
    return ehr if _places is None else Bulkhead(ehr, places=_places)


def _site_codes(site: Site) -> SiteCodes:
    """What the site's own codes mean. Raises ImproperlyConfigured for a bad file."""
    path: Path | None = settings.MINDTWIN["CONCEPT_MAPS"].get(site.slug)
    if path is None:
        return NO_SITE_CODES
    try:
        return read_concept_map(parse(path.read_bytes()))
    except (OSError, ValueError, EhrMalformed) as error:
        raise ImproperlyConfigured(f"the ConceptMap of {site.slug}: {error}") from error


def _token(site: Site) -> str | None:
    """The site's token, which is for one server: whoever edits the site's address must
    not be able to have it sent to another. Raises EhrRefused.
    """
    own = settings.MINDTWIN
    origin = _origin(site.ehr_url)
    if origin[0] not in own["EHR_SCHEMES"]:
        allowed = " or ".join(own["EHR_SCHEMES"])
        raise EhrRefused(
            f"the EHR's address must begin with {allowed}", status=_REFUSED
        )
    kept: Mapping[str, str] | None = own["EHR_TOKENS"].get(site.slug)
    if kept is None:
        return None
    if _origin(kept["origin"]) != origin:
        raise EhrRefused(
            "the EHR's address is not on the server that the site's token is for",
            status=_REFUSED,
        )
    return kept["token"]


def _origin(address: str) -> tuple[str, str, int | None]:
    """Scheme, host and port, read as the HTTP client reads them. Raises EhrRefused."""
    try:
        url = httpx.URL(address)
        scheme, host, port = url.scheme, url.host, url.port
    except (httpx.InvalidURL, ValueError):  # ValueError: a host that IDNA forbids
        raise EhrRefused("the EHR's address is no URL", status=_REFUSED) from None
    return scheme, host, port or {"http": 80, "https": 443}.get(scheme)


def _embedded() -> EmbeddedServer:
    own = settings.MINDTWIN
    trusted = trusted_keys([SHIPPED, *own["TRUSTED_KEYS"]])
    versions = read_catalogue(own["MODEL_REPOSITORY"], trusted=trusted)
    done = registry.register(actor="system:catalogue", versions=versions)
    served: dict[str, list[int]] = {version.model: [] for version in versions}
    for version in versions:
        exchanged = (version.model, version.version) in done.exchanged
        if version.verified and not exchanged:
            served[version.model].append(version.version)
    return EmbeddedServer(own["MODEL_REPOSITORY"], versions=served, trusted=trusted)
