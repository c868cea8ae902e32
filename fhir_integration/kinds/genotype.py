"""Genetic results: what a laboratory says of one gene, in the shapes of ten years.

Read: the genotype of HL7's Genomics Reporting guide, the metabolizer status of one
gene, R4's own examples with the gene in an extension, HLA haplotypes. A haplotype of
an enzyme is half a result and is not read. A therapeutic implication speaks of a drug;
what it derives from is read instead, and only one that derives from nothing and names
its gene counts as a statement of the gene's phenotype. Genes do not age: a result
without a day, or with a year only, is used. Sources: hl7.org/fhir/uv/genomics-reporting
and, for the answers, its value set genetic-therapeutic-implications-vs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from backend.twin.genes import GeneCall, genes, symbols_by_hgnc
from backend.twin.record import Reason
from fhir_integration.codes import GENOMICS, LOINC, canonical
from fhir_integration.instruments import codings, dicts
from fhir_integration.kinds.diplotype import Said, fit, read_text
from fhir_integration.kinds.modified import is_modified
from fhir_integration.kinds.presence import flags, is_plain
from fhir_integration.kinds.refused import Refused
from fhir_integration.observation import is_assertion_of_ai
from fhir_integration.statuses import not_used
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject
from fhir_integration.times import Moment, moment

_HAPLOTYPE, _GENE, _EFFECT = "84414-2", "48018-6", "53040-2"
# Metabolizer status of one gene. Which gene 79714-2 and 79715-9 stand for could not be
# confirmed at LOINC, and public lists differ: there the resource must name it.
_STATUSES = {"79716-7": "CYP2C9", "79714-2": "", "79715-9": ""}
_RESULTS = frozenset({"84413-4", _HAPLOTYPE, *_STATUSES})
_KNOWN = _RESULTS | {_GENE, _EFFECT}
_SNOMED = ("http://snomed.info/sct", "363779003")  # genotype determination
_IMPLICATION = "therapeutic-implication"
_EFFECTS = frozenset({_EFFECT, _IMPLICATION, "predicted-therapeutic-implication"})
_EXTENSION = "http://hl7.org/fhir/StructureDefinition/observation-geneticsGene"
_HGNC = frozenset(
    {
        "http://www.genenames.org",
        "http://www.genenames.org/geneId",
        "https://www.genenames.org",
        "https://www.genenames.org/geneId",
        "urn:oid:2.16.840.1.113883.6.281",
    }
)
ANSWERS = {
    "LA10315-2": "ultrarapid",
    "LA25390-8": "rapid",
    "LA25391-6": "normal",
    "LA10317-8": "intermediate",
    "LA9657-3": "poor",
    "LA25392-4": "increased function",
    "LA25393-2": "normal function",
    "LA25395-7": "decreased function",
    "LA25394-0": "poor function",
    "LA6576-8": "positive",
    "LA9633-4": "positive",  # present
    "LA6577-6": "negative",
    "LA9634-2": "negative",  # absent
}
_HIGHEST_ACTIVITY = 20.0  # ten copies of the most active allele


def codes_of_genotypes() -> set[tuple[str, str]]:
    """(system, code) of every Observation that is read here, for a search."""
    of_effects = {(GENOMICS, code) for code in _EFFECTS - {_EFFECT}}
    return {_SNOMED} | {(LOINC, code) for code in _RESULTS | {_EFFECT}} | of_effects


def is_genotype(resource: Json) -> bool:
    """True for an Observation that speaks of a gene's alleles or what they effect."""
    is_observation = resource.get("resourceType") == "Observation"
    return is_observation and _kind(resource) not in ("", _GENE)


def read_genotype(
    resource: Json, *, subject: Subject, source: str
) -> tuple[GeneCall | Refused, ...]:
    """The gene's result, or why it is not used; never raises.

    `()` for an implication that derives from results which are read on their own.
    """
    objection = _objection(resource, subject=subject)
    if objection is not None:
        return (Refused(objection),)
    if _kind(resource) in _EFFECTS and dicts(resource.get("derivedFrom")):
        return ()
    read = _call(resource, source=source)
    return (Refused(read) if isinstance(read, Reason) else read,)


