"""Model releases, and the channels that point at them."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class ModelRelease(models.Model):
    """One immutable version of one model, known by the digest of its weights."""

    model = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    card = models.JSONField()
    registered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "version"], name="one_release_per_version"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} version {self.version}"


class Channel(models.Model):
    """A name that points at one release of a model; promotion moves the pointer."""

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

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "name"], name="one_release_per_channel"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.name}"
