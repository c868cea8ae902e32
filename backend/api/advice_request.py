"""What advice on medicines is asked with: options, and what a clinician states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from backend.api.asked import AsOfSerializer
from backend.api.strict import (
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)
from backend.twin.pharmacogenomics.drugs import find_drugs
from backend.twin.pharmacogenomics.population import Population

OLDEST = 130  # years
LONGEST_NAME = 200  # characters of a medicine's name
MOST_USES = 100  # medicines of which earlier use is stated
USES = ("naive", "over_3_months")
_UNSAID: Mapping[str, Any] = {"required": False, "allow_null": True, "default": None}


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"type": "string", "enum": list(USES)},
        "maxProperties": MOST_USES,
    }
)
class PriorUseField(serializers.Field[Any, Any, Any, Any]):
    """Earlier use by medicine. No message repeats what was sent."""

    default_error_messages = {
        "invalid": "no object",
        "many": f"of more than {MOST_USES} medicines",
        "medicine": "names a medicine that the catalogue does not know",
        "use": f"each is one of {', '.join(USES)}",
        "twice": "says two things of one medicine",
    }

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """By the catalogue's own names. Raises ValidationError."""
        if not isinstance(data, dict):
            self.fail("invalid")
        if len(data) > MOST_USES:
            self.fail("many")
        found: dict[str, str] = {}
        for name, use in data.items():
            if use not in USES:
                self.fail("use")
            drugs = find_drugs(name) if len(name) <= LONGEST_NAME else ()
            if not drugs:
                self.fail("medicine")
            for drug in drugs:
                if found.setdefault(drug.name, use) != use:
                    self.fail("twice")
        return found


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

    @property
    def given(self) -> Population:
        """What is stated, of a request that is valid."""
        return Population(**(self.validated_data["population"] or {}))
