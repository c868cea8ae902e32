"""Stored advice on its page: a word on each medicine, whose, and what is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils.html import format_html
from django.utils.safestring import SafeString

from backend.pages.tables import paragraphs, table
from backend.predictions.response_model import LABEL
from backend.predictions.stored_advice import NOT_TOLD
from backend.predictions.treatment_answer import TreatmentAnswer
from backend.twin.pharmacogenomics.advice import Advice
from backend.twin.pharmacogenomics.attribution import attributions
from backend.twin.pharmacogenomics.gene_result import GeneResult
from backend.twin.pharmacogenomics.recommendation import Recommendation

SOURCES = "Answered by sources and safety rules alone (no model)."
_NONE = "–"
_GENES = ("gene", "diplotype", "by the genes", "with what is taken", "key", "warnings")
_ADVICE = (
    *("medicine", "source", "population", "action", "strength", "keys", "dose"),
    *("why", "guideline"),
)
_WORDS = ("medicine", "word", "caution", "why", "not known", "model")


def advice_page(answer: TreatmentAnswer) -> SafeString:
    """Words first, then each source, what must be heeded, and the genes behind it."""
    made = answer.report
    stops = (
        (one.drug, one.severity, one.text, "; ".join(one.needs), one.source)
        for one in made.stops
    )
    return format_html(
        "{}{}{}{}{}{}{}",
        paragraphs([made.disclaimer, _who(answer), _taken(answer), *_kept(answer)]),
        table("Medicines", _WORDS, map(_word, made.recommendations)),
        table("To be heeded", ("medicine", "how", "what", "unknown", "source"), stops),
        table("Every source", _ADVICE, map(_line, made.advice)),
        table("Genes", _GENES, map(_gene, made.genes)),
        table("Not used", ("gene", "why"), _unused(answer)),
        _basis(answer),
    )


def _who(answer: TreatmentAnswer) -> str:
    named = [f"{use.model} version {use.version}" for use in answer.models]
    return f"Estimates by {', '.join(named)}. {LABEL}" if named else SOURCES


def _taken(answer: TreatmentAnswer) -> str:
    if answer.current is None:
        return "What is taken is not known."
    unknown = answer.report.unknown_current
    also = f"; not in the catalogue: {', '.join(unknown)}" if unknown else ""
    return f"Taken: {', '.join(answer.current) or 'nothing'}{also}."


def _kept(answer: TreatmentAnswer) -> Iterator[str]:
    if answer.kept:
        yield NOT_TOLD.format(", ".join(answer.kept))


def _word(one: Recommendation) -> tuple[str, ...]:
    missing = [f"a result of {gene}" for gene in one.missing]
    return (
        one.medication,
        _plain(one.action),
        one.caution,
        one.rationale,
        "; ".join([*missing, *one.needs]),
        _model(one),
    )


def _model(one: Recommendation) -> str:
    """The estimate with how sure it is, or why there is none."""
    said = one.response
    if said is None:
        return one.withheld or _NONE
    effects = ", ".join(
        f"{effect.name.replace('_', ' ')} {effect.risk:.0%}"
        for effect in said.side_effects
    )
    return (
        f"response {said.efficacy:.0%} (percentile {said.percentile:.0%}, confidence "
        f"{said.confidence:.2f}); {effects or 'no side effect estimated'}"
    )


def _line(one: Advice) -> tuple[str, ...]:
    keys = ", ".join(f"{gene} {key}" for gene, key in one.genes.items())
    alone = ", ".join(f"{gene} {key}" for gene, key in one.genetic_keys.items())
    return (
        one.medication,
        one.source,
        one.population,
        _plain(one.action),
        one.classification,
        f"{keys} (by the genes alone: {alone})" if alone else keys,
        "; ".join(_dose(one)) or _NONE,
        one.rationale,
        " ".join(filter(None, [one.guideline, one.guideline_version, one.citation])),
    )


def _dose(one: Advice) -> Iterator[str]:
    if one.dose_factor is not None:
        to = "" if one.dose_factor_to is None else f" to {one.dose_factor_to:g}"
        yield f"x {one.dose_factor:g}{to} {one.dose_part}".rstrip()
    yield from filter(None, (one.dose_limit, one.dose_scheme))


def _gene(one: GeneResult) -> tuple[str, ...]:
    because = "; ".join(one.adjusted_because)
    adjusted = " ".join(
        filter(None, [one.adjusted_phenotype, because and f"({because})"])
    )
    return (
        one.gene,
        one.lookup_diplotype or _NONE,
        f"{one.phenotype} (score {one.activity_score}, {one.basis})",
        adjusted or _NONE,
        one.adjusted_lookup_key or one.lookup_key,
        "; ".join(warning.text for warning in one.warnings),
    )


def _unused(answer: TreatmentAnswer) -> Iterable[tuple[str, str]]:
    made = answer.report
    refused = ((one.gene or _NONE, one.reason) for one in made.refused)
    return [*((one.gene, one.why) for one in made.unused), *refused]


def _basis(answer: TreatmentAnswer) -> SafeString:
    """The tables' versions at the time, and whose they are."""
    versions = answer.knowledge.versions
    rows = (
        (one.source, versions.get(one.source, _NONE), one.licence, one.by)
        for one in attributions()
    )
    return table("Sources", ("source", "version", "licence", "whose"), rows)


def _plain(action: str) -> str:
    return action.replace("_", " ")
