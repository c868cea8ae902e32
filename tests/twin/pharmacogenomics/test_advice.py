"""One matcher for all sources: who is asked what, in which order, and what is said."""

from __future__ import annotations

import pytest

from backend.twin.errors import UnknownMedication
from backend.twin.pharmacogenomics.advice import Advice, Unknown, advise, advise_all
from backend.twin.pharmacogenomics.advice_table import SOURCES
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.gene_result import GeneResult
from backend.twin.pharmacogenomics.phenoconversion import adjusted
from backend.twin.pharmacogenomics.phenotype import gene_results
from backend.twin.pharmacogenomics.population import Population

NOBODY = Population()


def calls(**diplotypes: str) -> tuple[GeneResult, ...]:
    """Results by genes; HLA_B stands for HLA-B."""
    return gene_results(
        [Call(gene.replace("_", "-"), diplotype=d) for gene, d in diplotypes.items()]
    )


def of(source: str, lines: tuple[Advice, ...]) -> list[Advice]:
    return [one for one in lines if one.source == source]


@pytest.mark.parametrize("drug", ["paroxetine", "carbamazepine", "lithium"])
def test_every_source_answers_in_a_fixed_order(drug: str) -> None:
    results = calls(CYP2D6="*4/*4", CYP2C19="*1/*1", HLA_B="*15:02/*15:11")
    lines = advise(drug, results, NOBODY)
    assert tuple(dict.fromkeys(one.source for one in lines)) == SOURCES
    assert advise(drug, results[::-1], NOBODY) == lines


def test_sources_that_differ_stand_side_by_side() -> None:
    lines = advise("paroxetine", calls(CYP2D6="*4/*4"), NOBODY)
    assert {one.source: one.action for one in lines} == {
        "CPIC": "reduced_dosing",
        "DPWG": "standard_dosing",
        "FDA Label": "no_recommendation",
        "FDA Assoc": "no_recommendation",
    }


def test_a_source_without_a_word_on_it_says_so() -> None:
    line = of("CPIC", advise("lithium", (), NOBODY))[0]
    assert (line.action, line.classification, dict(line.genes), line.guideline) == (
        "no_recommendation",
        "N/A",
        {},
        "",
    )
    assert "no statement of CPIC on lithium" in line.rationale


def test_names_brands_codes_and_combinations_are_understood() -> None:
    by_name = advise("citalopram", (), NOBODY)
    assert advise("Celexa", (), NOBODY) == advise("2556", (), NOBODY) == by_name
    both = advise("olanzapine / fluoxetine", (), NOBODY)
    assert {one.medication for one in both} == {"olanzapine", "fluoxetine"}


def test_an_unknown_medicine_is_never_silence() -> None:
    with pytest.raises(UnknownMedication) as caught:
        advise("moonshine", (), NOBODY)
    assert caught.value.medication == "moonshine"
    assert "moonshine" not in str(caught.value)
    lines, unknown = advise_all(["moonshine", "lithium"], (), NOBODY)
    assert unknown == (Unknown("moonshine"),)
    assert unknown[0].code == "UNKNOWN"
    assert lines == advise("lithium", (), NOBODY)


def test_no_call_of_a_single_gene_is_no_recommendation() -> None:
    line = of("CPIC", advise("vortioxetine", (), NOBODY))[0]
    assert (line.action, line.classification) == ("no_recommendation", "N/A")
    assert dict(line.genes) == {"CYP2D6": "No Result"}
    assert "neither normal nor negative" in line.rationale


def test_a_missing_second_gene_is_a_key_of_its_own() -> None:
    line = of("CPIC", advise("sertraline", calls(CYP2C19="*2/*2"), NOBODY))[0]
    assert dict(line.genes) == {
        "CYP2B6": "No Result",
        "CYP2C19": "Poor Metabolizer",
    }
    assert (line.action, line.dose_factor) == ("reduced_dosing", 0.5)


