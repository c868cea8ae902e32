"""What current medication makes of results: never more active, strong never ignored."""

from __future__ import annotations

from itertools import product

import pytest

from backend.twin.pharmacogenomics.activity import read_score
from backend.twin.pharmacogenomics.gene_result import GeneResult
from backend.twin.pharmacogenomics.inhibitors import statements
from backend.twin.pharmacogenomics.phenoconversion import adjusted
from backend.twin.pharmacogenomics.rules import Rule, rules

POOR = "Poor Metabolizer"
ENZYMES = {gene: rule for gene, rule in rules().items() if rule.by != "presence"}
# How active each phenotype is, written down apart from the code; unknown ones are 9.
ACTIVITY = {
    POOR: 0,
    "Likely Poor Metabolizer": 1,
    "Intermediate Metabolizer": 2,
    "Likely Intermediate Metabolizer": 2,
    "Possible Intermediate Metabolizer": 2,
    "Normal Metabolizer": 3,
    "Rapid Metabolizer": 4,
    "Ultrarapid Metabolizer": 5,
}


def genetic(rule: Rule, key: str) -> GeneResult:
    """The result of a key of the table, as calls give it."""
    term = rule.phenotype(key)
    if rule.by == "score":
        return GeneResult(rule.gene, None, term, key, key, (key,), basis="diplotype")
    return GeneResult(rule.gene, None, term, "n/a", term, (term,), basis="diplotype")


def every_result(rule: Rule) -> list[GeneResult]:
    called = [genetic(rule, key) for key in rule.keys]
    by_phenotype = [
        GeneResult(rule.gene, None, term, "n/a", keys[0], keys)
        for term in sorted(rule.terms)
        if (keys := rule.keys_of(term))
    ]
    return [*called, *by_phenotype, GeneResult(rule.gene)]


EVERY = [(one.gene, one) for rule in ENZYMES.values() for one in every_result(rule)]
INHIBITORS = sorted(
    {(one.enzyme, one.drug) for one in statements() if one.effect == "inhibitor"}
)
STRONGEST = {
    key: max(
        ("weak", "moderate", "strong").index(one.strength)
        for one in statements()
        if (one.enzyme, one.drug) == key and one.effect == "inhibitor"
    )
    for key in INHIBITORS
}


@pytest.mark.parametrize(
    ("enzyme", "drug"), [key for key in INHIBITORS if STRONGEST[key] == 2]
)
def test_a_strong_inhibitor_is_never_ignored(enzyme: str, drug: str) -> None:
    for gene, one in EVERY:
        (made,) = adjusted([one], ["lithium", drug, "sertraline"])
        if gene == enzyme:
            assert made.adjusted_phenotype == POOR
            assert made.adjusted_lookup_key in ("0.0", POOR)
            assert any(drug in words for words in made.adjusted_because)
        assert (made.phenotype, made.lookup_key) == (one.phenotype, one.lookup_key)


def test_nothing_becomes_more_active() -> None:
    taken = sorted({drug for _, drug in INHIBITORS})
    for drug, (gene, one) in product(taken, EVERY):
        (made,) = adjusted([one], [drug])
        after = made.adjusted_phenotype
        if after is not None:
            assert ACTIVITY[after] <= ACTIVITY.get(one.phenotype, 9), (drug, gene)
        before, then = read_score(one.lookup_key), made.adjusted_lookup_key or ""
        lower = read_score(then)
        if before and lower:
            assert lower.value <= before.value


@pytest.mark.parametrize("key", [key for key in INHIBITORS if STRONGEST[key] == 0])
def test_a_weak_one_is_named_and_not_counted(key: tuple[str, str]) -> None:
    rule = ENZYMES.get(key[0])
    if rule is None:
        return
    (made,) = adjusted([genetic(rule, rule.keys[0])], [key[1]])
    assert made.adjusted_phenotype is None
    assert "a weak inhibitor is not counted" in made.adjusted_because


