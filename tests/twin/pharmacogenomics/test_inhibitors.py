"""What medicines do to enzymes: by every source, the strictest counting."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from backend.twin.pharmacogenomics.drugs import drugs, find_drugs
from backend.twin.pharmacogenomics.inhibitors import (
    actions,
    is_at_least,
    join,
    read_statements,
    statements,
)

HEAD = "# a head\nenzyme,drug,effect,strength,source,verified,note\n"


def test_the_strictest_source_counts_and_the_others_are_said() -> None:
    (one,) = actions("CYP2D6", [drugs()["terbinafine"]], "inhibitor")
    assert one.counts.strength == "strong"
    assert "moderate by UpToDate, table 116164: the stricter counts" in one.words()


def test_of_two_alike_the_verified_one_counts_first() -> None:
    rows = read_statements(
        HEAD
        + "CYP2D6,sertraline,inhibitor,weak,A,no,\n"
        + "CYP2D6,sertraline,inhibitor,weak,B,yes,at 100 mg\n",
        drugs(),
    )
    (one,) = join(rows).values()
    assert one.counts.source == "B"
    assert one.words() == "sertraline: weak inhibitor of CYP2D6 (B; at 100 mg)"


def test_a_class_that_was_not_read_at_its_source_says_so() -> None:
    (one,) = actions("CYP2C19", [drugs()["fluconazole"]], "inhibitor")
    assert "not verified at its source" in one.words()


def test_the_strongest_comes_first_and_others_are_left_out() -> None:
    taken = [drugs()[one] for one in ("sertraline", "duloxetine", "paroxetine")]
    found = actions("CYP2D6", [*taken, drugs()["lithium"]], "inhibitor")
    names = [one.counts.drug for one in found]
    assert names == ["paroxetine", "duloxetine", "sertraline"]
    assert actions("CYP2D6", taken, "inducer") == ()


def test_classes_have_an_order() -> None:
    assert is_at_least("strong", "moderate")
    assert is_at_least("weak", "weak")
    assert not is_at_least("moderate", "strong")


def test_every_row_of_the_collected_list_is_here_and_none_is_weaker(
    shared: Path,
) -> None:
    ranks = {"weak": 0, "moderate": 1, "strong": 2}
    ours: dict[tuple[str, str], int] = {}
    for one in statements():
        key = (one.enzyme, one.drug)
        ours[key] = max(ours.get(key, 0), ranks[one.strength])
    weaker = []
    with (shared / "data" / "pgx" / "cyp_inhibitors.csv").open("r") as rows:
        for row in csv.DictReader(rows):
            stated = [ranks[one] for one in ranks if one in row["strength"]]
            (found,) = find_drugs(row["drug"])
            key = (row["enzyme"], found.name)
            if row["enzyme"].startswith("CYP") and ours.get(key, -1) < max(
                stated or [0]
            ):
                weaker.append(key)
    assert weaker == []


# Written down apart from the table: a row that is lost makes this fail.
STRONG = {
    ("CYP2D6", "inhibitor"): "bupropion fluoxetine paroxetine quinidine terbinafine",
    ("CYP2C19", "inhibitor"): "fluconazole fluoxetine fluvoxamine ticlopidine",
    ("CYP3A4", "inhibitor"): (
        "clarithromycin cobicistat erythromycin itraconazole ketoconazole nefazodone "
        "posaconazole ritonavir voriconazole"
    ),
    ("CYP1A2", "inhibitor"): "ciprofloxacin enoxacin fluvoxamine",
    ("CYP3A4", "inducer"): (
        "carbamazepine fosphenytoin phenobarbital phenytoin rifampin st-johns-wort"
    ),
    ("CYP2C19", "inducer"): "rifampin",
    ("CYP2B6", "inducer"): "carbamazepine",
}
MODERATE = {
    ("CYP2D6", "inhibitor"): (
        "abiraterone cimetidine cinacalcet duloxetine fluvoxamine mirabegron "
        "moclobemide"
    ),
    ("CYP2C19", "inhibitor"): "felbamate moclobemide voriconazole",
    ("CYP2C9", "inhibitor"): "amiodarone felbamate fluconazole",
    ("CYP3A4", "inhibitor"): (
        "cimetidine ciprofloxacin diltiazem fluconazole fluvoxamine verapamil"
    ),
    ("CYP3A4", "inducer"): "efavirenz modafinil primidone",
    ("CYP2C19", "inducer"): "efavirenz fosphenytoin phenytoin",
    ("CYP2C9", "inducer"): "carbamazepine rifampin",
    ("CYP2B6", "inducer"): "efavirenz rifampin",
    ("CYP1A2", "inducer"): "tobacco-smoke",
}


@pytest.mark.parametrize(
    ("strength", "expected"), [("strong", STRONG), ("moderate", MODERATE)]
)
def test_whose_class_counts(
    strength: str, expected: dict[tuple[str, str], str]
) -> None:
    found: dict[tuple[str, str], set[str]] = {}
    for (enzyme, drug, effect), one in join(statements()).items():
        if one.counts.strength == strength:
            found.setdefault((enzyme, effect), set()).add(drug)
    assert found == {key: set(names.split()) for key, names in expected.items()}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("CYP2D6,moonstone,inhibitor,weak,A,yes,", "is no known medicine"),
        ("CYP2D6,sertraline,blocker,weak,A,yes,", "no such effect"),
        ("CYP2D6,sertraline,inhibitor,mild,A,yes,", "no such strength"),
        ("CYP2D6,sertraline,inhibitor,weak,,yes,", "has no source"),
        ("CYP2D6,sertraline,inhibitor,weak,A,maybe,", "verified or not"),
        ("CYP2D6,sertraline,inhibitor,weak,A,yes,\n" * 2, "comes twice"),
    ],
)
def test_a_table_that_is_wrong(row: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_statements(HEAD + row, drugs())
