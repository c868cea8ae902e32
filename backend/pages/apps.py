"""Pages for clinicians and operators."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """The admin pages."""

    name = "backend.pages"
    label = "pages"