@pytest.mark.parametrize(
    ("score", "half", "key", "phenotype"),
    [
        ("2.0", "1.0", "1.0", "Intermediate Metabolizer"),
        ("1.25", "0.625", "0.5", "Intermediate Metabolizer"),
        ("1.0", "0.5", "0.5", "Intermediate Metabolizer"),
        ("0.25", "0.125", "0.25", "Intermediate Metabolizer"),
        ("0.0", "0.0", "0.0", POOR),
        ("3.0", "1.5", "1.5", "Normal Metabolizer"),
        ("≥3.0", "≥1.5", "1.5", "Normal Metabolizer"),
        ("≥6.0", "≥3.0", "3.0", "Ultrarapid Metabolizer"),
    ],
)
def test_a_moderate_inhibitor_halves_the_score(
    score: str, half: str, key: str, phenotype: str
) -> None:
    (made,) = adjusted([genetic(rules()["CYP2D6"], score)], ["Cymbalta"])
    assert made.adjusted_activity_score == half
    assert made.adjusted_lookup_key == key
    assert made.adjusted_phenotype == phenotype


def test_a_phenotype_without_its_score_is_halved_from_the_lowest() -> None:
    keys = rules()["CYP2D6"].keys_of("Normal Metabolizer")
    one = GeneResult("CYP2D6", None, "Normal Metabolizer", "n/a", keys[0], keys)
    (made,) = adjusted([one], ["duloxetine"])
    assert made.adjusted_lookup_key == "0.5"
    assert made.adjusted_activity_score == "n/a"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Ultrarapid Metabolizer", "Rapid Metabolizer"),
        ("Rapid Metabolizer", "Normal Metabolizer"),
        ("Normal Metabolizer", "Intermediate Metabolizer"),
        ("Likely Intermediate Metabolizer", "Likely Poor Metabolizer"),
        ("Intermediate Metabolizer", POOR),
        ("Likely Poor Metabolizer", POOR),
        (POOR, POOR),
        ("Indeterminate", None),
        ("No Result", None),
    ],
)
def test_without_a_score_a_moderate_inhibitor_takes_one_class(
    before: str, after: str | None
) -> None:
    one = GeneResult("CYP2C19", None, before, "n/a", before, (before,))
    (made,) = adjusted([one], ["felbamate"])
    assert made.adjusted_phenotype == made.adjusted_lookup_key == after
    assert any("felbamate: moderate inhibitor" in one for one in made.adjusted_because)


def test_half_of_an_unknown_score_stays_unknown_and_is_said() -> None:
    (made,) = adjusted([GeneResult("CYP2D6")], ["duloxetine"])
    assert made.adjusted_phenotype is None
    assert any("not known: it may be low" in one for one in made.adjusted_because)


def test_an_inducer_is_named_and_not_counted() -> None:
    one = genetic(rules()["CYP3A4"], rules()["CYP3A4"].keys[0])
    (made,) = adjusted([one], ["Tegretol"])
    assert made.adjusted_phenotype is None
    assert made.adjusted_because[0].startswith(
        "carbamazepine: strong inducer of CYP3A4"
    )
    assert made.adjusted_because[0].endswith("named, not counted")


def test_the_medicine_itself_is_named_and_not_counted_for_its_own_advice() -> None:
    one = genetic(rules()["CYP2D6"], "2.0")
    (own,) = adjusted([one], ["Paxil"], drug="paroxetine")
    assert own.adjusted_phenotype is None
    assert own.adjusted_because[0].endswith("counted in its own advice")
    (others,) = adjusted([one], ["Paxil", "Prozac"], drug="paroxetine")
    assert others.adjusted_phenotype == POOR


def test_hla_and_what_nothing_touches_stay_as_they_are() -> None:
    hla = GeneResult("HLA-B", phenotype="*15:02 negative")
    gene = genetic(rules()["CYP2D6"], "2.0")
    assert adjusted([hla, gene], ["lithium", "moonstone"]) == (hla, gene)
    assert adjusted([hla], ["paroxetine"]) == (hla,)
