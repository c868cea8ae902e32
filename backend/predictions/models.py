"""Stored answers, their deliveries, and alerts.

Whatever says something about a patient's health is sealed with the patient's key;
the columns in the clear hold our own ids, dates of ours and digests, and sums of how
good forecasts were, which are deleted with the key (`erasure.py`).
"""

from __future__ import annotations

from uuid import uuid4

from django.db import models

from backend.people.models import Patient, User


class StaleReason(models.TextChoices):
    """Why a stored forecast does not stand any more, found out by a later pull."""

    TAKEN_BACK = "taken-back", "an entry it used was taken back"
    AMENDED = "amended", "an entry it used was amended"


class Prediction(models.Model):
    """One answer of a service for one patient.

    `models_digest` names the approved models and their weights; it is empty where one
    of them failed to answer, so that such an answer is never given twice.
    `record_digest` is keyed: unkeyed it would confirm a guess at the record.
    `payload` is the sealed answer of the `service`: forecasts and recommendations, or
    links of signals and symptoms; and refusals. `evidence` is sealed too: the entries
    it rests on, to notice when one is taken back; rows of before there was any have
    none and are never marked. `stale_since` is that moment.
    `scored_with` is a keyed digest of what its days showed when it was scored last,
    empty while that was nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.ForeignKey(
        Patient, on_delete=models.CASCADE, related_name="predictions"
    )
    service = models.CharField(max_length=32, default="forecast")
    as_of = models.DateField()
    created = models.DateTimeField()
    actor = models.CharField(max_length=200)
    record_digest = models.CharField(max_length=64)
    models_digest = models.CharField(max_length=64, blank=True)
    historical = models.BooleanField()
    payload = models.BinaryField()
    evidence = models.BinaryField(null=True)
    stale_since = models.DateTimeField(null=True)
    stale_reason = models.CharField(
        max_length=12, choices=StaleReason.choices, blank=True
    )
    scored_with = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["patient", "-created"]),
            models.Index(fields=["created"]),
        ]

    def __str__(self) -> str:
        return f"prediction {self.pk}"


class PredictionModel(models.Model):
    """A model version that a prediction used, and with what weight."""

    prediction = models.ForeignKey(
        Prediction, on_delete=models.CASCADE, related_name="models"
    )
    model = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    channel = models.CharField(max_length=16)
    weight = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["prediction", "model"], name="one_version_per_prediction"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} version {self.version}"


class ShadowAnswer(models.Model):
    """What a prediction would have been with a shadow version in production's place.

    `payload` is sealed: that version's quantiles. In the clear are differences from
    what was given, over the `windows` that both answered, in units of each window's
    sd: of quantiles the mean and the greatest distance, of medians the mean shift
    (shadow minus production); `width_ratio` is that of the 80 % intervals, None where
    production's have no width. Deleted when the patient is erased.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    prediction = models.ForeignKey(
        Prediction, on_delete=models.CASCADE, related_name="shadows"
    )
    model = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    created = models.DateTimeField()
    windows = models.PositiveSmallIntegerField()
    mean_difference = models.FloatField()
    max_difference = models.FloatField()
    median_difference = models.FloatField()
    width_ratio = models.FloatField(null=True)
    payload = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["prediction", "model"], name="one_shadow_per_prediction"
            )
        ]
        indexes = [models.Index(fields=["model", "version", "created"])]

    def __str__(self) -> str:
        return f"shadow {self.pk}"


class OutcomeScore(models.Model):
    """How one instrument's forecast did on the `days` that were reported since.

    `position` is its place in the prediction's payload; `versions` names the models
    that made it ("model:version", sorted), empty where none did. Sums over the days:
    those inside the 80 and 95 % interval, the median's absolute error and the quantile
    loss, both in the unit that the method has (see `outcomes.py`). Which days, and what
    each said, is not kept. Computed anew whenever the record changes; deleted when the
    patient is erased, because a sum in the clear would outlive the key.
    """

    prediction = models.ForeignKey(
        Prediction, on_delete=models.CASCADE, related_name="outcomes"
    )
    position = models.PositiveSmallIntegerField()
    method = models.CharField(max_length=16)
    versions = models.CharField(max_length=400, blank=True)
    days = models.PositiveSmallIntegerField()
    inside_80 = models.PositiveSmallIntegerField()
    inside_95 = models.PositiveSmallIntegerField()
    error = models.FloatField()
    loss = models.FloatField()
    updated = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["prediction", "position"], name="one_score_per_instrument"
            )
        ]

    def __str__(self) -> str:
        return f"outcomes {self.pk}"


class InputCount(models.Model):
    """How many values of each input fell into each bin of a model's card, on one day.

    `counts` is {array: {feature: [per bin, and last the missing]}}. No patient is
    linked: only sums over everybody whom the model was asked for.
    """

    model = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    day = models.DateField()
    windows = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "version", "day"], name="one_count_per_day"
            )
        ]

    def __str__(self) -> str:
        return f"inputs of {self.model} version {self.version} on {self.day}"


class OutboxItem(models.Model):
    """One instrument's forecast, or one link in words, that the EHR has to get.

    `id` is the identifier the EHR will know it by: the same answer is the same row.
    `position` is its place in the prediction's payload. Free to claim when pending,
    due (`next_attempt`) and not under an unexpired lease. `stands` is False once
    an entry that it rests on was taken back: then it is cancelled, or, where the EHR
    has it already, shown there although nobody should rely on it.
    """

    class State(models.TextChoices):
        """Where a delivery stands."""

        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, editable=False)
    prediction = models.ForeignKey(
        Prediction, on_delete=models.CASCADE, related_name="outbox"
    )
    patient = models.ForeignKey(
        Patient, on_delete=models.CASCADE, related_name="outbox"
    )
    position = models.PositiveSmallIntegerField()
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.PENDING
    )
    attempts = models.PositiveIntegerField(default=0)
    refusals = models.PositiveIntegerField(default=0)
    lease_owner = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True)
    created = models.DateTimeField()
    next_attempt = models.DateTimeField()
    last_error = models.CharField(max_length=80, blank=True)
    receipt = models.BinaryField(null=True)
    delivered_at = models.DateTimeField(null=True)
    stands = models.BooleanField(default=True)

    class Meta:
        indexes = [models.Index(fields=["state", "next_attempt"])]

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class Alert(models.Model):
    """An urgent finding that somebody in the care team has to acknowledge.

    `key` is a keyed hash of the finding, so that one finding makes one alert however
    often its record is read. `finding` is sealed: its kind alone would say a lot.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.ForeignKey(
        Patient, on_delete=models.CASCADE, related_name="alerts"
    )
    key = models.CharField(max_length=64)
    finding = models.BinaryField()
    created = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(
        User,
        null=True,
        on_delete=models.PROTECT,
        related_name="acknowledged_alerts",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "key"], name="one_alert_per_finding"
            )
        ]
        indexes = [models.Index(fields=["patient", "-created"])]

    def __str__(self) -> str:
        return f"alert {self.pk}"
