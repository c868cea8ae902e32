"""Every safety row speaks where it must, is silent where it may, and names unknowns."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.drugs import drugs
from backend.twin.pharmacogenomics.gene_result import GeneResult
from backend.twin.pharmacogenomics.phenoconversion import adjusted
from backend.twin.pharmacogenomics.phenotype import gene_results
from backend.twin.pharmacogenomics.population import Population
from backend.twin.pharmacogenomics.safety import Stop, stops
from backend.twin.pharmacogenomics.safety_facts import Has
from backend.twin.pharmacogenomics.safety_table import safety_rules
from tests.twin.pharmacogenomics.safety_cases import CASES, Case

CONCEPTS = {
    one
    for rule in safety_rules()
    for asked in rule.when
    if isinstance(asked, Has)
    for one in asked.concepts
}
ALWAYS = {"lithium-level"}  # asks nothing
NEW_TO = ("carbamazepine", "oxcarbazepine", "phenytoin", "lamotrigine")


def result(gene: str, value: str) -> GeneResult:
    statuses = (value,) if value.endswith(("ative", "itive")) else ()
    return GeneResult(gene, phenotype=value, lookup_key=value, statuses=statuses)


WELL = {
    "CYP2D6": result("CYP2D6", "Normal Metabolizer"),
    "CYP2C19": result("CYP2C19", "Normal Metabolizer"),
    "HLA-A": result("HLA-A", "*31:01 negative"),
    "HLA-B": GeneResult(
        "HLA-B",
        phenotype="*15:02 negative",
        statuses=("*15:02 negative", "*15:11 negative"),
    ),
}


def ask(drug: str, **changed: Any) -> dict[str, Stop]:
    """Stops by code of a person of 40 who has nothing, takes nothing, and is known."""
    known: dict[str, Any] = {
        "age_years": 40,
        "prior_use": dict.fromkeys(NEW_TO, "naive"),
        "pregnant": False,
        "child_bearing_potential": False,
    }
    conditions: Mapping[str, bool] = dict.fromkeys(CONCEPTS, False)
    for concept in changed.get("has", ()):
        conditions = {**conditions, concept: True}
        known.pop("pregnant", None)
        known.pop("child_bearing_potential", None)
    found = stops(
        drug,
        genotype=tuple({**WELL, **changed.get("genes", {})}.values()),
        population=Population(**{**known, **changed.get("population", {})}),
        conditions=conditions,
        current=changed.get("takes", ()),
    )
    assert len({one.code for one in found}) == len(found)
    return {one.code: one for one in found}


def of(case: Case) -> dict[str, Stop]:
    genes = {case.gene[0]: result(*case.gene)} if case.gene else {}
    return ask(
        case.drug,
        has=case.has,
        takes=case.takes,
        genes=genes,
        population=case.population,
    )


@pytest.mark.parametrize("case", CASES, ids=lambda one: f"{one.code}:{one.drug}")
def test_a_row_speaks_under_its_condition_alone(case: Case) -> None:
    said = of(case)[case.code]
    assert said.severity == case.severity
    assert case.says in said.text
    assert said.source
    assert said.needs == ()
    assert case.code not in ask(case.drug)


def test_every_row_has_a_case() -> None:
    assert {case.code for case in CASES} | ALWAYS == {
        one.code for one in safety_rules()
    }


@pytest.mark.parametrize("drug", sorted({case.drug for case in CASES}))
def test_of_someone_well_and_known_nothing_is_said(drug: str) -> None:
    assert set(ask(drug)) - ALWAYS == set()


def test_lithium_always_needs_its_level() -> None:
    assert ask("lithium")["lithium-level"].severity == "monitor"


@pytest.mark.parametrize("case", CASES, ids=lambda one: f"{one.code}:{one.drug}")
def test_what_is_not_known_is_named_and_never_taken_for_absent(case: Case) -> None:
    found = stops(
        case.drug, genotype=(), population=Population(), conditions={}, current=None
    )
    by_code = {one.code: one for one in found}
    if case.code in by_code:
        assert by_code[case.code].needs
        assert by_code[case.code].text.startswith("Not known: ")
    else:  # a row for a use that would have to be known, or the other way round
        tolerated = case.code.endswith("tolerated")
        other_way = next(one for one in safety_rules() if one.code == case.code)
        assert tolerated or other_way.both_ways


@pytest.mark.parametrize(
    ("drug", "code", "needs"),
    [
        ("carbamazepine", "carbamazepine-hla-b-1502", "a result for HLA-B*15:02"),
        ("carbamazepine", "carbamazepine-hla-a-3101", "a result for HLA-A*31:01"),
        ("valproate", "valproate-pregnancy", "whether there is a pregnancy"),
        ("lithium", "lithium-severe-kidney", "creatinine clearance below 30 mL/min"),
        ("thioridazine", "thioridazine-cyp2d6", "a result for CYP2D6"),
        ("citalopram", "citalopram-over-60", "the age"),
        ("lithium", "lithium-nsaid", "the current medication"),
    ],
)
def test_unknowns_have_names(drug: str, code: str, needs: str) -> None:
    found = stops(
        drug, genotype=(), population=Population(), conditions={}, current=None
    )
    said = next(one for one in found if one.code == code)
    assert any(needs in one for one in said.needs)


def test_an_hla_allele_with_unknown_earlier_use_is_a_stop() -> None:
    genes = {"HLA-B": result("HLA-B", "*15:02 positive")}
    said = ask("carbamazepine", genes=genes, population={"prior_use": {}})
    assert said["carbamazepine-hla-b-1502"].severity == "stop"
    assert "taken for over 3 months" in said["carbamazepine-hla-b-1502"].needs[0]
    assert "carbamazepine-hla-b-1502-tolerated" not in said


def test_a_negative_that_the_typed_alleles_contradict_is_unknown() -> None:
    call = Call("HLA-B", "*08:01/*15:02", "*15:02 negative")
    (typed,) = (one for one in gene_results([call]) if one.gene == "HLA-B")
    said = ask("carbamazepine", genes={"HLA-B": typed})["carbamazepine-hla-b-1502"]
    assert said.severity == "caution"
    assert said.needs == ("a result for HLA-B*15:02",)


@pytest.mark.parametrize("phenotype", ["Indeterminate", "No Result"])
def test_a_gene_that_could_not_be_told_is_unknown(phenotype: str) -> None:
    said = ask("thioridazine", genes={"CYP2D6": result("CYP2D6", phenotype)})
    assert said["thioridazine-cyp2d6"].severity == "caution"
    assert said["thioridazine-cyp2d6"].needs == ("a result for CYP2D6",)


def test_a_poor_metabolizer_by_medicine_counts_like_one_by_genes() -> None:
    (made,) = adjusted([WELL["CYP2D6"]], ["paroxetine"])
    said = ask("vortioxetine", genes={"CYP2D6": made})
    assert said["vortioxetine-cyp2d6-poor"].severity == "caution"


def test_one_possible_poor_result_of_an_ambiguous_call_counts() -> None:
    genotype = (WELL["CYP2D6"], result("CYP2D6", "Poor Metabolizer"))
    found = stops(
        "thioridazine",
        genotype=genotype,
        population=Population(),
        conditions={},
        current=(),
    )
    assert found[0].code == "thioridazine-cyp2d6"


@pytest.mark.parametrize(
    ("conditions", "population", "expected"),
    [
        ({}, {"pregnant": True}, {"valproate-pregnancy", "valproate-child-bearing"}),
        ({"pregnancy": True}, {"pregnant": False}, {"valproate-pregnancy"}),
        ({}, {"child_bearing_potential": True}, {"valproate-child-bearing"}),
    ],
)
def test_pregnancy_counts_from_wherever_it_is_known(
    conditions: dict[str, bool], population: dict[str, bool], expected: set[str]
) -> None:
    found = stops(
        "valproate",
        genotype=(),
        population=Population(**population),
        conditions=conditions,
        current=(),
    )
    assert {one.code for one in found if one.severity == "stop"} >= expected


def test_who_cannot_become_pregnant_is_not_asked_about_a_pregnancy() -> None:
    found = stops(
        "valproate",
        genotype=(),
        population=Population(child_bearing_potential=False),
        conditions={},
        current=(),
    )
    assert not {"valproate-pregnancy", "valproate-child-bearing"} & {
        one.code for one in found
    }


def test_unknown_medicines_are_said_to_be_unchecked() -> None:
    found = stops(
        "sertraline",
        genotype=(),
        population=Population(),
        conditions={},
        current=("moonstone", "Zoloft"),
    )
    assert [(one.code, one.needs) for one in found] == [
        ("medicine-not-known", ("what moonstone is",))
    ]
    asked = stops(
        "moonstone", genotype=(), population=Population(), conditions={}, current=()
    )
    assert [one.code for one in asked] == ["medicine-not-known"]


def test_a_combination_is_asked_part_by_part_and_the_gravest_comes_first() -> None:
    found = stops(
        "olanzapine / fluoxetine",
        genotype=(),
        population=Population(),
        conditions={},
        current=("thioridazine", "smoking", "Nardil"),
    )
    ranks = ["stop", "caution", "monitor"]
    order = [ranks.index(one.severity) for one in found]
    assert order == sorted(order)
    assert {one.drug for one in found} == {"olanzapine", "fluoxetine"}
    assert {"thioridazine-cyp2d6-inhibitor", "clozapine-olanzapine-smoking"} <= {
        one.code for one in found
    }


def test_two_medicines_are_heeded_whichever_of_them_is_the_new_one() -> None:
    """For every pair of the catalogue, all that rows say both ways."""
    both = {one.code for one in safety_rules() if one.both_ways}
    said = {
        (new, old): both.intersection(ask(new, takes=(old,)))
        for new, old in product(drugs(), repeat=2)
        if new != old
    }
    assert {pair for pair, codes in said.items() if codes != said[pair[::-1]]} == set()
    assert sum(map(bool, said.values())) > 1000


@pytest.mark.parametrize("drug", drugs())
def test_it_never_raises_whatever_is_taken_and_nothing_is_known(drug: str) -> None:
    for current in (None, (), tuple(drugs())):
        found = stops(
            drug, genotype=(), population=Population(), conditions={}, current=current
        )
        assert all(one.text and one.source and one.drug == drug for one in found)
