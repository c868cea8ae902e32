"""The one joint: settings become an EHR, a model server, a clock and keys.

The only reader of settings outside Django's own. Everything below it gets values.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from django.conf import settings

from backend.audit import ledger
from backend.inference.catalogue import read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.inference.keys import SHIPPED, trusted_keys
from backend.people import crypto
from backend.people.models import Site
from backend.predictions.policy import ForecastPolicy
from backend.registry import services as registry
from backend.twin.forecast import WEIGHTS
from backend.twin.ports import Ehr, ModelServer
from fhir_integration.site import FhirEhr, WriteMode

_lock = threading.Lock()
_ehrs: dict[tuple[str, str, str], Ehr] = {}
_server: ModelServer | None = None
_replaced: dict[str, Any] = {}


def configure(*, grouped_audit: bool = False) -> None:
    """Hand keys to the rooms that need them; called once when Django is ready.

    `grouped_audit` is for web processes, where many threads write audit rows at once.
    """
    own = settings.MINDTWIN
    ledger.configure(
        key=own["AUDIT_KEY"], anchor=own["AUDIT_ANCHOR"], grouped=grouped_audit
    )
    crypto.configure(master_keys=own["MASTER_KEYS"], index_key=own["INDEX_KEY"])


def now() -> datetime:
    """The current time, UTC."""
    clock: Callable[[], datetime] | None = _replaced.get("now")
    return clock() if clock else datetime.now(UTC)


def ehr_of(site: Site) -> Ehr:
    """The EHR of a site: one HTTP client per process and address."""
    if "ehr_of" in _replaced:
        replaced: Ehr = _replaced["ehr_of"](site)
        return replaced
    address = (site.slug, site.ehr_url, site.write_mode)
    with _lock:
        if address not in _ehrs:
            own = settings.MINDTWIN
            _ehrs[address] = FhirEhr(
                site.ehr_url,
                token=own["EHR_TOKENS"].get(site.slug),
                timeout_s=own["EHR_TIMEOUT_S"],
                deadline_s=own["EHR_DEADLINE_S"],
                write_mode=cast(WriteMode, site.write_mode),
            )
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


def _embedded() -> EmbeddedServer:
    own = settings.MINDTWIN
    trusted = trusted_keys([SHIPPED, *own["TRUSTED_KEYS"]])
    versions = read_catalogue(own["MODEL_REPOSITORY"], trusted=trusted)
    registry.register(actor="system:catalogue", versions=versions)
    served: dict[str, list[int]] = {}
    for version in versions:
        if version.verified:
            served.setdefault(version.model, []).append(version.version)
    return EmbeddedServer(own["MODEL_REPOSITORY"], versions=served, trusted=trusted)