def _objection(resource: Json, *, subject: Subject) -> Reason | None:
    if resource.get("resourceType") != "Observation" or is_assertion_of_ai(resource):
        return Reason.WRONG_TYPE
    reason = not_used(resource.get("status"))
    if reason is not None:
        return reason
    if not subject.owns(resource):
        return Reason.WRONG_PATIENT
    return None if is_genotype(resource) else Reason.UNKNOWN_CODE


def _kind(element: Json) -> str:
    """The code that says what an Observation, or a component, is about; "" if none."""
    for coding in codings(element):
        system, code = canonical(coding.get("system")), _text(coding.get("code"))
        if (system, code) == _SNOMED or code in _EFFECTS - {_EFFECT}:
            return code
        if system == LOINC and code in _KNOWN:
            return code
    return ""


def _call(resource: Json, *, source: str) -> GeneCall | Reason:
    stated = _stated_genes(resource)
    said = stated if isinstance(stated, Reason) else _said(resource, stated)
    if isinstance(said, Reason):
        is_half = _kind(resource) in _EFFECTS | {_HAPLOTYPE}
        return Reason.NOT_READ if is_half and said is not Reason.MALFORMED else said
    activity = _activity(resource)
    if isinstance(activity, Reason):
        return activity
    return GeneCall(
        gene=said.gene,
        diplotype=said.diplotypes[0] if len(said.diplotypes) == 1 else "",
        phenotype=said.phenotype,
        activity=activity,
        day=_day(resource),
        source=source,
        ambiguous=said.diplotypes if len(said.diplotypes) > 1 else (),
    )


def _stated_genes(resource: Json) -> frozenset[str] | Reason:
    """Symbols beside the value; "" for a gene that the table does not know."""
    concepts: list[object] = [
        part.get("valueCodeableConcept") or part.get("valueString")
        for part in _components(resource)
        if _kind(part) == _GENE
    ]
    concepts += [
        extension.get("valueCodeableConcept")
        for extension in dicts(resource.get("extension"))
        if extension.get("url") == _EXTENSION
    ]
    found = [_symbols(concept) for concept in concepts]
    stated = frozenset(next(iter(symbols), "") for symbols in found)
    coded = _STATUSES.get(_kind(resource))
    if coded == "" and not found:  # then the code's own words may name it
        named = _named_by_code(resource)
        found, stated = [named], frozenset(named)
    if any(len(symbols) > 1 for symbols in found) or (coded and stated - {coded}):
        return Reason.MALFORMED  # number and name disagree, or the code with them
    return stated | {coded} if coded else stated


def _named_by_code(resource: Json) -> set[str]:
    """Genes in the words of its code: "CYP2D6 gene product metabolic activity"."""
    texts = " ".join(_titles(resource)).upper()
    words = set(re.findall(r"[A-Z0-9-]+", texts))
    return words & genes().keys()


def _symbols(concept: object) -> set[str]:
    """Each gene that a concept or a plain text names, by number or by symbol."""
    texts, numbers = {_text(concept)}, set()
    if isinstance(concept, dict):
        texts.add(_text(concept.get("text")))
        for coding in dicts(concept.get("coding")):
            code = _text(coding.get("code"))
            texts |= {code, _text(coding.get("display"))}
            number = re.fullmatch(r"(?:HGNC:)?(\d{1,6})", code, re.ASCII)
            if number and _text(coding.get("system")) in _HGNC:
                numbers.add(symbols_by_hgnc().get(int(number[1]), ""))
    return numbers | {text.upper() for text in texts if text.upper() in genes()}


