"""Model releases, the channels that point at them, and what is switched off."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class ModelRelease(models.Model):
    """One immutable version of one model, known by the digest of its weights.

    A retired one keeps its row: its number is never given away again.
    """

    model = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    card = models.JSONField()
    registered_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "version"], name="one_release_per_version"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} version {self.version}"


class Channel(models.Model):
    """A name that points at one release of a model; promotion moves the pointer.

    `percent` is the share of patients a shadow is asked for. `approver` is who answers
    for a promotion; empty where the first version of all became production by itself.
    `left_behind` is of a previous one that production was rolled back from.
    """

    class Name(models.TextChoices):
        """What a release is used for."""

        PRODUCTION = "production"
        PREVIOUS = "previous"
        CANDIDATE = "candidate"
        SHADOW = "shadow"

    model = models.CharField(max_length=80)
    name = models.CharField(max_length=16, choices=Name.choices)
    release = models.ForeignKey(
        ModelRelease, on_delete=models.PROTECT, related_name="channels"
    )
    percent = models.PositiveSmallIntegerField(default=100)
    approver = models.CharField(max_length=128, blank=True)
    left_behind = models.BooleanField(default=False)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "name"], name="one_release_per_channel"
            ),
            models.CheckConstraint(
                condition=models.Q(percent__lte=100), name="percent_of_a_whole"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.name}"


class ServiceSwitch(models.Model):
    """Whether a service answers at all; one without a row does.

    `reason` is for whoever reads it later, in the operator's words: it leaves the
    database for nobody else.
    """

    service = models.CharField(max_length=32, primary_key=True)
    off = models.BooleanField()
    reason = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=128)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "service switches"

    def __str__(self) -> str:
        return f"{self.service} {'off' if self.off else 'on'}"
