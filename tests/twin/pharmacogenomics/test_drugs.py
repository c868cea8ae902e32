"""Medicines by name, brand and code, their classes and molecules."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from backend.twin.ingredients import Ingredient
from backend.twin.pharmacogenomics.drugs import (
    drugs,
    find_drug,
    find_drugs,
    read_drugs,
    sort_out,
)

TABLES = Path(__file__).parents[3] / "backend" / "twin" / "tables"
SPECIFIED = (
    "sertraline escitalopram fluoxetine paroxetine venlafaxine duloxetine bupropion "
    "quetiapine aripiprazole risperidone lamotrigine lithium valproate"
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("sertraline", ("sertraline",)),
        ("  ZOLOFT ", ("sertraline",)),
        ("valproic acid", ("valproate",)),
        ("divalproex sodium", ("valproate",)),
        ("lithium carbonate", ("lithium",)),
        ("St. John’s Wort", ("st-johns-wort",)),
        ("St John's wort", ("st-johns-wort",)),
        ("fluoxetine HCl", ("fluoxetine",)),
        ("Bupropion hydrochloride", ("bupropion",)),
        ("bupropion hydrochloride XL", ("bupropion",)),
        ("Luvox CR", ("fluvoxamine",)),
        ("fluoxetine+olanzapine", ("fluoxetine", "olanzapine")),
        ("fluoxetine, Zyprexa; lithium", ("fluoxetine", "olanzapine", "lithium")),
        ("XL", ()),
        ("naproxen sodium", ("naproxen",)),
        ("amitriptyline HCl / perphenazine", ("amitriptyline", "perphenazine")),
        ("moonstone sodium", ()),
        ("sodium", ()),
        ("methylene blue", ("methylene-blue",)),
        ("36437", ("sertraline",)),  # RxNorm's ingredient
        ("328670", ("sertraline",)),  # a product
        ("266856", ("valproate",)),  # divalproex
        ("310965", ("ibuprofen",)),  # a product without an ingredient's code
        ("403969", ("fluoxetine", "olanzapine")),
        ("olanzapine / fluoxetine", ("olanzapine", "fluoxetine")),
        ("SYMBYAX", ("fluoxetine", "olanzapine")),
        ("Auvelity", ("bupropion", "dextromethorphan")),
        ("Nuedexta", ("quinidine", "dextromethorphan")),
        ("Zyprexa and Prozac", ("olanzapine", "fluoxetine")),
        ("olanzapine / moonstone", ()),
        ("Zoloft 50 mg", ()),  # nothing is guessed
        ("sert", ()),
        ("", ()),
    ],
)
def test_names_and_codes(text: str, names: tuple[str, ...]) -> None:
    assert tuple(one.name for one in find_drugs(text)) == names


def test_one_medicine_or_none() -> None:
    found = find_drug("Prozac")
    assert found is not None
    assert (found.name, found.rxnorm_ingredient) == ("fluoxetine", "4493")
    assert found.classes == ("ssri",)
    assert find_drug("403969") is None
    assert find_drug("moonstone") is None


def test_a_code_that_nobody_confirmed_is_empty() -> None:
    assert drugs()["vilazodone"].rxnorm_ingredient == ""


def test_current_medication_is_sorted_out_once_each() -> None:
    known, unknown = sort_out(["Zoloft", "sertraline", "moonstone", "403969"])
    assert [one.name for one in known] == ["sertraline", "fluoxetine", "olanzapine"]
    assert unknown == ("moonstone",)


def test_classes_and_names_select() -> None:
    linezolid = drugs()["linezolid"]
    assert linezolid.is_one_of(["@mao-inhibitor"])
    assert linezolid.is_one_of(["phenelzine", "linezolid"])
    assert not linezolid.is_one_of(["mao-inhibitor", "@ssri", "@linezolid"])


@pytest.mark.parametrize("name", SPECIFIED.split())
def test_the_specified_medicines_have_a_code_and_a_molecule(name: str) -> None:
    assert drugs()[name].rxnorm_ingredient
    assert drugs()[name].smiles


def test_every_medicine_of_an_advice_table_is_known() -> None:
    asked: set[str] = set()
    for path in sorted((TABLES / "advice").glob("*.csv")):
        with path.open(encoding="utf-8") as lines:
            rows = csv.DictReader(one for one in lines if not one.startswith("#"))
            for row in rows:
                asked.update(
                    re.split("[; ]+", row.get("drugs") or row.get("drug") or "")
                )
    asked.discard("")
    assert len(asked) >= 30
    assert {one for one in asked if find_drug(one) is None} == set()


def test_every_medicine_of_the_guidelines_is_known(shared: Path) -> None:
    with (shared / "data" / "pgx" / "recommendations.csv").open("r") as rows:
        asked = {row["drug"] for row in csv.DictReader(rows)}
    assert len(asked) == 27
    assert {one for one in asked if find_drug(one) is None} == set()


def test_molecules_are_those_of_the_checked_list(shared: Path) -> None:
    with (shared / "data" / "pgx" / "smiles.csv").open("r") as rows:
        checked = {
            row["drug"]: row["smiles_canonical_rdkit"] for row in csv.DictReader(rows)
        }
    ours = {name: find_drug(name) for name in checked}
    assert {name: one and one.smiles for name, one in ours.items()} == checked
    assert sum(one.smiles is not None for one in drugs().values()) == len(checked)


KNOWN = {"a": Ingredient("a", "ssri", ("1",)), "b": Ingredient("b", "ssri", ())}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[a]\n", "not in both tables: b"),
        ("[a]\n[b]\n[c]\n", "not in both tables: c"),
        ('[a]\nnames = ["B"]\n[b]\n', "b stands for two"),
        ('[a]\ncombined = { X = ["c"] }\n[b]\n', "X is no such combination"),
        ('[a]\ncombined = { B = ["b"] }\n[b]\n', "B is no such combination"),
        (
            '[a]\ncombined = { X = ["b"] }\n[b]\ncombined = { x = ["a"] }\n',
            "x is no such combination",
        ),
        ('[a]\nnames = ["X-1"]\n[b]\nnames = ["x 1"]\n', "x 1 stands for two"),
    ],
)
def test_a_catalogue_that_contradicts_itself(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_drugs(text, KNOWN)
