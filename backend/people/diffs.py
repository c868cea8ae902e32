"""Change diffs by django-auditlog: which columns of which models it may copy."""

from __future__ import annotations

from auditlog.registry import auditlog

from backend.people.models import CareTeamMember, Patient, Site, SiteMember, User


def register() -> None:
    """Register our models. It stores old and new values in clear, so no sealed column,
    no blind index and no password hash is among them.
    """
    auditlog.register(User, exclude_fields=["password", "last_login"])
    auditlog.register(Site)
    auditlog.register(SiteMember)
    auditlog.register(Patient, exclude_fields=["ehr_id_sealed", "ehr_id_index"])
    auditlog.register(CareTeamMember)
