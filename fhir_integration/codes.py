"""Code systems and codes that this room reads and writes, in one place.

Sources: LOINC codes and the answer list LL358-3 from loinc.org; AIAST from HL7's
v3-ObservationValue; the extensions from hl7.org/fhir; everything under mindtwin.example
is our own.
"""

from __future__ import annotations

import re
from functools import cache

from backend.twin.scales import Scale, scales
from fhir_integration.search_values import token

OURS = "https://mindtwin.example/fhir"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
RATING = f"{OURS}/CodeSystem/rating"
DIARY = f"{OURS}/CodeSystem/diary"
RANGE = f"{OURS}/CodeSystem/range"
FORECAST = f"{OURS}/CodeSystem/forecast"
CATEGORY = f"{OURS}/CodeSystem/category"
METHOD = f"{OURS}/CodeSystem/method"
RELIABILITY = f"{OURS}/CodeSystem/reliability"
PREDICTION = f"{OURS}/prediction"  # identifier system of what we write
MODEL = f"{OURS}/model"  # identifier system of our Devices
HORIZON_DAY = f"{OURS}/StructureDefinition/horizon-day"
SURVEY = "http://terminology.hl7.org/CodeSystem/observation-category"
AI_LABEL = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "AIAST",
    "display": "Artificial Intelligence asserted",
}

# Answers to a PHQ item, LL358-3: not at all, several days, more than half, nearly all.
ANSWERS = {"LA6568-5": 0.0, "LA6569-3": 1.0, "LA6570-1": 2.0, "LA6571-9": 3.0}
ANSWER_RANGE = (0.0, 3.0)
# The number that a coding stands for; itemWeight is the newer name of ordinalValue
# (hl7.org/fhir/extensions/StructureDefinition-itemWeight.html).
ORDINALS = frozenset(
    {
        "http://hl7.org/fhir/StructureDefinition/ordinalValue",
        "http://hl7.org/fhir/StructureDefinition/itemWeight",
    }
)
# Panels whose components hold an instrument's items and total -> the scale's key.
# Source: loinc.org/44249-1, PHQ-9 quick depression assessment panel, reported.
PANELS = {(LOINC, "44249-1"): "phq9"}

_SAME_SYSTEM = {"urn:oid:2.16.840.1.113883.6.1": LOINC, "https://loinc.org": LOINC}
FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
SOURCE = re.compile(
    r"Observation/[A-Za-z0-9\-.]{1,64}(/_history/[A-Za-z0-9\-.]{1,64})?"
)
# R4's datatype `code` (single spaces within), no control characters, and no essay.
DIARY_CODE = re.compile(r"(?=.{1,200}\Z)[^\s\x00-\x1f\x7f]+( [^\s\x00-\x1f\x7f]+)*")


def canonical(system: object) -> str:
    """The usual URI of a code system that is known by several; empty if not a text."""
    return _SAME_SYSTEM.get(system, system) if isinstance(system, str) else ""


@cache
def safety_items() -> dict[tuple[str, str], Scale]:
    """(system, code) of each safety item -> the questionnaire it belongs to."""
    return {
        (scale.system, scale.safety_item.code): scale
        for scale in scales().values()
        if scale.safety_item is not None
    }


@cache
def search_tokens() -> str:
    """Value of the `code` search parameter: all totals, safety items, panels, diaries.

    Our own systems are asked for as a whole (`system|`), so that a new rating or diary
    item needs no change here; the others code by code.
    """
    own = {RATING, DIARY}
    single = {(scale.system, scale.code) for scale in scales().values()}
    single |= set(safety_items()) | set(PANELS)
    tokens = [f"{system}|" for system in sorted(own)]
    tokens += [token(s, c) for s, c in sorted(single) if s not in own]
    return ",".join(tokens)
