"""The registry of model versions as a Django app."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """Keeps change diffs of releases, channels and switches."""

    name = "backend.registry"
    label = "registry"

    def ready(self) -> None:
        """Register the models for change diffs; a card is long and never changes."""
        from auditlog.registry import auditlog  # noqa: PLC0415 - needs loaded apps

        auditlog.register(self.get_model("ModelRelease"), exclude_fields=["card"])
        auditlog.register(self.get_model("Channel"))
        auditlog.register(self.get_model("ServiceSwitch"), exclude_fields=["reason"])