def test_two_missing_genes_are_no_recommendation() -> None:
    lines = of("CPIC", advise("amitriptyline", (), NOBODY))
    assert [one.action for one in lines] == ["no_recommendation"]
    assert "CPIC cannot be asked without a result." in lines[0].rationale


def test_an_ambiguous_call_gives_a_line_for_each_result() -> None:
    results = gene_results(
        [Call("CYP2D6", diplotype="*1/*1"), Call("CYP2D6", diplotype="*4/*4")]
    )
    lines = of("CPIC", advise("paroxetine", results, NOBODY))
    assert [(one.genes["CYP2D6"], one.action) for one in lines] == [
        ("2.0", "standard_dosing"),
        ("0.0", "reduced_dosing"),
    ]
    assert of("CPIC", advise("paroxetine", results[::-1], NOBODY)) == lines


def test_an_unclear_result_beside_a_clear_one_is_said_too() -> None:
    results = gene_results(
        [Call("CYP2C19", diplotype="*1/*12"), Call("CYP2C19", diplotype="*2/*2")]
    )
    lines = of("DPWG", advise("sertraline", results, NOBODY))
    assert {(one.genes["CYP2C19"], one.action) for one in lines} == {
        ("Indeterminate", "no_recommendation"),
        ("Poor Metabolizer", "reduced_dosing"),
    }


def test_a_phenotype_without_its_score_is_asked_by_every_score() -> None:
    call = Call("CYP2D6", phenotype="Intermediate Metabolizer")
    lines = of("CPIC", advise("nortriptyline", gene_results([call]), NOBODY))
    assert [(dict(one.genes), one.classification) for one in lines] == [
        ({"CYP2D6": "0.25 or 0.5"}, "Moderate"),
        ({"CYP2D6": "0.75 or 1.0"}, "Optional"),
    ]


def test_terms_that_dpwg_and_fda_do_not_know_are_read_as_theirs() -> None:
    rapid = of("DPWG", advise("citalopram", calls(CYP2C19="*1/*17"), NOBODY))[0]
    assert dict(rapid.genes) == {"CYP2C19": "Normal Metabolizer"}
    likely = advise("citalopram", calls(CYP2C19="*2/*9"), NOBODY)
    assert [dict(one.genes) for one in likely if one.source != "CPIC"][:2] == [
        {"CYP2C19": "Poor Metabolizer"}
    ] * 2
    cpic = of("CPIC", likely)[0]
    assert dict(cpic.genes) == {"CYP2C19": "Likely Poor Metabolizer"}


def test_dpwg_speaks_of_two_hla_b_alleles() -> None:
    both = calls(HLA_B="*15:02/*15:11")
    lines = of("DPWG", advise("carbamazepine", both, NOBODY))
    assert [one.genes["HLA-B"] for one in lines if "HLA-B" in one.genes] == [
        "*15:02 positive",
        "*15:11 positive",
        "1511 and 1502",
    ]
    one = of("DPWG", advise("carbamazepine", calls(HLA_B="*07:02/*15:11"), NOBODY))
    assert {
        line.genes["HLA-B"]: line.action for line in one if "HLA-B" in line.genes
    } == {
        "*15:02 negative": "no_recommendation",
        "*15:11 positive": "consider_alternative",
    }


def test_dpwg_and_the_label_speak_of_pairs_of_cyp2c9() -> None:
    lines = advise("phenytoin", calls(CYP2C9="*3/*3"), NOBODY)
    dpwg = [
        (one.genes["CYP2C9"], one.dose_factor, one.dose_factor_to)
        for one in of("DPWG", lines)
        if "CYP2C9" in one.genes
    ]
    assert dpwg == [("Poor Metabolizer", 0.4, 0.5), ("*3/*3", 0.4, None)]
    label = of("FDA Label", lines)
    assert [one.action for one in label if one.genes == {"CYP2C9": "*3 carrier"}] == [
        "consider_alternative"
    ]


