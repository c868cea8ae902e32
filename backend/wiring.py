"""The one joint: settings become an EHR, model servers, a clock and keys.

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
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, close_old_connections, connection

from backend.audit import ledger
from backend.inference.catalogue import read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.inference.guarded import GuardedServer
from backend.inference.keys import SHIPPED, trusted_keys
from backend.inference.triton import ClientTls, TritonAddress, TritonServer
from backend.people import crypto
from backend.people.models import Site
from backend.predictions.policy import AdvicePolicy, CorrelationPolicy, ForecastPolicy
from backend.registry import services as registry
from backend.registry.channels import needed
from backend.registry.readiness import Server
from backend.twin.errors import EhrMalformed, EhrRefused, ModelUnavailable
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

Served = GuardedServer | EmbeddedServer

_lock = threading.Lock()
_ehrs: dict[tuple[str, str, str], Ehr] = {}
_clients: list[FhirEhr] = []  # what stands behind them, to be closed
_places: Places | None = None  # of a web process; other processes may wait
_serving = threading.Lock()  # reading the repository takes a while; EHRs need not wait
_server: Served | None = None
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
        return cast(Ehr, _replaced["ehr_of"](site))
    address = (site.slug, site.ehr_url, site.write_mode)
    with _lock:
        if address not in _ehrs:
            _ehrs[address] = _ehr(site)
        return _ehrs[address]


def models() -> ModelServer:
    """Serves the registered versions: by Triton where there is one, and in process.

    Raises ModelUntrusted for an unreadable key.
    """
    global _server  # noqa: PLW0603 - one server per process, made on first use
    if "models" in _replaced:
        return cast(ModelServer, _replaced["models"])
    with _serving:
        if _server is None:
            _server = _served()
        return _server


def models_control() -> Server:
    """The same server, to say what it must hold."""
    return cast(Server, models())


def model_repository() -> Path:
    """The folder of all versions."""
    return Path(settings.MINDTWIN["MODEL_REPOSITORY"])


def trusted() -> tuple[Ed25519PublicKey, ...]:
    """Whose signature counts. Raises ModelUntrusted for an unreadable key."""
    return trusted_keys([SHIPPED, *settings.MINDTWIN["TRUSTED_KEYS"]])


def signing_key() -> tuple[Path | None, Path | None]:
    """File of the key that signs what is published here, and where demos trust it."""
    own = settings.MINDTWIN
    return own["SIGNING_KEY"], own["TRUSTED_KEYS"][0] if demo_allowed() else None


def metrics_token() -> str | None:
    """What opens the figures for Prometheus; None: nothing does."""
    return cast("str | None", settings.MINDTWIN["METRICS_TOKEN"])


def forecast_policy() -> ForecastPolicy:
    """What an installation may set about forecasts."""
    own = settings.MINDTWIN
    return ForecastPolicy(
        weights=own["WEIGHTS"] or WEIGHTS,
        lookback_days=own["LOOKBACK_DAYS"],
        fresh_hours=own["FRESH_HOURS"],
        timeout_s=own["MODEL_TIMEOUT_S"],
    )


def correlation_policy() -> CorrelationPolicy:
    """What an installation may set about correlations."""
    own = settings.MINDTWIN
    return CorrelationPolicy(
        days=own["CORRELATION_DAYS"],
        max_days=own["CORRELATION_MAX_DAYS"],
        max_samples=own["CORRELATION_MAX_SAMPLES"],
        fresh_hours=own["CORRELATION_FRESH_HOURS"],
        timeout_s=own["MODEL_TIMEOUT_S"],
    )


def pharmacogenomics_policy() -> AdvicePolicy:
    """What an installation may set about advice on medicines."""
    own = settings.MINDTWIN
    return AdvicePolicy(**own["PHARMACOGENOMICS"], timeout_s=own["MODEL_TIMEOUT_S"])


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
        most_values=own["CORRELATION_MAX_SAMPLES"],
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
        said = f"the EHR's address must begin with {' or '.join(own['EHR_SCHEMES'])}"
        raise EhrRefused(said, status=_REFUSED)
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


def _served() -> Served:
    """Registers what lies in the repository, and serves what nobody exchanged."""
    own = settings.MINDTWIN
    keys = [SHIPPED, *own["TRUSTED_KEYS"]]  # read anew with the catalogue: one may come
    versions = read_catalogue(own["MODEL_REPOSITORY"], trusted=keys)
    done = registry.register(actor="system:catalogue", versions=versions)
    known = registry.digests().keys() - done.exchanged
    serve = {
        of.model: [number for model, number in known if model == of.model]
        for of in versions
    }
    embedded = EmbeddedServer(
        own["MODEL_REPOSITORY"], versions=serve, trusted=keys, digests=_digests
    )
    if own["TRITON"] is None:
        return embedded
    given = {**own["TRITON"]}
    tls = given.pop("tls")
    triton = TritonServer(
        TritonAddress(**given, tls=ClientTls(**tls) if tls else None),
        catalogue=lambda: read_catalogue(own["MODEL_REPOSITORY"], trusted=keys),
        digests=_digests,
    )
    return GuardedServer(triton, embedded, wanted=needed())


def _digests() -> dict[tuple[str, int], str]:
    """The registered digests, for any thread. Raises ModelUnavailable."""
    if not connection.in_atomic_block:
        close_old_connections()  # a thread in the background has nobody else to do it
    try:
        return registry.digests()
    except DatabaseError as error:
        raise ModelUnavailable("the registry cannot be read") from error
