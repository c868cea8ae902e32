"""What the engine says for a guideline's keys, starting from diplotypes."""

from __future__ import annotations

import csv
from pathlib import Path

from backend.twin.pharmacogenomics.advice import Advice, advise
from backend.twin.pharmacogenomics.phenotype import gene_results
from backend.twin.pharmacogenomics.population import Population
from tests.twin.pharmacogenomics.found_diplotypes import calls

POPULATIONS = {
    "general": Population(),
    "adults": Population(age_years=18),
    "pediatrics": Population(age_years=17),
    "CBZ-no alternatives": Population(
        prior_use={"carbamazepine": "naive"}, alternatives_available=False
    ),
}


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a table with a header."""
    with path.open(encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


def population(name: str, drug: str) -> Population:
    """Someone who is in that group and in no other of the guideline."""
    if name in POPULATIONS:
        return POPULATIONS[name]
    used = "naive" if name.endswith("naive") else "over_3_months"
    return Population(prior_use={drug: used}, alternatives_available=True)


def lines(
    folder: Path, source: str, *, drug: str, keys: dict[str, str], who: Population
) -> list[Advice]:
    """The engine's lines for those keys, starting from diplotypes."""
    said = advise(drug, gene_results(calls(folder, keys)), who)
    return [one for one in said if one.source == source and one.genes == keys]
