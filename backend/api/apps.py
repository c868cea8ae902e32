"""The HTTP API as a Django app."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """No models of its own; its token is described for the schema."""

    name = "backend.api"
    label = "api"

    def ready(self) -> None:
        """Register the description, which lies in the module's class."""
        from backend.api import openapi  # noqa: F401, PLC0415 - registers by import
