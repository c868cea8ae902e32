"""What advice on medicines is asked with: options, and what a clinician states."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from backend.api.asked import AsOfSerializer
from backend.api.strict import (
    StrictBooleanField,
    StrictCharField,
    StrictFloatField,
    StrictIntegerField,
    StrictSerializer,
)
from backend.twin.pharmacogenomics.drugs import Drug, find_drugs
from backend.twin.pharmacogenomics.population import Population
from backend.twin.pharmacogenomics.response_inputs import Person

OLDEST = 130  # years
LONGEST_NAME = 200  # characters of a medicine's name
MOST_NAMED = 100  # medicines of which something is stated
USES = ("naive", "over_3_months")
_UNSAID: Mapping[str, Any] = {"required": False, "allow_null": True, "default": None}


class _ByMedicineField(serializers.Field[Any, Any, Any, Any]):
    """One of `values` by medicine. No message repeats what was sent."""

    values: ClassVar[tuple[object, ...]]
    default_error_messages: ClassVar = {
        "invalid": "no object",
        "many": f"of more than {MOST_NAMED} medicines",
        "medicine": "names a medicine that the catalogue does not know",
        "value": "each is one of {values}",
        "twice": "says two things of one medicine",
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """By the catalogue's own names. Raises ValidationError."""
        if not isinstance(data, dict):
            self.fail("invalid")
        if len(data) > MOST_NAMED:
            self.fail("many")
        found: dict[str, Any] = {}
        for name, value in data.items():
            if type(value) is not type(self.values[0]) or value not in self.values:
                self.fail("value", values=json.dumps(self.values))
            for drug in self._drugs(name):
                if found.setdefault(drug.name, value) != value:
                    self.fail("twice")
        return found

    def _drugs(self, name: str) -> tuple[Drug, ...]:
        drugs = find_drugs(name) if len(name) <= LONGEST_NAME else ()
        if not drugs:
            self.fail("medicine")
        return drugs


def _schema(of: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": of,
        "maxProperties": MOST_NAMED,
    }


@extend_schema_field(_schema({"type": "string", "enum": list(USES)}))
class PriorUseField(_ByMedicineField):
    """Earlier use by medicine."""

    values = USES


@extend_schema_field(_schema({"type": "boolean"}))
class TrialsField(_ByMedicineField):
    """Whether each of earlier medicines helped."""

    values = (True, False)


@extend_schema_serializer(component_name="StatedFacts")
class PopulationSerializer(StrictSerializer):
    """What the clinician states; it goes before the record. Left out: unknown."""

    age_years = StrictIntegerField(min_value=0, max_value=OLDEST, **_UNSAID)
    prior_use = PriorUseField(
        required=False,
        help_text="by medicine: never taken, or taken for over three months without a "
        "skin reaction",
    )
    alternatives_available = StrictBooleanField(
        **_UNSAID, help_text="whether another medicine could be used at all"
    )
    pregnant = StrictBooleanField(**_UNSAID)
    child_bearing_potential = StrictBooleanField(**_UNSAID)


@extend_schema_serializer(component_name="StatedHistory")
class HistorySerializer(StrictSerializer):
    """What the clinician states of the illness, for the response model alone.

    Left out: unknown, and the model is less sure.
    """

    severity = StrictFloatField(
        min_value=0,
        max_value=1,
        **_UNSAID,
        help_text="share of a depression scale's range: a PHQ-9 sum of 18 is 18 / 27",
    )
    episode_months = StrictFloatField(
        min_value=0,
        max_value=12 * OLDEST,
        **_UNSAID,
        help_text="how long the present episode lasts",
    )
    failures = StrictIntegerField(
        min_value=0,
        max_value=100,
        **_UNSAID,
        help_text="adequate trials without response in this episode",
    )
    trials = TrialsField(
        **_UNSAID,
        help_text="earlier medicines by name, true where one helped; an empty object: "
        "there were none",
    )


@extend_schema_serializer(component_name="AdviceRequest")
class AdviceRequestSerializer(AsOfSerializer, StrictSerializer):
    """Which medicines to look at, for whom."""

    medications = serializers.ListField(
        child=StrictCharField(max_length=LONGEST_NAME),
        required=False,
        allow_null=True,
        default=None,
        allow_empty=False,
        help_text="names or RxNorm codes, at most 60 unless the installation sets "
        "otherwise; default: the SSRIs, bupropion, and what is taken",
    )
    population = PopulationSerializer(**_UNSAID)
    history = HistorySerializer(**_UNSAID)

    @property
    def given(self) -> Population:
        """What is stated, of a request that is valid."""
        return Population(**(self.validated_data["population"] or {}))

    @property
    def person(self) -> Person:
        """The same for the response model, without age, genes and medicines."""
        return Person(**(self.validated_data["history"] or {}))
