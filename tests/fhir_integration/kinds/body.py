"""Small Observations of body signals for the tests of this folder and the reader's."""

from __future__ import annotations

from typing import Any

from fhir_integration.codes import LOINC, UCUM

Json = dict[str, Any]
MEASURE = "https://mindtwin.example/fhir/CodeSystem/measure"
WHEN = "2026-02-14T09:05:00+01:00"
AT = 1_771_056_300  # the same as seconds since 1970 UTC
DAY = 20_498  # 14 February 2026 as days since 1970


def coded(*codes: str, system: str = LOINC, **concept: Any) -> Json:
    return {"coding": [{"system": system, "code": code} for code in codes], **concept}


def quantity(value: Any, code: str | None = None, **more: Any) -> Json:
    ucum = {} if code is None else {"system": UCUM, "code": code}
    return {"value": value, **ucum, **more}


def signal(code: str | Json = "8867-4", **changes: Any) -> Json:
    """A heart rate of 72 on 14 February; a change to None takes the element away."""
    resource: Json = {
        "resourceType": "Observation",
        "id": "w1",
        "meta": {"versionId": "1", "lastUpdated": "2026-02-14T10:00:00Z"},
        "status": "final",
        "code": coded(code) if isinstance(code, str) else code,
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": WHEN,
        "valueQuantity": quantity(72, "/min"),
    }
    resource |= changes
    return {name: value for name, value in resource.items() if value is not None}


def valued(code: str | Json, value: Any, unit: str, **changes: Any) -> Json:
    """A value of that code and unit at one time."""
    return signal(code, valueQuantity=quantity(value, unit), **changes)


def lasting(code: str, start: str | None, end: str | None, **changes: Any) -> Json:
    """A value of 500 in the unit "1" over a period."""
    ends = {"start": start, "end": end}
    period = {name: text for name, text in ends.items() if text is not None}
    made: Json = {"effectiveDateTime": None, "effectivePeriod": period}
    return signal(code, **{**made, "valueQuantity": quantity(500, "1"), **changes})
