"""Pages for clinicians and operators."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PagesConfig(AppConfig):
    """The admin pages."""

    name = "backend.pages"
    label = "pages"


class AuditedAdminConfig(AdminConfig):
    """Django's admin, whose front door records whom it turns away."""

    default_site = "backend.pages.front_door.AuditedSite"