def _said(resource: Json, stated: frozenset[str]) -> Said | Reason:
    """All that the value and its components say, put together."""
    gene = next(iter(stated)) if len(stated) == 1 else ""
    effects = [part for part in _components(resource) if _kind(part) in _EFFECTS]
    elements = [resource, *effects]
    if "dataAbsentReason" in resource or not any(map(_values, elements)):
        return Reason.NO_VALUE
    read = [said for element in elements for said in _readings(element, gene)]
    found = [said for said in read if said is not None]
    if not found:
        return Reason.UNKNOWN_CODE
    if len(found) < len(read) or any(map(_is_unclear, elements)):
        return Reason.MALFORMED  # nobody knows what the rest of it takes back
    said = _together(found, stated, flags=flags(resource))
    is_stated = any(one.phenotype and not one.is_inferred for one in found)
    if isinstance(said, Reason) or is_stated or genes()[said.gene].alleles != "hla":
        return said
    return said if is_plain(resource, read=effects) else Reason.MALFORMED


def _values(element: Json) -> list[str]:
    return [key for key in element if key.startswith("value")]


def _is_unclear(element: Json) -> bool:
    """True for two values, one that is said to be absent, one that is modified."""
    values = _values(element)
    is_absent = "dataAbsentReason" in element
    return len(values) > 1 or (bool(values) and is_absent) or is_modified(element)


def _together(
    found: list[Said], stated: frozenset[str], *, flags: set[str]
) -> Said | Reason:
    """One statement of one gene, or the reason why there is none."""
    named = {said.gene for said in found if said.gene}
    diplotypes = {said.diplotypes for said in found if said.diplotypes}
    phenotypes = {said.phenotype for said in found if said.phenotype}
    gene = genes().get(next(iter(named), ""))
    if gene is not None and gene.alleles == "hla":
        phenotypes |= flags
    parts = named, diplotypes, phenotypes
    if "?" in phenotypes or any(len(answers) > 1 for answers in parts):
        return Reason.MALFORMED  # it contradicts itself
    if stated and not named <= stated:
        return Reason.MALFORMED
    if gene is None:
        return Reason.UNKNOWN_CODE
    said = fit(gene, next(iter(diplotypes), ()), next(iter(phenotypes), ""))
    return said or Reason.UNKNOWN_CODE


def _readings(element: Json, gene: str) -> Iterator[Said | None]:
    """What each coding, and the text, of a value says; None for unreadable words."""
    concept = element.get("valueCodeableConcept")
    texts = [_text(element.get("valueString"))]
    if isinstance(concept, dict):
        texts.append(_text(concept.get("text")))
        for coding in dicts(concept.get("coding")):
            code = _text(coding.get("code"))
            if canonical(coding.get("system")) == LOINC:
                yield Said(gene, (), ANSWERS[code]) if code in ANSWERS else None
                continue
            texts.append(_text(coding.get("display")))
            said = read_text(code, gene=gene)
            if said or "*" in code or " " in code:  # else it is a mere name
                yield said
    for text in filter(None, texts):
        if text.upper() not in genes():
            yield read_text(text, gene=gene)


def _activity(resource: Json) -> float | Reason | None:
    """The activity score, from a component that calls itself so; no code is known."""
    stated = [
        part.get("valueQuantity")
        for part in _components(resource)
        if any(name.casefold().endswith("activity score") for name in _titles(part))
    ]
    if not stated:
        return None
    quantity = stated[0] if len(stated) == 1 else None
    if not isinstance(quantity, dict) or "comparator" in quantity:
        return Reason.NOT_A_NUMBER
    value = quantity.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Reason.NOT_A_NUMBER
    return float(value) if 0 <= value <= _HIGHEST_ACTIVITY else Reason.IMPLAUSIBLE


def _titles(part: Json) -> Iterator[str]:
    code = part.get("code")
    yield _text(code.get("text")) if isinstance(code, dict) else ""
    yield from (_text(coding.get("display")) for coding in codings(part))


def _components(resource: Json) -> list[Json]:
    return dicts(resource.get("component"))


def _day(resource: Json) -> date | None:
    """The day of the sample where it is one, else the day of the result, else None."""
    for key in ("effectiveDateTime", "effectiveInstant", "issued"):
        at = moment(resource.get(key))
        if isinstance(at, Moment):
            return at.day
    return None


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
