"""Medicines by code: products, ingredients, combinations, and tables that are wrong."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from backend.twin.ingredients import (
    by_rxnorm,
    ingredients,
    read_ingredients,
    read_products,
)
from backend.twin.treatment_changes import ACTING

HEAD = "key,class,rxnorm\n"


@pytest.mark.parametrize(
    ("code", "keys"),
    [
        ("36437", ("sertraline",)),
        ("328670", ("sertraline",)),  # a component, not a product
        ("406022", ("fluoxetine",)),  # a strength that no tablet has
        ("563026", ("diazepam",)),  # a brand's form
        ("11118", ("valproate",)),  # valproic acid
        ("266856", ("valproate",)),  # divalproex
        ("1673265", ("aripiprazole",)),  # its long-acting prodrug
        ("403969", ("fluoxetine", "olanzapine")),
        ("1551468", ("bupropion", "naltrexone")),
        ("856720", ("amitriptyline", "perphenazine")),
        ("6011", ("isocarboxazid",)),
        ("9639", ("selegiline",)),
        ("31565", ("nefazodone",)),
        ("2356", ("chlordiazepoxide",)),
        ("1667655", ("cariprazine",)),
        ("313782", ()),  # paracetamol
        ("", ()),
        (" 36437", ()),
    ],
)
def test_codes(code: str, keys: tuple[str, ...]) -> None:
    assert by_rxnorm(code) == keys


def test_every_ingredient_can_be_found() -> None:
    known = ingredients()
    singles = {key for key, one in known.items() for code in one.codes if code}
    assert all(
        by_rxnorm(code) == (key,) for key in singles for code in known[key].codes
    )
    by_name = set(known) - singles
    assert by_name >= {"samidorphan", "vilazodone"}
    psychotropic = {key for key in by_name if known[key].group in ACTING}
    assert psychotropic == {"moclobemide", "vilazodone"}  # SOURCES.md says so
    assert by_rxnorm("1086772") == ("vilazodone",)


@pytest.mark.parametrize(
    "text",
    [
        "sertraline,ssri,36437\nsertraline,ssri,1",
        "sertraline,ssri,36437\nfluoxetine,ssri,36437",
    ],
)
def test_an_ingredient_comes_once(text: str) -> None:
    with pytest.raises(ValueError, match="comes twice"):
        read_ingredients(HEAD + text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1,sertraline\n1,sertraline", "1 comes twice"),
        ("36437,sertraline", "36437 comes twice"),
        ("1,placebo", "unknown ingredient"),
        ("1,", "unknown ingredient"),
    ],
)
def test_a_product_holds_what_is_known(text: str, why: str) -> None:
    known = read_ingredients(HEAD + "sertraline,ssri,36437")
    with pytest.raises(ValueError, match=why):
        read_products("rxnorm,ingredients\n" + text, known)


def test_it_knows_every_product_of_the_verified_terminology(shared: Path) -> None:
    table = shared / "data" / "fhir" / "terminology.csv"
    with table.open(encoding="utf-8") as rows:
        stated = {
            row["code"]: {name.split(":")[1] for name in row["concept"].split("+")}
            for row in csv.DictReader(rows)
            if row["domain"] == "medication_product" or _is_checked(row)
        }
    wrong = {
        code for code, names in stated.items() if not names <= set(by_rxnorm(code))
    }
    assert wrong == set()
    assert len(stated) == 418


def _is_checked(row: dict[str, str]) -> bool:
    """The ingredients but one, whose code no other source confirms."""
    return row["domain"] == "medication" and row["display"] != "vilazodone"
