"""The people app."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """Users, sites, patients; change diffs and login events are switched on here."""

    name = "backend.people"
    label = "people"
    verbose_name = "People"

    def ready(self) -> None:
        """Connect the login signals and register models for change diffs."""
        from backend.people import diffs, signals  # noqa: PLC0415 - needs loaded models

        diffs.register()
        signals.connect()
