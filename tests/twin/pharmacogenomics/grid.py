"""Every phenotype, medicine, HLA status and co-medication: is the answer safe?

What a source says is looked up here once more, by a look-up of this file's own in the
tables; the engine's recommendation must not be looser, and not stricter without cause.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product

from backend.twin.pharmacogenomics.advice_table import Row, tables
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.drugs import drugs
from backend.twin.pharmacogenomics.inhibitors import statements
from backend.twin.pharmacogenomics.population import Population, fitting
from backend.twin.pharmacogenomics.recommendation import Recommendation
from backend.twin.pharmacogenomics.record_conditions import concepts_asked
from backend.twin.pharmacogenomics.report import Case, Report, report
from backend.twin.pharmacogenomics.rules import rules

NONE, UNCLEAR = "No Result", "Indeterminate"
POOR = "Poor Metabolizer"
ALTERNATIVE, RESTRICTED, FREE, SHOWN, UNTYPED, LOST = PROMISES = (
    "an alternative where a source or a stop asks for one",
    "neither usual nor more where a source or a stop restricts",
    "no restriction where nothing restricts",
    "a missing HLA type is never negative and always shown",
    "never the usual dose while an HLA type is missing",
    "a strong inhibitor leaves a poor metabolizer",
)
RESTRICTS = {"reduced_dosing", "careful_monitoring", "consider_alternative"}
_ALIKE = {"Likely Poor Metabolizer": POOR} | {
    "Likely Intermediate Metabolizer": "Intermediate Metabolizer"
}
_DOWN = {
    "Ultrarapid Metabolizer": "Rapid Metabolizer",
    "Rapid Metabolizer": "Normal Metabolizer",
    "Normal Metabolizer": "Intermediate Metabolizer",
    "Likely Intermediate Metabolizer": "Likely Poor Metabolizer",
    "Intermediate Metabolizer": POOR,
    "Likely Poor Metabolizer": POOR,
    POOR: POOR,
}
HLA = {"HLA-A": ("*31:01",), "HLA-B": ("*15:02", "*15:11")}
# Medicines taken beside: unknown, none, a strong and a moderate inhibitor of CYP2D6, a
# strong one of CYP2C19 and one of CYP3A4, an inducer.
FEW: tuple[tuple[str, ...] | None, ...] = (
    *(None, (), ("bupropion",), ("duloxetine",)),
    *(("fluvoxamine",), ("ketoconazole",), ("rifampin",)),
)
KNOWN = Population(
    age_years=40,
    prior_use=dict.fromkeys(
        ("carbamazepine", "lamotrigine", "oxcarbazepine", "phenytoin"), "naive"
    ),
    alternatives_available=True,
    pregnant=False,
    child_bearing_potential=False,
)
WELL = dict.fromkeys(sorted(concepts_asked()), False)


@dataclass(frozen=True, slots=True)
class Cell:
    """One medicine, a state for each gene of it, and what is taken beside it.

    A state is an activity score, a phenotype, an HLA allele ("-": neither), or `NONE`.
    """

    drug: str
    states: tuple[tuple[str, str], ...]
    current: tuple[str, ...] | None
    is_known: bool = True  # whether all facts beside genes and medicines are known

    def report(self) -> Report:
        """The engine's answer."""
        calls = (_call(gene, state) for gene, state in self.states if state != NONE)
        if self.is_known:
            case = Case(tuple(calls), (self.drug,), self.current, KNOWN, WELL)
        else:
            case = Case(tuple(calls), (self.drug,), self.current)
        return report(case)


@dataclass(slots=True)
class Found:
    """What was counted, and each broken promise with its first few cells."""

    cells: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    broken: dict[str, list[Cell]] = field(default_factory=dict)


def check(cells: Iterator[Cell]) -> Found:
    """Hold every promise against every cell."""
    found = Found()
    for cell in cells:
        made = cell.report()
        (word,) = made.recommendations
        found.cells += 1
        found.actions[word.action] += 1
        for name, kept in promises(cell, made, word):
            found.checked[name] += 1
            if not kept:
                found.broken.setdefault(name, []).append(cell)
    return found


def promises(
    cell: Cell, made: Report, word: Recommendation
) -> Iterator[tuple[str, bool]]:
    """What must hold of an answer, with whether it does."""
    rows = list(said(cell))
    asked = {row.action for row in rows}
    barred = {one.severity for one in made.stops} & {"stop", "caution"}
    if "consider_alternative" in asked or "stop" in barred:
        yield ALTERNATIVE, word.action == "consider_alternative"
    if asked & RESTRICTS or any(row.alternate_drug for row in rows) or barred:
        yield RESTRICTED, word.action in RESTRICTS
    elif cell.is_known:
        yield FREE, word.action not in RESTRICTS
    yield from _on_hla(cell, made, word)
    yield from _on_inhibitors(cell, made)


