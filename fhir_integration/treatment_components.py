"""What advice on a medicine says of itself, component by component.

Medicine, genes and phenotypes bear the codes of HL7's Genomics Reporting guide. Each
source's advice is a component of its own, with what only that source says in an
extension: sources are never merged. What is not known is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backend.twin.genes import genes
from backend.twin.pharmacogenomics.advice import Advice
from backend.twin.pharmacogenomics.gene_result import NO_RESULT, GeneResult
from backend.twin.pharmacogenomics.safety import Stop
from backend.twin.ports import TreatmentDocument
from fhir_integration import codes
from fhir_integration.elements import concept, rounded
from fhir_integration.strict_json import Json

IMPLICATION = "therapeutic-implication"
# CPIC's terms that the value set genetic-therapeutic-implications-vs has an answer for.
_ANSWERS = {
    "Ultrarapid Metabolizer": "LA10315-2",
    "Rapid Metabolizer": "LA25390-8",
    "Normal Metabolizer": "LA25391-6",
    "Intermediate Metabolizer": "LA10317-8",
    "Poor Metabolizer": "LA9657-3",
}
ACTIONS = {
    "standard_dosing": "Standard dosing",
    "reduced_dosing": "Reduced dosing",
    "increased_dosing": "Increased dosing",
    "consider_alternative": "Consider an alternative",
    "careful_monitoring": "Careful monitoring",
    "no_recommendation": "No recommendation",
}
_SEVERITIES = {"stop": "Do not use", "caution": "Caution", "monitor": "Monitor"}


def components(document: TreatmentDocument) -> list[Json]:
    """The medicine, the genes with their phenotypes, each advice and each stop."""
    return [
        assessed(document),
        *(part for one in document.results for part in _gene(one)),
        *_evidence(document.advice),
        *map(_advice, document.advice),
        *map(_stop, document.stops),
        {
            "code": concept(codes.GENOMICS, "conclusion-string"),
            "valueString": conclusion(document),
        },
    ]


def conclusion(document: TreatmentDocument) -> str:
    """One sentence: which source says what, and how many stops there are."""
    said: dict[str, list[str]] = {}
    for one in document.advice:
        said.setdefault(ACTIONS[one.action], []).append(one.source)
    told = "; ".join(
        f"{action}: {', '.join(dict.fromkeys(by))}" for action, by in said.items()
    )
    grave = sum(one.severity == "stop" for one in document.stops)
    stops = f" Reasons not to use it: {grave}." if grave else ""
    return f"{document.medication}. {told or 'No source was asked'}.{stops}"


def advice_text(one: Advice) -> str:
    """One source's advice in a line: for whom, what, how strongly, and why."""
    keys = "; ".join(f"{gene} {key}" for gene, key in one.genes.items())
    head = f"{one.source}, {one.population}: {ACTIONS[one.action]}"
    parts = [
        ", ".join([head, *_doses(one)]),
        keys,
        f"classification {one.classification}",
    ]
    parts.append(f"{one.guideline} {one.guideline_version}".strip())
    body = "; ".join(filter(None, parts))
    return f"{body}. {one.rationale}".strip()


def _doses(one: Advice) -> Iterator[str]:
    """The doses that a source names, of the part of the treatment that it means."""
    used = "if used " if one.action == "consider_alternative" else ""
    if one.dose_factor is not None:
        upto = f" to {one.dose_factor_to:g}" if one.dose_factor_to is not None else ""
        part = f" ({one.dose_part})" if one.dose_part else ""
        yield f"{used}{one.dose_factor:g}{upto} of the usual dose{part}"
    if one.dose_limit:
        yield f"at most {one.dose_limit}"
    if one.dose_scheme:
        yield one.dose_scheme


def stop_text(one: Stop) -> str:
    """What must be heeded in a line, with its source."""
    return f"{_SEVERITIES[one.severity]}: {one.text} ({one.source})"


def assessed(document: TreatmentDocument) -> Json:
    """The medicine that it is about; by its name alone where it has no code."""
    named: Json = {"text": document.medication}
    if document.rxnorm:
        coded = concept(codes.RXNORM, document.rxnorm, document.medication)
        named = {**coded, **named}
    code = concept(codes.LOINC, "51963-7", "Medication assessed")
    return {"code": code, "valueCodeableConcept": named}


