"""The kill switch of each service: one row, read at every request."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from backend.audit import ledger
from backend.audit.ledger import Action
from backend.registry.models import ServiceSwitch
from backend.twin.errors import ServiceOff

SERVICES = ("forecast", "correlation", "pharmacogenomics")


def require_on(service: str) -> None:
    """Raise ServiceOff where somebody switched `service` off."""
    if ServiceSwitch.objects.filter(service=service, off=True).exists():
        raise ServiceOff(service)


def switch(service: str, *, on: bool, actor: str, reason: str) -> None:
    """Switch a service on or off, for every process at its next request.

    The audit row says which and who; `reason` stays in our own table. Raises ValueError
    for a service that there is not and for an end without a reason, and
    AuditUnavailable; then nothing was switched.
    """
    if service not in SERVICES:
        raise ValueError(f"no service '{service}': there are {', '.join(SERVICES)}")
    if not on and not reason.strip():
        raise ValueError("say why it is switched off")
    with transaction.atomic():
        ledger.record(
            action=Action.SWITCH,
            actor=actor,
            purpose="HOPERAT",
            detail={"service": service, "on": int(on)},
        )
        ServiceSwitch.objects.update_or_create(
            service=service,
            defaults={
                "off": not on,
                "reason": reason[:200],
                "by": actor,
                "since": timezone.now(),
            },
        )


def switches() -> dict[str, ServiceSwitch | None]:
    """The row of every service; None for one that nobody ever switched."""
    rows = ServiceSwitch.objects.in_bulk(SERVICES)
    return {service: rows.get(service) for service in SERVICES}