def _on_hla(
    cell: Cell, made: Report, word: Recommendation
) -> Iterator[tuple[str, bool]]:
    for gene, state in cell.states:
        if gene in HLA and state == NONE and gene in genes_of(cell.drug):
            keys = {line.genes.get(gene, NONE) for line in made.advice}
            yield SHOWN, keys == {NONE} and gene in word.missing
            yield UNTYPED, word.action not in ("standard_dosing", "increased_dosing")


def _on_inhibitors(cell: Cell, made: Report) -> Iterator[tuple[str, bool]]:
    for gene, _ in cell.states:
        if _left(cell, gene, NONE) == POOR:
            keys = {line.genes[gene] for line in made.advice if gene in line.genes}
            yield LOST, keys <= {"0.0", POOR}


def said(cell: Cell) -> Iterator[Row]:
    """The rows of every source for the cell, looked up apart from the engine."""
    states = {gene: _left(cell, gene, state) for gene, state in cell.states}
    known = KNOWN if cell.is_known else Population()
    for source, table in tables().items():
        for guideline in table.of(cell.drug):
            keys = (_keys(source, g, states[g]) for g in guideline.genes if g in states)
            fit = fitting(
                table.populations(cell.drug, guideline.genes), known, cell.drug
            )
            for key, group in product(product(*keys), fit):
                row = table.cells.get((cell.drug, guideline.genes, key, group))
                if row:
                    yield row


def _keys(source: str, gene: str, state: str) -> tuple[str, ...]:
    """How a source writes a state; DPWG has an own key for carriers of two alleles."""
    if state == NONE:
        return (NONE,)
    if gene in HLA:
        return tuple(
            f"{one} {'positive' if one in state else 'negative'}" for one in HLA[gene]
        )
    rule = rules()[gene]
    if source == "CPIC":
        if rule.by == "score":
            return ({POOR: "0.0", UNCLEAR: "n/a"}.get(state, state),)
        return (state,)
    term = rule.phenotypes.get(state, state)
    alike = _ALIKE.get(term, term)
    is_dpwg_normal = source == "DPWG" and alike == "Rapid Metabolizer"
    return ("Normal Metabolizer" if is_dpwg_normal else alike,)


def _left(cell: Cell, gene: str, state: str) -> str:
    """The state of a gene with what is taken beside the medicine itself."""
    taken = set(cell.current or ()) - {cell.drug}
    strengths = {_inhibits().get((gene, one)) for one in taken}
    if "strong" in strengths:
        return POOR
    return _half(gene, state) if "moderate" in strengths else state


def _half(gene: str, state: str) -> str:
    """By half of a score, the next lower one above 0; else by the next class."""
    if state in (NONE, UNCLEAR):
        return state
    if rules()[gene].by != "score":
        return _DOWN[state]
    half = float(state.removeprefix("≥")) / 2
    scores = sorted(float(one) for one in rules()[gene].keys if one[0].isdigit())
    return str(
        max([one for one in scores if 0 < one <= half] or scores[half > 0 :][:1])
    )


@cache
def _inhibits() -> Mapping[tuple[str, str], str]:
    """Strengths by enzyme and medicine, by the source that calls it the strongest."""
    said: dict[tuple[str, str], str] = {}
    for strength in ("weak", "moderate", "strong"):
        for one in statements():
            if (one.effect, one.strength) == ("inhibitor", strength):
                said[one.enzyme, one.drug] = strength
    return said


def _call(gene: str, state: str) -> Call:
    if gene in HLA:
        other = "*07:02" if gene == "HLA-B" else "*03:01"
        present = [*state.split("+"), other, other] if state != "-" else [other] * 2
        return Call(gene, alleles=tuple(present[:2]))
    if rules()[gene].by == "score" and state != UNCLEAR:
        return Call(gene, activity_score=state)
    return Call(gene, phenotype=state)


@cache
def states(gene: str) -> tuple[str, ...]:
    """Every state that a gene may be in."""
    if gene in HLA:
        both = ("*15:11", "*15:02+*15:11") if gene == "HLA-B" else ()
        return (NONE, "-", HLA[gene][0], *both)
    rule = rules()[gene]
    if rule.by == "score":
        return (NONE, UNCLEAR, *(key for key in rule.keys if key != "n/a"))
    return (NONE, *dict.fromkeys(rule.phenotypes.values()))


@cache
def genes_of(drug: str) -> tuple[str, ...]:
    """The genes that any source goes by for a medicine, of those that are read."""
    asked = {
        gene
        for table in tables().values()
        for guideline in table.of(drug)
        for gene in guideline.genes
    }
    return tuple(gene for gene in rules() if gene in asked)


def cells(
    beside: Sequence[tuple[str, ...] | None], *, always: Mapping[str, str] | None = None
) -> Iterator[Cell]:
    """Every medicine by all states of its own genes, with each of `beside`.

    `always`: states of further genes that do not matter to it.
    """
    for drug in drugs():
        genes = genes_of(drug)
        more = tuple((g, s) for g, s in (always or {}).items() if g not in genes)
        for given in product(*(states(gene) for gene in genes)):
            own = (*zip(genes, given, strict=True), *more)
            for current in beside:
                yield Cell(drug, own, current)
            yield Cell(drug, own, None, is_known=False)
