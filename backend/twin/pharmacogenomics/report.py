"""The whole answer of the service for one person: pure, from calls to recommendations.

In this order: calls, phenotypes, what current medication makes of them, each source's
advice, stops, and one recommendation per medicine. The response model's figures come
last, and only where nothing stopped a medicine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType

from backend.twin.pharmacogenomics.advice import Advice, advise_all
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.comparison import Comparison, compare, on_regimen
from backend.twin.pharmacogenomics.drugs import Drug, drugs, sort_out
from backend.twin.pharmacogenomics.gene_result import GeneResult
from backend.twin.pharmacogenomics.phenoconversion import adjusted
from backend.twin.pharmacogenomics.phenotype import Refusal, Unused, read_calls
from backend.twin.pharmacogenomics.population import Population
from backend.twin.pharmacogenomics.quality import GeneticQuality, genetic_quality
from backend.twin.pharmacogenomics.recommendation import (
    DISCLAIMER,
    Recommendation,
    not_known,
    recommend,
    with_response,
)
from backend.twin.pharmacogenomics.response import Response, ResponsePolicy
from backend.twin.pharmacogenomics.safety import Stop, stops

_UNSAID: Mapping[str, bool] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of a person, and what is asked.

    `medications`: names or RxNorm codes; none asks for `default_options`. `current`:
    the same of what is taken now; None where nobody knows. `conditions`: by concept,
    whether it is there.
    """

    calls: tuple[Call, ...] = ()
    medications: tuple[str, ...] = ()
    current: tuple[str, ...] | None = None
    population: Population = field(default_factory=Population)
    conditions: Mapping[str, bool] = field(default_factory=lambda: _UNSAID)


@dataclass(frozen=True, slots=True)
class Report:
    """The answer. `genes`: results with what current medication makes of them.

    `unused`: genes that were called and from which no advice may follow. `refused`:
    calls that could not be read. `unknown_current`: medicines said to be taken that the
    catalogue does not know, as they were named: nothing of them was counted.
    `recommendations`: in the order asked for, unknown medicines last.
    """

    genes: tuple[GeneResult, ...]
    advice: tuple[Advice, ...]
    stops: tuple[Stop, ...]
    recommendations: tuple[Recommendation, ...]
    comparison: Comparison
    quality: GeneticQuality
    unused: tuple[Unused, ...] = ()
    refused: tuple[Refusal, ...] = ()
    unknown_current: tuple[str, ...] = ()
    disclaimer: str = DISCLAIMER

    @property
    def to_score(self) -> tuple[str, ...]:
        """Medicines that the response model may be asked about: none that is barred."""
        return tuple(
            one.medication
            for one in self.recommendations
            if not one.is_stopped and one.action != "unknown"
        )


@cache
def default_options() -> tuple[str, ...]:
    """What is compared where no medicine is named: the SSRIs and bupropion."""
    ssris = [one.name for one in drugs().values() if one.is_one_of(["@ssri"])]
    return (*ssris, "bupropion")


def report(case: Case) -> Report:
    """The answer by guidelines and stops; the response model was not asked."""
    reading = read_calls(case.calls)
    carried = dict.fromkeys(reading.conditions, True)
    case = replace(case, conditions={**case.conditions, **carried})
    asked = case.medications or default_options()
    known, _ = sort_out(asked)
    taken, unknown_current = sort_out(case.current or ())
    lines, unknown = advise_all(
        asked, reading.results, case.population, current=case.current or ()
    )
    genes = adjusted(reading.results, case.current or ())
    found = _stops(case, reading.results, known, genes)
    words = [
        recommend(
            one.name,
            [line for line in lines if line.medication == one.name],
            [stop for stop in found if stop.drug == one.name],
        )
        for one in known
    ]
    words += [not_known(one.medication) for one in unknown]
    return Report(
        genes=genes,
        advice=lines,
        stops=found,
        recommendations=tuple(words),
        comparison=replace(compare(words), regimen=on_regimen(known, taken)),
        quality=genetic_quality(reading.results, [one.name for one in known]),
        unused=reading.unused,
        refused=reading.refused,
        unknown_current=unknown_current,
    )


def scored(
    made: Report,
    responses: Mapping[str, Response],
    policy: ResponsePolicy | None = None,
) -> Report:
    """The report with the model's answers by medicine; of `to_score`, as far as given.

    None of them takes away a restriction, and one of a stopped medicine is not read.
    """
    rule = policy or ResponsePolicy()
    words = tuple(
        with_response(one, responses.get(one.medication), rule)
        for one in made.recommendations
    )
    ranking = replace(compare(words), regimen=made.comparison.regimen)
    return replace(made, recommendations=words, comparison=ranking)


def _stops(
    case: Case,
    results: Sequence[GeneResult],
    known: Sequence[Drug],
    genes: Sequence[GeneResult],
) -> tuple[Stop, ...]:
    """Of every medicine by `genes`; of one that is taken without its own inhibition."""
    current = case.current or ()
    taken, _ = sort_out(current)
    return tuple(
        stop
        for one in known
        for stop in stops(
            one.name,
            genotype=(
                adjusted(results, current, drug=one.name) if one in taken else genes
            ),
            population=case.population,
            conditions=case.conditions,
            current=case.current,
        )
    )
