"""The audit app."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Tables of the access log; the composition root calls `ledger.configure`."""

    name = "backend.audit"
    label = "audit"
    verbose_name = "Audit"
