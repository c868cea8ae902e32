from __future__ import annotations

from collections.abc import Sequence

import pytest

from backend.twin.genes import genes
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.gene_result import WARNINGS, GeneResult, warned
from backend.twin.pharmacogenomics.phenotype import Refusal, gene_results, read_calls
from backend.twin.pharmacogenomics.rules import rules


def of(gene: str, calls: Sequence[Call]) -> list[GeneResult]:
    return [one for one in gene_results(calls) if one.gene == gene]


def keys(gene: str, *calls: Call) -> list[str]:
    return [one.lookup_key for one in of(gene, calls)]


def test_every_gene_has_a_result_and_without_a_call_it_says_so() -> None:
    found = gene_results([])
    assert [one.gene for one in found] == list(rules())
    for one in found:
        assert one == GeneResult(one.gene)
        assert (one.phenotype, one.lookup_key) == ("No Result", "No Result")
        assert (one.activity_score, one.basis) == ("n/a", "none")
        assert one.adjusted_phenotype is one.adjusted_lookup_key is None


@pytest.mark.parametrize("gene", ["CYP2D6", "HLA-B"])
@pytest.mark.parametrize("text", ["./.", "no call"])
def test_a_no_call_is_no_result(gene: str, text: str) -> None:
    reading = read_calls([Call(gene, text)])
    assert reading.results == gene_results([])
    assert reading.refused == ()


@pytest.mark.parametrize(
    ("diplotypes", "keys_of_them", "candidates"),
    [
        (["*1/*2", "*1/*3"], ["Intermediate Metabolizer"], [("*1/*2", "*1/*3")]),
        (["*1/*2 or *1/*3"], ["Intermediate Metabolizer"], [("*1/*2", "*1/*3")]),
        (
            ["*1/*2", "*1/*17"],
            ["Intermediate Metabolizer", "Rapid Metabolizer"],
            [("*1/*2",), ("*1/*17",)],
        ),
    ],
)
def test_possibilities_collapse_only_where_they_give_the_same(
    diplotypes: list[str], keys_of_them: list[str], candidates: list[tuple[str, ...]]
) -> None:
    found = of("CYP2C19", [Call("CYP2C19", one) for one in diplotypes])
    assert [one.lookup_key for one in found] == keys_of_them
    assert [one.candidates for one in found] == candidates
    codes = [[w.code for w in one.warnings] for one in found]
    assert codes == [["ambiguous"] * (len(found) > 1)] * len(found)


def test_one_phenotype_with_two_scores_stays_two_results() -> None:
    assert keys("CYP2D6", Call("CYP2D6", "*1/*41 or *1/*17")) == ["1.5", "1.25"]


def test_a_phenotype_goes_with_the_result_that_has_its_score() -> None:
    calls = [Call("CYP2D6", phenotype="IM"), Call("CYP2D6", "*1/*4")]
    assert keys("CYP2D6", *calls) == keys("CYP2D6", *calls[::-1]) == ["1.0"]
    assert keys("CYP2D6", calls[0], Call("CYP2D6", "*4/*4")) == ["0.25", "0.0"]


def test_sources_that_differ_are_told_and_not_merged() -> None:
    one = Call("CYP2C19", "*1/*1", source="2019")
    other = Call("CYP2C19", "*2/*2", source="2024")
    found = of("CYP2C19", [one, other])
    assert [r.phenotype for r in found] == ["Normal Metabolizer", "Poor Metabolizer"]
    for result in found:
        assert {w.code for w in result.warnings} == {"ambiguous", "conflicting_reports"}
    (agreed,) = of("CYP2C19", [one, Call("CYP2C19", "*1/*1", source="2024")])
    assert agreed.warnings == ()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (Call("CYP2D6"), "empty"),
        (Call("CYP2D6", "", alleles=()), "empty"),
        (Call("CYP2D6", "*1/*2/*4", source="report 7"), "too-many-alleles"),
        (Call("CYP2D6", "CYP2C19*1/*2"), "another-gene"),
        (Call("HLA-B", "*15:2/*07:02"), "malformed"),
    ],
)
def test_what_is_refused_is_no_result_and_told(call: Call, code: str) -> None:
    reading = read_calls([call])
    (refused,) = reading.refused
    assert (refused.gene, refused.code, refused.source) == (
        call.gene,
        code,
        call.source,
    )
    (one,) = [r for r in reading.results if r.gene == call.gene]
    assert one.lookup_key == "No Result"
    assert one.warnings == (warned("refused_call"),)


def test_a_refused_call_leaves_its_mark_on_the_others() -> None:
    (one,) = of("CYP2D6", [Call("CYP2D6", "*4"), Call("CYP2D6", "*1/*4")])
    assert (one.lookup_key, [w.code for w in one.warnings]) == ("1.0", ["refused_call"])


def test_a_gene_that_no_table_has_is_refused() -> None:
    assert read_calls([Call("ABC1", "*1/*1", source="x")]).refused == (
        Refusal("", "unknown-gene", "no table has this gene", "x"),
    )


@pytest.mark.parametrize("gene", ["SLC6A4", "HTR2A", "COMT", "CYP1A2"])
def test_genes_from_which_nothing_follows_are_named(gene: str) -> None:
    reading = read_calls([Call(gene.lower(), "S/S"), Call(gene, "L/L")])
    (unused,) = reading.unused
    assert (unused.gene, unused.why) == (gene, genes()[gene].no_advice)
    assert unused.why
    assert reading.results == gene_results([])
    assert reading.refused == ()


def test_a_gene_may_have_a_phenotype_and_yet_drive_nothing() -> None:
    reading = read_calls([Call("CYP3A5", "*1/*3")])
    assert [one.gene for one in reading.unused] == ["CYP3A5"]
    assert keys("CYP3A5", Call("CYP3A5", "*1/*3")) == ["Intermediate Metabolizer"]


def test_the_gene_may_name_the_tested_allele() -> None:
    assert keys("HLA-B", Call("HLA-B*15:02", phenotype="negative")) == [
        "*15:02 negative"
    ]
    assert keys("HLA-B", Call(" hla-b ", "*15:02/*07:02")) == ["*15:02 positive"]
    assert keys("HLA-B", Call("HLA-B*15:02", "*07:02/*40:01")) == ["*15:02 negative"]


@pytest.mark.parametrize(
    ("phenotypes", "statuses"),
    [
        (["*15:02 negative", "*57:01 negative"], [("*15:02 negative",)]),
        (
            ["*15:11 positive", "*15:02 negative"],
            [("*15:02 negative", "*15:11 positive")],
        ),
        (
            ["*15:02 negative", "*15:02 positive"],
            [("*15:02 negative",), ("*15:02 positive",)],
        ),
    ],
)
def test_statements_on_different_hla_alleles_are_one_result(
    phenotypes: list[str], statuses: list[tuple[str, ...]]
) -> None:
    found = of("HLA-B", [Call("HLA-B", phenotype=one) for one in phenotypes])
    assert [one.statuses for one in found] == statuses


def test_one_unknown_possibility_of_an_hla_call_is_not_dropped() -> None:
    call = Call("HLA-B", "*15/*07:02 or *40:01/*07:02")
    assert keys("HLA-B", call) == ["No Result", "*15:02 negative"]


def test_warnings_have_words_for_every_code() -> None:
    for code, words in WARNINGS.items():
        told = warned(code, *["x"] * words.count("{}"))
        assert (told.code, "{" in told.text) == (code, False)
