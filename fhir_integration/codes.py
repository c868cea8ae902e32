"""Code systems and codes that this room reads and writes, in one place.

Sources: LOINC codes and the answer lists LL358-3, LL5384-4 and LL5434-7 from loinc.org;
the items of the C-SSRS screener (93373-9) and of the CMS mood interview (54635-8) as
backend/twin/tables/SOURCES.md says; AIAST
from HL7's v3-ObservationValue; the extensions from hl7.org/fhir; everything under
mindtwin.example is our own, and so are the codes of instruments for which no LOINC code
was found (MADRS, HAM-D, YMRS, ISI, WHO-5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from backend.twin.scales import Scale, known_scales

OURS = "https://mindtwin.example/fhir"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
HGNC = "http://www.genenames.org"
# Genomics Reporting's own codes, of which some have no other home yet.
GENOMICS = "http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/tbd-codes-cs"
UCUM = "http://unitsofmeasure.org"
RATING = f"{OURS}/CodeSystem/rating"
INSTRUMENT = f"{OURS}/CodeSystem/instrument"
DIARY = f"{OURS}/CodeSystem/diary"
RANGE = f"{OURS}/CodeSystem/range"
MEASURE = f"{OURS}/CodeSystem/measure"
FORECAST = f"{OURS}/CodeSystem/forecast"
CORRELATION = f"{OURS}/CodeSystem/correlation"
ADVICE = f"{OURS}/CodeSystem/treatment-advice"
RESPONSE = f"{OURS}/CodeSystem/treatment-response"
DETAIL = f"{OURS}/StructureDefinition/treatment-advice-detail"
CATEGORY = f"{OURS}/CodeSystem/category"
METHOD = f"{OURS}/CodeSystem/method"
RELIABILITY = f"{OURS}/CodeSystem/reliability"
PREDICTION = f"{OURS}/prediction"  # identifier system of what we write
MODEL = f"{OURS}/model"  # identifier system of our Devices
HORIZON_DAY = f"{OURS}/StructureDefinition/horizon-day"
THRESHOLD = f"{OURS}/StructureDefinition/threshold"
CHANCE = "probability-"  # what our codes of probabilities begin with
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
SURVEY = "http://terminology.hl7.org/CodeSystem/observation-category"
AI_LABEL = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "AIAST",
    "display": "Artificial Intelligence asserted",
}

# A site's own codes and what they mean: (system, code) -> (system, code).
SiteCodes = Mapping[tuple[str, str], tuple[str, str]]
NO_SITE_CODES: SiteCodes = MappingProxyType({})

# Answers to a PHQ item, LL358-3: not at all, several days, more than half, nearly all.
ANSWERS = {"LA6568-5": 0.0, "LA6569-3": 1.0, "LA6570-1": 2.0, "LA6571-9": 3.0}
ANSWER_RANGE = (0.0, 3.0)
# Kinds of ideation, LL5434-7: wish to be dead, thoughts, methods, intent, a plan.
IDEATION = {
    "LA30370-3": 1.0,
    "LA30371-1": 2.0,
    "LA30372-9": 3.0,
    "LA30373-7": 4.0,
    "LA30374-5": 5.0,
}
# No and yes, LL5384-4, which maps them to SNOMED CT's as well.
SNOMED = "http://snomed.info/sct"
YES_NO = {"LA32-8": 0.0, "LA33-6": 1.0, "373067005": 0.0, "373066001": 1.0}
# Scale's key -> LOINC codes of its items, in the order of the form. Sources:
# loinc.org/44249-1 (PHQ-9), loinc.org/55757-9 (PHQ-2); for the GAD-7 the example
# QuestionnaireResponse of HL7's Personal Health Record guide.
ITEMS: Mapping[str, tuple[str, ...]] = {
    "phq9": (
        *("44250-9", "44255-8", "44259-0", "44254-1", "44251-7"),
        *("44258-2", "44252-5", "44253-3", "44260-8"),
    ),
    "gad7": (
        *("69725-0", "68509-9", "69733-4", "69734-2"),
        *("69735-9", "69689-8", "69736-7"),
    ),
    "phq2": ("44250-9", "44255-8"),
}
# Scale's key -> LOINC's answers to its items; an instrument that is not here has none.
ANSWER_LISTS: Mapping[str, Mapping[str, float]] = {
    "phq9": ANSWERS,
    "phq2": ANSWERS,
    "gad7": ANSWERS,
    "cssrs": IDEATION,
    **dict.fromkeys(
        (
            *("cssrs-wish", "cssrs-thoughts", "cssrs-method", "cssrs-intent"),
            *("cssrs-plan", "cssrs-behaviour", "cssrs-behaviour-recent"),
            "cms-self-harm",
        ),
        YES_NO,
    ),
}
# The number that a coding stands for; itemWeight is the newer name of ordinalValue
# (hl7.org/fhir/extensions/StructureDefinition-itemWeight.html).
ORDINALS = frozenset(
    {
        "http://hl7.org/fhir/StructureDefinition/ordinalValue",
        "http://hl7.org/fhir/StructureDefinition/itemWeight",
    }
)
# Panels whose components hold an instrument's items and total -> the scale's key.
# Source: loinc.org, panels of these numbers; a panel's code is never a total's.
PANELS = {
    (LOINC, "44249-1"): "phq9",
    (LOINC, "55757-9"): "phq2",
    (LOINC, "69737-5"): "gad7",
    (LOINC, "101697-1"): "pcl5",
    (LOINC, "71354-5"): "epds",
    (LOINC, "89206-7"): "phq9-teen",
    **dict.fromkeys(
        [(LOINC, code) for code in ("93245-9", "93278-0", "93373-9", "93485-1")],
        "cssrs",
    ),
}
# Judged from the answers beside it, and no answer itself: the C-SSRS's level of risk.
DERIVED = (LOINC, "93374-7")
_FORM_NAMES = {
    "phq9": ("phq9", "phq-9", "phq_9"),
    "phq9-teen": ("phq-a", "phqa", "phq9-teen", "phq-9-teen", "phq-9-modified-teens"),
    "epds": ("epds", "edinburgh-postnatal-depression-scale"),
    "cssrs": ("cssrs", "c-ssrs", "cssrs-screener", "c-ssrs-screener"),
    "madrs": ("madrs",),
    "hamd17": ("hamd17", "hamd-17", "ham-d", "hamd", "ham-d-17"),
}
# What the canonical addresses of forms end in, in lower case -> the scale's key. Such
# a form is known by name only: enough to say that an answer in it was not read.
FORMS: Mapping[str, str] = {
    **{code: key for (_, code), key in PANELS.items()},
    **{
        pattern.format(name): key
        for key, names in _FORM_NAMES.items()
        for name in names
        for pattern in ("{}", "{}-form", "{}-questionnaire", "{}-example", "{}.pdf")
    },
    "cssrs-screen-version-instrument.pdf": "cssrs",  # as HL7's example names it
}

_SAME_SYSTEM = {"urn:oid:2.16.840.1.113883.6.1": LOINC, "https://loinc.org": LOINC}
FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
SOURCE = re.compile(
    r"(Observation|QuestionnaireResponse)/[A-Za-z0-9\-.]{1,64}"
    r"(/_history/[A-Za-z0-9\-.]{1,64})?"
)
_LOINC_CODE = re.compile(r"([0-9]{1,7})-([0-9])")
# R4's datatype `code` (single spaces within), no control characters, and no essay.
DIARY_CODE = re.compile(r"(?=.{1,200}\Z)[^\s\x00-\x1f\x7f]+( [^\s\x00-\x1f\x7f]+)*")


def canonical(system: object) -> str:
    """The usual URI of a code system that is known by several; empty if not a text."""
    return _SAME_SYSTEM.get(system, system) if isinstance(system, str) else ""


def spellings(system: str) -> list[str]:
    """Every URI by which that code system is known."""
    return [system, *(other for other, one in _SAME_SYSTEM.items() if one == system)]


def check_digit_fits(code: str) -> bool:
    """True for a LOINC number whose last digit checks the others.

    Modulus 10 with every second digit doubled, from the right (LOINC Users' Guide).
    """
    found = _LOINC_CODE.fullmatch(code)
    if found is None:
        return False
    number, digit = found.groups()
    doubled = "".join(
        str(int(one) * (1 + (place % 2 == 0)))
        for place, one in enumerate(reversed(number))
    )
    return (sum(map(int, doubled)) + int(digit)) % 10 == 0


@cache
def safety_items() -> dict[tuple[str, str], Scale]:
    """(system, code) of each safety item -> the questionnaire it belongs to."""
    return {
        (scale.safety_system, scale.safety_item.code): scale
        for scale in known_scales().values()
        if scale.safety_item is not None
    }
