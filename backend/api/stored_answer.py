"""What stored answers of every service have in common as JSON, and lists of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.response import Response

from backend.predictions.stored import STALE_REASONS, Summary


class SummarySerializer(serializers.Serializer[Any]):
    """A stored answer in a list, without what it says."""

    id = serializers.UUIDField()
    as_of = serializers.DateField()
    created = serializers.DateTimeField()
    age_seconds = serializers.FloatField()
    stale = serializers.BooleanField()
    stale_reason = serializers.ChoiceField(choices=STALE_REASONS, allow_null=True)
    historical = serializers.BooleanField()
    link = serializers.CharField()


def row_json(stored: Summary) -> dict[str, Any]:
    """What can be said of a stored answer without opening it."""
    return {
        "id": stored.id,
        "patient": stored.patient_id,
        "as_of": stored.as_of,
        "created": stored.created,
        "age_seconds": stored.age_seconds,
        "stale": stored.stale,
        "stale_reason": stored.stale_reason or None,
        "historical": stored.historical,
    }


def listed(
    found: Iterable[Summary], shape: type[SummarySerializer], *, path: str
) -> Response:
    """A list of stored answers, each with its link: `path` is the name of a path."""
    rows = [{**row_json(one), "link": reverse(path, args=[one.id])} for one in found]
    return Response(shape(rows, many=True).data)


def given(body: Mapping[str, Any], *, reused: bool, link: str) -> Response:
    """An answer that was asked for, made anew (201) or stored before (200).

    `link`: which of its links leads back to it.
    """
    place = {"Location": body["links"][link]}
    return Response(body, status=200 if reused else 201, headers=place)
