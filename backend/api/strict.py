"""Fields of requests on which a dose may hang: nothing is guessed or overlooked."""

from __future__ import annotations

import math
from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """An object without other fields: a misspelt fact would count as unknown."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """What was sent, as the fields read it. Raises ValidationError."""
        if isinstance(data, dict) and (odd := data.keys() - self.fields.keys()):
            raise serializers.ValidationError(
                {f"{len(odd)} of the fields": [f"known: {', '.join(self.fields)}"]}
            )
        read: dict[str, Any] = super().to_internal_value(data)
        return read


class StrictIntegerField(serializers.IntegerField):
    """A number of JSON: no text, no truth value, no fraction."""

    def to_internal_value(self, data: Any) -> int:
        """The number itself. Raises ValidationError."""
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictFloatField(serializers.FloatField):
    """A number of JSON that is one: no text, no truth value, no NaN."""

    def to_internal_value(self, data: Any) -> float:
        """The number itself. Raises ValidationError."""
        if type(data) not in (int, float) or not abs(data) < math.inf:
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    """True or false of JSON: no text and no number."""

    def to_internal_value(self, data: Any) -> bool:
        """The truth value itself. Raises ValidationError."""
        if type(data) is not bool:
            self.fail("invalid", input=data)
        return data


class StrictCharField(serializers.CharField):
    """A text of JSON: a number may have lost digits on its way."""

    def to_internal_value(self, data: Any) -> str:
        """The text without blanks around it. Raises ValidationError."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)
