"""From diplotypes to what the guidelines of the shared folder say, row by row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from backend.twin.pharmacogenomics.advice import Advice, advise
from backend.twin.pharmacogenomics.drugs import find_drug
from backend.twin.pharmacogenomics.population import Population
from tests.twin.pharmacogenomics.guideline_cells import lines, population, read

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "data" / "pgx"


def only(found: Sequence[Advice]) -> Advice:
    assert len(found) == 1, [one.population for one in found]
    return found[0]


def test_every_cpic_row_from_diplotypes(folder: Path) -> None:
    rows = [
        row for row in read(folder / "recommendations.csv") if row["source"] == "CPIC"
    ]
    for row in rows:
        keys = {row["gene1"]: row["key1"]} | (
            {row["gene2"]: row["key2"]} if row["gene2"] else {}
        )
        line = only(
            lines(
                folder,
                "CPIC",
                drug=row["drug"],
                keys=keys,
                who=population(row["population"], row["drug"]),
            )
        )
        assert (
            line.population,
            line.classification,
            str(line.dose_change),
            str(line.alternate_drug),
            line.guideline,
            line.guideline_version,
        ) == (
            row["population"],
            row["classification"],
            row["dose_change"],
            row["alternate_drug"],
            row["guideline_id"],
            row["guideline_version"],
        ), row
    assert (len(rows), len({row["drug"] for row in rows})) == (1392, 19)


def dpwg_key(phenotype: str) -> str:
    """A pair of alleles as the folder counts it, written as a diplotype."""
    if not phenotype.startswith("{"):
        return phenotype
    counted = json.loads(phenotype)
    return "/".join(one for one, n in counted.items() for _ in range(int(n)))


def test_every_dpwg_row_by_phenotype_from_diplotypes(folder: Path) -> None:
    graded = {
        (row["drug"], row["gene1"], row["recommendation"]): row["classification"]
        for row in read(folder / "recommendations.csv")
        if row["source"] == "DPWG" and row["classification"]
    }
    rows = read(folder / "dpwg_by_phenotype.csv")
    for row in rows:
        drug, gene = row["drug"], row["gene"]
        keys = {gene: dpwg_key(row["phenotype"])}
        line = only(lines(folder, "DPWG", drug=drug, keys=keys, who=Population()))
        assert (
            line.classification,
            str(line.dose_change),
            str(line.alternate_drug),
            line.guideline,
        ) == (
            graded[drug, gene, row["recommendation_2024_03"]],
            row["dose_change"],
            row["alternate_drug"],
            row["guideline_id"],
        ), row
    assert (len(rows), len({row["drug"] for row in rows})) == (95, 22)


def test_newer_wording_of_dpwg_is_the_one_that_counts(folder: Path) -> None:
    keys = {"HLA-B": "*15:02 positive"}
    line = only(
        lines(folder, "DPWG", drug="carbamazepine", keys=keys, who=Population())
    )
    assert "Avoid this medicine. " in line.rationale


# Medicines for the body that the catalogue knows as co-medication: no table is of them.
BESIDE_PSYCHIATRY = {
    *("celecoxib", "ibuprofen", "meloxicam", "piroxicam", "tramadol"),
    *("efavirenz", "esomeprazole", "methylene-blue", "mirabegron", "omeprazole"),
    *("propranolol", "voriconazole"),
}


def pairs(folder: Path, table: str) -> list[dict[str, str]]:
    """FDA's pairs of a psychiatric medicine, by the name of our catalogue."""
    return [
        {**row, "drug": drug.name}
        for row in read(folder / "fda_pairs.csv")
        if row["table"] == table
        and (drug := find_drug(row["drug"])) is not None
        and drug.name not in BESIDE_PSYCHIATRY
    ]


def test_every_fda_pair_has_its_tier(folder: Path) -> None:
    rows = pairs(folder, "FDA PGx Association")
    for row in rows:
        found = [
            one
            for one in advise(row["drug"], (), Population())
            if one.source == "FDA Assoc" and set(one.genes) == {row["gene"]}
        ]
        assert [one.classification for one in found] == [row["fda_tier"]], row
    assert len(rows) == 39


def test_every_annotated_fda_label_has_its_line(folder: Path) -> None:
    rows = pairs(folder, "FDA Label Annotation")
    for row in rows:
        found = {
            one.guideline
            for one in advise(row["drug"], (), Population())
            if one.source == "FDA Label"
        }
        is_lauroxil = row["name"].startswith(
            "Annotation of FDA Label for aripiprazole l"
        )
        assert row["clinpgx_id"] in found or is_lauroxil, row
    assert len(rows) == 19


def coded_twice() -> list[dict[str, str]]:
    """Cells that were read from the guidelines' texts before the table was there."""
    return read(HERE / "second_coding.csv")


@pytest.mark.parametrize("cell", coded_twice(), ids=lambda one: "-".join(one.values()))
def test_cells_coded_twice_agree(cell: dict[str, str], folder: Path) -> None:
    keys = dict(one.split("=") for one in cell["keys"].split(";"))
    of, group = cell["drug"], cell["population"]
    line = only(
        lines(folder, cell["source"], drug=of, keys=keys, who=population(group, of))
    )
    told = {
        "population": line.population,
        "action": line.action,
        "dose_factor": written(line.dose_factor),
        "dose_factor_to": written(line.dose_factor_to),
        "dose_limit": line.dose_limit or "",
        "dose_change": "yes" if line.dose_change else "no",
        "alternate_drug": "yes" if line.alternate_drug else "no",
    }
    assert told == {name: cell[name] for name in told}


def written(number: float | None) -> str:
    return "" if number is None else str(number)


def test_enough_cells_with_a_dose_are_coded_twice() -> None:
    dosed = [one for one in coded_twice() if one["dose_factor"] or one["dose_limit"]]
    assert len(dosed) >= 60
