"""The top-most app: when it is ready, everything below it is."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Hands keys from the settings to the rooms that need them."""

    name = "backend.jobs"
    label = "jobs"

    def ready(self) -> None:
        """Configure the rooms; imported late because it needs the models."""
        from backend import wiring  # noqa: PLC0415

        wiring.configure()
