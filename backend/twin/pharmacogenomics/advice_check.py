"""Are the advice tables whole: every cell once, every key a possible result, no orphan?

What `make tables` prints of them, and what keeps a row from being lost in silence.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import product
from types import MappingProxyType

from backend.twin.pharmacogenomics import rationale
from backend.twin.pharmacogenomics.advice_keys import BOTH, CARRIER
from backend.twin.pharmacogenomics.advice_table import (
    FILES,
    GENERAL,
    Cell,
    Guideline,
    Row,
    Source,
    Table,
    groups,
    tables,
)
from backend.twin.pharmacogenomics.checked_table import CheckedTable
from backend.twin.pharmacogenomics.drugs import drugs
from backend.twin.pharmacogenomics.gene_result import NO_RESULT
from backend.twin.pharmacogenomics.rules import Rule, rules

_PAIR = re.compile(r"\*\d+/\*\d+")
_SPECIAL = MappingProxyType({"HLA-B": {BOTH}, "CYP2C9": {CARRIER}})
_PRESENCE = ("positive", "negative")
_MOST = 3.0  # no source goes beyond three times the usual dose: a slip of the pen


def problems(table: Table) -> Iterator[str]:
    """What is wrong with a source's two files, naming the place."""
    for guideline in table.guidelines:
        yield from _of_guideline(guideline)
    expected = {cell for one in table.guidelines for cell in _expected(table, one)}
    for cell in sorted(expected - table.cells.keys()):
        yield f"no row answers {_named(cell)}"
    for cell in sorted(table.cells.keys() - expected):
        yield f"an orphan: no guideline asks for {_named(cell)}"
    for row in table.rows:
        yield from (f"{_place(row)}: {wrong}" for wrong in _of_row(row))


def possible_keys(gene: str, source: Source) -> frozenset[str]:
    """Every key that a result of the gene may have for that source."""
    rule = rules()[gene]
    if rule.by == "presence":
        found = {f"{one} {is_it}" for one in rule.asked for is_it in _PRESENCE}
    elif source == "CPIC" and rule.by == "score":
        found = set(rule.keys)
    else:
        found = set(rule.terms)
    return frozenset(found | _SPECIAL.get(gene, set()))


def _expected(table: Table, guideline: Guideline) -> Iterator[Cell]:
    """The cells that a guideline promises; CPIC's are the whole grid."""
    by_gene = [_keys(guideline, gene) for gene in guideline.genes]
    for drug in guideline.drugs:
        for group in table.populations(drug, guideline.genes) or (GENERAL,):
            for keys in product(*by_gene):
                if set(keys) != {NO_RESULT}:
                    yield drug, guideline.genes, keys, group


def _keys(guideline: Guideline, gene: str) -> tuple[str, ...]:
    if guideline.source != "CPIC":
        return guideline.keys
    rule = rules()[gene]
    missing = (NO_RESULT,) if len(guideline.genes) > 1 else ()
    return (*_grid(rule), *missing)


def _grid(rule: Rule) -> tuple[str, ...]:
    """What CPIC's tables ask of a gene; of an HLA gene, its first allele alone."""
    if rule.by == "presence":
        return tuple(f"{rule.asked[0]} {is_it}" for is_it in _PRESENCE)
    return rule.keys if rule.by == "score" else tuple(rule.terms)


def _of_guideline(guideline: Guideline) -> Iterator[str]:
    place = f"{', '.join(guideline.drugs)} by {', '.join(guideline.genes)}"
    unknown = [one for one in guideline.drugs if one not in drugs()]
    if unknown:
        yield f"{place}: not in the catalogue of medicines: {', '.join(unknown)}"
    if not guideline.version or not guideline.citation:
        yield f"{place}: no version or citation"
    for gene, key in product(guideline.genes, guideline.keys):
        is_pair = gene == "CYP2C9" and _PAIR.fullmatch(key)
        if not is_pair and key not in possible_keys(gene, guideline.source):
            yield f"{place}: no result of {gene} is {key}"


def _of_row(row: Row) -> Iterator[str]:
    """Facts that contradict each other, and words that do not exist."""
    wrong: Mapping[str, bool] = {
        "an alternative, and yet the action is to dose as usual or higher": (
            row.alternate_drug and row.action in ("standard_dosing", "increased_dosing")
        ),
        "the action is an alternative that the source does not name": (
            row.action == "consider_alternative" and not row.alternate_drug
        ),
        "a dose and no change of dose": (
            row.factor is not None and not row.dose_change
        ),
        "a dose factor out of bounds": not _is_dose(row),
        "a reduction above the usual dose": (
            row.action == "reduced_dosing" and (row.factor or 0) >= 1
        ),
        "the words do not fit its facts": not _has_words(row),
    }
    yield from (why for why, is_wrong in wrong.items() if is_wrong)


def _is_dose(row: Row) -> bool:
    ends = [one for one in (row.factor, row.factor_to) if one is not None]
    return ends == sorted(ends) and all(0 < one <= _MOST for one in ends)


def _has_words(row: Row) -> bool:
    """Every code has a sentence, and what a sentence fills in is there."""
    words = rationale.words()
    if (
        not row.because
        or not row.steps
        or not words["because"].keys() >= {*row.because}
    ):
        return False
    if not words["steps"].keys() >= {*row.steps}:
        return False
    said = " ".join(words["steps"][code] for code in row.steps)
    return ("{limit}" not in said or row.limit is not None) and (
        ("{percent}" in said) == (row.factor is not None)
    )


def _place(row: Row) -> str:
    keys = " / ".join(", ".join(one) for one in row.keys)
    return f"{', '.join(row.drugs)} at {keys}"


def _named(cell: Cell) -> str:
    drug, genes, keys, group = cell
    at = ", ".join(f"{one} {key}" for one, key in zip(genes, keys, strict=True))
    return f"{drug} at {at} ({group})"


def word_problems() -> Iterator[str]:
    """Sentences that no row uses."""
    rows = [row for table in tables().values() for row in table.rows]
    used = {
        "because": {code for row in rows for code in row.because},
        "steps": {code for row in rows for code in row.steps},
    }
    for part, sentences in rationale.words().items():
        for code in sorted(sentences.keys() - used[part]):
            yield f"no row uses {part}.{code}"


def group_problems() -> Iterator[str]:
    """Groups that hold what is no result of their gene."""
    for (name, gene), keys in groups().items():
        for key in keys:
            if key not in possible_keys(gene, "CPIC"):
                yield f"@{name}: no result of {gene} is {key}"


def _source_problems(source: Source) -> Iterator[str]:
    yield from problems(tables()[source])


def word_rows(text: str) -> list[str]:
    """A line for each code of the vocabulary."""
    parts = {k: v for k, v in tomllib.loads(text).items() if isinstance(v, dict)}
    return [
        f"{part} {code}: {said}" for part in parts for code, said in parts[part].items()
    ]


TABLES: tuple[CheckedTable, ...] = (
    *(
        CheckedTable(f"advice/{name}.csv", partial(_source_problems, source))
        for source, name in FILES.items()
    ),
    *(CheckedTable(f"advice/{name}_guidelines.csv") for name in FILES.values()),
    CheckedTable("advice/groups.csv", group_problems),
    CheckedTable("advice/words.toml", word_problems, word_rows),
)
