"""Stored forecasts, deliveries and alerts as a Django app."""

from django.apps import AppConfig


class PredictionsConfig(AppConfig):
    """Keeps change diffs of predictions and alerts, never of sealed columns."""

    name = "backend.predictions"
    label = "predictions"

    def ready(self) -> None:
        """Register for change diffs; the outbox has audit rows instead."""
        from auditlog.registry import auditlog  # noqa: PLC0415 - needs loaded apps

        sealed = ["payload", "evidence"]
        auditlog.register(self.get_model("Prediction"), exclude_fields=sealed)
        auditlog.register(self.get_model("Alert"), exclude_fields=["key", "finding"])
