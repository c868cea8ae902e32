"""What each source advises on a medicine for someone's genes; sources side by side.

One generic matcher: by medicine, keys and population. Sources are never merged, and a
source with nothing to say says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Literal

from backend.twin.errors import UnknownMedication
from backend.twin.pharmacogenomics import rationale
from backend.twin.pharmacogenomics.advice_keys import Asked, asked, genetic_key
from backend.twin.pharmacogenomics.advice_table import (
    GENERAL,
    Action,
    Guideline,
    Row,
    Source,
    Table,
    tables,
)
from backend.twin.pharmacogenomics.drugs import Drug, find_drugs, sort_out
from backend.twin.pharmacogenomics.gene_result import GeneResult
from backend.twin.pharmacogenomics.phenoconversion import adjusted
from backend.twin.pharmacogenomics.population import Population, fitting

_ByGene = Mapping[str, Sequence[GeneResult]]


@dataclass(frozen=True, slots=True)
class Advice:
    """One source's advice on one medicine for one population it tells apart.

    `dose_change`, `alternate_drug`, `classification` and the keys in `genes` are the
    source's own terms. `dose_factor` is of the usual dose (0.5: half), up to
    `dose_factor_to` where the source gives a range, of the `dose_part` named.
    `dose_limit`: what is not to be exceeded, `dose_scheme`: doses to be gone through,
    with units; a maximum has a limit and no factor. `genetic_keys`: the keys by the
    genes alone where current medication changed any; then `genes` has the keys that
    count.
    """

    medication: str
    source: Source
    population: str
    action: Action
    dose_change: bool
    alternate_drug: bool
    classification: str
    genes: Mapping[str, str]
    guideline: str
    guideline_version: str
    rationale: str
    dose_factor: float | None = None
    dose_factor_to: float | None = None
    dose_part: str = ""
    dose_limit: str | None = None
    dose_scheme: str | None = None
    alternatives: tuple[str, ...] = ()
    citation: str = ""
    genetic_keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def counts_by(self) -> Literal["genes", "current medication"]:
        """What the advice goes by: the genes alone, or with current medication."""
        return "current medication" if self.genetic_keys else "genes"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A medicine that the catalogue does not know, as it was asked for."""

    medication: str
    code: Literal["UNKNOWN"] = "UNKNOWN"


def advise(
    medication: str, results: Sequence[GeneResult], population: Population
) -> tuple[Advice, ...]:
    """Every source's lines on a medicine, by name or code; in a fixed order.

    `results` as current medication leaves them. A source that says nothing has one
    line that says so. A fact of the population that is unknown gives a line for each
    group it could decide. Raises UnknownMedication for what the catalogue does not
    know.
    """
    found = find_drugs(medication)
    if not found:
        raise UnknownMedication(medication)
    genes = _by_gene(results)
    return tuple(line for one in found for line in _of_drug(one, genes, population))


def advise_all(
    medications: Iterable[str],
    results: Sequence[GeneResult],
    population: Population,
    *,
    current: Sequence[str] = (),
) -> tuple[tuple[Advice, ...], tuple[Unknown, ...]]:
    """The advice on several medicines, and those that are unknown: never silence.

    `results`: by the genes alone; what the medicines of `current` make of them is
    worked out here, and for one of those without its own inhibition, which its
    guideline has counted.
    """
    known, unknown = sort_out(medications)
    taken, _ = sort_out(current)
    common = _by_gene(adjusted(results, current) if taken else results)
    lines: list[Advice] = []
    for drug in known:
        if drug in taken:
            genes = _by_gene(adjusted(results, current, drug=drug.name))
        else:
            genes = common
        lines += _of_drug(drug, genes, population)
    return tuple(lines), tuple(Unknown(one) for one in unknown)


def _of_drug(drug: Drug, genes: _ByGene, who: Population) -> Iterator[Advice]:
    for table in tables().values():
        yield from _of_source(table, drug.name, genes, who)


def _by_gene(results: Sequence[GeneResult]) -> dict[str, list[GeneResult]]:
    """Results by gene; the possible ones of an ambiguous call in an order of their own.

    So the lines do not depend on the order in which calls came.
    """
    found: dict[str, list[GeneResult]] = {}
    for one in results:
        found.setdefault(one.gene, []).append(one)
    for several in found.values():
        several.sort(key=_order)
    return found


def _order(result: GeneResult) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return result.phenotype, result.lookup_keys, result.candidates


