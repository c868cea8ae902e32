"""The tables of the access log. `chain.py` alone writes; triggers refuse the rest."""

from __future__ import annotations

from django.db import models


class AccessEvent(models.Model):
    """One request and action: who, what, when, why, with what outcome.

    `seq` counts from 1 without gaps. `mac` is an HMAC over every column and the
    patients touched, and `previous` is the `mac` of the row before, so the rows form
    one chain (see `entry.py`).
    """

    seq = models.BigIntegerField(primary_key=True)
    recorded = models.DateTimeField()
    action = models.CharField(max_length=16)
    outcome = models.CharField(max_length=16)
    actor = models.CharField(max_length=128)
    purpose = models.CharField(max_length=16)
    detail = models.TextField()
    previous = models.CharField(max_length=64)
    mac = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(actor=""), name="audit_actor_named"
            )
        ]

    def __str__(self) -> str:
        return f"audit row {self.seq}"


class AccessedPatient(models.Model):
    """One patient touched by an event. No foreign key: the row outlives the patient."""

    pk = models.CompositePrimaryKey("event_id", "position")
    event = models.ForeignKey(
        AccessEvent, on_delete=models.PROTECT, related_name="patients", db_index=False
    )
    position = models.IntegerField()
    patient = models.UUIDField(db_index=True)

    def __str__(self) -> str:
        return f"audit row {self.event_id}, patient {self.position}"