def test_an_age_narrows_a_limit() -> None:
    poor = calls(CYP2C19="*2/*2")
    limits = {
        age: of("DPWG", advise("escitalopram", poor, Population(age)))[0].dose_limit
        for age in (64, 65)
    }
    assert limits == {
        64: "adults under 65 years: 10 mg/day",
        65: "adults from 65 years: 5 mg/day",
    }


def test_a_maximum_is_no_dose_to_give() -> None:
    poor = calls(CYP2D6="*4/*4")
    line = of("DPWG", advise("aripiprazole", poor, NOBODY))[0]
    assert (line.dose_factor, line.dose_factor_to, line.dose_part) == (
        None,
        None,
        "maximum",
    )
    assert "68 to 75 % of the usual maximum dose" in line.rationale


def test_a_scheme_of_doses_is_no_limit() -> None:
    usual = calls(CYP2D6="*1/*1")
    line = of("CPIC", advise("atomoxetine", usual, Population(age_years=30)))[0]
    assert line.dose_limit is None
    assert line.dose_scheme is not None
    assert line.dose_scheme.startswith("start 40 mg/day, 80 mg/day after 3 days")
    assert "More than 100 mg/day may be needed" in line.rationale


def test_current_medication_counts_and_both_keys_are_shown() -> None:
    results = adjusted(calls(CYP2D6="*1/*1"), ["quinidine"])
    for source, key, alone in (
        ("CPIC", "0.0", "2.0"),
        ("DPWG", "Poor Metabolizer", "Normal Metabolizer"),
    ):
        line = of(source, advise("nortriptyline", results, NOBODY))[0]
        assert dict(line.genes) == {"CYP2D6": key}
        assert dict(line.genetic_keys) == {"CYP2D6": alone}
        assert line.counts_by == "current medication"
        assert f"CYP2D6 counts as {key} under current medication" in line.rationale
        assert f"by the genes alone it is {alone}." in line.rationale
        assert line.action in ("consider_alternative", "reduced_dosing")


def test_medication_that_changes_no_key_is_named() -> None:
    results = adjusted(calls(CYP2D6="*4/*4"), ["quinidine"])
    line = of("CPIC", advise("nortriptyline", results, NOBODY))[0]
    assert line.counts_by == "genes"
    assert "Current medication and CYP2D6: " in line.rationale


def test_pairs_of_alleles_say_nothing_under_an_inhibitor() -> None:
    results = adjusted(calls(CYP2C9="*1/*2"), ["fluconazole"])
    lines = of("DPWG", advise("phenytoin", results, NOBODY))
    keys = [one.genes["CYP2C9"] for one in lines if "CYP2C9" in one.genes]
    assert keys == [results_phenotype(results)]


def results_phenotype(results: tuple[GeneResult, ...]) -> str:
    one = next(one for one in results if one.gene == "CYP2C9")
    return one.adjusted_phenotype or ""


def test_a_medicine_s_own_inhibition_is_not_counted_in_its_own_advice() -> None:
    results = calls(CYP2D6="*1/*1")
    lines, _ = advise_all(
        ["paroxetine", "nortriptyline"], results, NOBODY, current=["paroxetine"]
    )
    keys = {one.medication: one.genes["CYP2D6"] for one in of("CPIC", lines)}
    assert keys == {"paroxetine": "2.0", "nortriptyline": "0.0"}


HLA_DRUGS = [
    "carbamazepine",
    "oxcarbazepine",
    "phenytoin",
    "fosphenytoin",
    "lamotrigine",
]


@pytest.mark.parametrize("drug", HLA_DRUGS)
@pytest.mark.parametrize("hla", [{}, {"HLA_B": "*15/*07"}, {"HLA_B": "*07:02"}])
def test_an_unknown_hla_is_shown_and_never_negative(
    drug: str, hla: dict[str, str]
) -> None:
    lines = advise(drug, calls(CYP2C9="*1/*1", **hla), NOBODY)
    asked_of = [one for one in lines if "HLA-B" in one.genes]
    assert {one.genes["HLA-B"] for one in asked_of} == {"No Result"}
    assert all("HLA-B: no result; that is" in one.rationale for one in asked_of)