def _of_source(
    table: Table, drug: str, genes: _ByGene, who: Population
) -> Iterator[Advice]:
    guidelines = table.of(drug)
    if not guidelines:
        yield _no_guideline(table, drug)
    for guideline in guidelines:
        case = _Case(table, guideline, drug, who)
        questions = (
            _questions(table.source, genes.get(gene) or (GeneResult(gene),))
            for gene in guideline.genes
        )
        for one in product(*questions):
            yield from case.lines(one)


def _questions(source: Source, results: Iterable[GeneResult]) -> list[Asked]:
    return [question for one in results for question in asked(source, one)]


def _no_guideline(table: Table, drug: str) -> Advice:
    return Advice(
        medication=drug,
        source=table.source,
        population=GENERAL,
        action="no_recommendation",
        dose_change=False,
        alternate_drug=False,
        classification="N/A",
        genes={},
        guideline="",
        guideline_version=table.versions[0],
        rationale=rationale.without_guideline(table.source, drug),
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """One guideline asked about one medicine for one person."""

    table: Table
    guideline: Guideline
    drug: str
    who: Population

    def lines(self, asked_of: tuple[Asked, ...]) -> Iterator[Advice]:
        """The lines for one combination of results; one that says so if none."""
        found = list(self._rows(asked_of))
        yield from (self._of_row(asked_of, *one) for one in found)
        if not found and not any(one.is_extra for one in asked_of):
            yield self._of_none(asked_of)

    def _rows(
        self, asked_of: tuple[Asked, ...]
    ) -> Iterator[tuple[str, Row, list[tuple[str, ...]]]]:
        """Each row that answers, by population, with the keys it answers for."""
        drug, genes = self.drug, self.guideline.genes
        for group in fitting(self.table.populations(drug, genes), self.who, drug):
            hits: dict[Row, list[tuple[str, ...]]] = {}
            for keys in product(*(one.keys for one in asked_of)):
                row = self.table.cells.get((drug, genes, keys, group))
                if row is not None:
                    hits.setdefault(row, []).append(keys)
            yield from ((group, row, keys) for row, keys in hits.items())

    def _of_row(
        self,
        asked_of: tuple[Asked, ...],
        group: str,
        row: Row,
        keys: list[tuple[str, ...]],
    ) -> Advice:
        limit = rationale.limit_at(row.limit, self.who.age_years)
        joined = (" or ".join(dict.fromkeys(one)) for one in zip(*keys, strict=True))
        genes = dict(zip(self.guideline.genes, joined, strict=True))
        base = self._base(asked_of, genes, rationale.of_row(row, limit))
        return replace(
            base,
            population=group,
            action=row.action,
            dose_change=row.dose_change,
            alternate_drug=row.alternate_drug,
            classification=row.strength[self.drug],
            dose_factor=None if row.is_maximum else row.factor,
            dose_factor_to=None if row.is_maximum else row.factor_to,
            dose_part=row.part,
            dose_limit=None if row.is_scheme else limit,
            dose_scheme=limit if row.is_scheme else None,
            alternatives=row.instead,
        )

    def _of_none(self, asked_of: tuple[Asked, ...]) -> Advice:
        keys = (" or ".join(one.keys) for one in asked_of)
        genes = dict(zip(self.guideline.genes, keys, strict=True))
        return self._base(asked_of, genes, rationale.without_row(self.guideline, genes))

    def _base(
        self, asked_of: tuple[Asked, ...], genes: Mapping[str, str], said: str
    ) -> Advice:
        """A line without a recommendation, and all that every line has."""
        main = [one.result for one in asked_of if not one.is_extra]
        alone = {one.gene: genetic_key(self.table.source, one) for one in main}
        changed = {
            one.gene: alone[one.gene]
            for one in main
            if one.adjusted_lookup_key and alone[one.gene] != genes[one.gene]
        }
        parts = [said, *rationale.on_keys(genes, self.guideline)]
        parts += [
            rationale.on_medication(one, genes[one.gene], changed.get(one.gene))
            for one in main
            if one.adjusted_because
        ]
        return Advice(
            medication=self.drug,
            source=self.table.source,
            population=GENERAL,
            action="no_recommendation",
            dose_change=False,
            alternate_drug=False,
            classification=self.guideline.strength,
            genes=genes,
            guideline=self.guideline.number,
            guideline_version=self.guideline.version,
            rationale=" ".join(parts),
            citation=self.guideline.citation,
            genetic_keys=changed,
        )
