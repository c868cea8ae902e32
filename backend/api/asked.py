"""What requests to compute something have in common."""

from __future__ import annotations

from datetime import date
from typing import Any

from rest_framework import serializers

from backend import wiring
from backend.predictions.days import EARLIEST, latest_day


class AsOfSerializer(serializers.Serializer[Any]):
    """The day to answer for."""

    as_of = serializers.DateField(
        required=False,
        allow_null=True,
        default=None,
        help_text="with what was known on this day; default today",
    )

    def validate_as_of(self, day: date | None) -> date | None:
        """Nobody knows tomorrow's record, and none reaches back that far.

        Today is the day of whoever asks, anywhere on Earth.
        """
        if day is not None and day > latest_day(wiring.now()):
            raise serializers.ValidationError("lies in the future")
        if day is not None and day < EARLIEST:
            raise serializers.ValidationError(f"lies before {EARLIEST}")
        return day
