"""Stored forecasts, deliveries and alerts as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_delete


class PredictionsConfig(AppConfig):
    """Keeps change diffs of predictions and alerts, never of sealed columns; deletes
    what is in the clear of a patient with their key.
    """

    name = "backend.predictions"
    label = "predictions"

    def ready(self) -> None:
        """Register for change diffs; the outbox has audit rows instead."""
        from auditlog.registry import auditlog  # noqa: PLC0415 - needs loaded apps

        from backend.people.models import PatientKey  # noqa: PLC0415
        from backend.predictions.erasure import forget  # noqa: PLC0415

        sealed = ["payload", "evidence"]
        auditlog.register(self.get_model("Prediction"), exclude_fields=sealed)
        auditlog.register(self.get_model("Alert"), exclude_fields=["key", "finding"])
        post_delete.connect(forget, PatientKey, dispatch_uid="predictions.forget")