def _gene(result: GeneResult) -> Iterator[Json]:
    """The gene, what its alleles make of it, and what current medication does then."""
    known = genes().get(result.gene)
    named: Json = {"text": result.gene}
    if known is not None:
        named = {**concept(codes.HGNC, f"HGNC:{known.hgnc}", result.gene), **named}
    studied = concept(codes.LOINC, "48018-6", "Gene studied [ID]")
    yield {"code": studied, "valueCodeableConcept": named}
    if result.phenotype != NO_RESULT:
        code = concept(codes.GENOMICS, IMPLICATION)
        yield {"code": code, "valueCodeableConcept": _effect(result, result.phenotype)}
    if result.adjusted_phenotype is not None:
        code = concept(codes.ADVICE, "adjusted-phenotype")
        code["text"] = "Phenotype with current medication"
        effect = _effect(result, result.adjusted_phenotype)
        yield {"code": code, "valueCodeableConcept": effect}


def _effect(result: GeneResult, phenotype: str) -> Json:
    """The phenotype, coded where the list has an answer; its words name the gene."""
    told: Json = {"text": f"{result.gene} {phenotype}"}
    answer = _ANSWERS.get(phenotype)
    return {**concept(codes.LOINC, answer, phenotype), **told} if answer else told


def _evidence(advice: tuple[Advice, ...]) -> Iterator[Json]:
    """How strongly each source speaks, in its own terms."""
    graded = dict.fromkeys(f"{one.source}: {one.classification}" for one in advice)
    if graded:
        code = concept(codes.LOINC, "93044-6", "Level of evidence")
        yield {"code": code, "valueCodeableConcept": {"text": "; ".join(graded)}}


def _advice(one: Advice) -> Json:
    return {
        "extension": [{"url": codes.DETAIL, "extension": list(_details(one))}],
        "code": {**concept(codes.ADVICE, "advice"), "text": f"Advice of {one.source}"},
        "valueCodeableConcept": {
            **concept(codes.ADVICE, one.action, ACTIONS[one.action]),
            "text": advice_text(one),
        },
    }


def _details(one: Advice) -> Iterator[Json]:
    yield from _texts(
        {
            "source": one.source,
            "population": one.population,
            "classification": one.classification,
            "guideline": one.guideline,
            "guideline-version": one.guideline_version,
            "dose-limit": one.dose_limit or "",
            "dose-scheme": one.dose_scheme or "",
            "dose-part": one.dose_part,
            "citation": one.citation,
        }
    )
    yield from _keys("gene", one.genes)
    yield from _keys("gene-alone", one.genetic_keys)
    yield {"url": "dose-change", "valueBoolean": one.dose_change}
    yield {"url": "alternate-drug", "valueBoolean": one.alternate_drug}
    for name, factor in (
        ("dose-factor", one.dose_factor),
        ("dose-factor-to", one.dose_factor_to),
    ):
        if factor is not None:
            yield {"url": name, "valueDecimal": rounded(factor)}


def _keys(name: str, keys: Mapping[str, str]) -> Iterator[Json]:
    return _texts_of(name, (f"{gene}: {key}" for gene, key in keys.items()))


def _texts(said: Mapping[str, str]) -> Iterator[Json]:
    for name, text in said.items():
        yield from _texts_of(name, [text] if text else [])


def _texts_of(name: str, texts: Iterator[str] | list[str]) -> Iterator[Json]:
    return ({"url": name, "valueString": text} for text in texts)


def _stop(one: Stop) -> Json:
    said = {"code": one.code, "source": one.source}
    details = [*_texts(said), *_texts_of("needs", list(one.needs))]
    return {
        "extension": [{"url": codes.DETAIL, "extension": details}],
        "code": {**concept(codes.ADVICE, "safety"), "text": "To be heeded before use"},
        "valueCodeableConcept": {
            **concept(codes.ADVICE, one.severity, _SEVERITIES[one.severity]),
            "text": stop_text(one),
        },
    }
