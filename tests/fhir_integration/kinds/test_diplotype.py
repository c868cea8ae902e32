from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.genes import PHENOTYPES, genes
from fhir_integration.kinds.diplotype import MAX_LENGTH, Said, fit, read_text


@pytest.mark.parametrize(
    ("text", "gene", "diplotype"),
    [
        ("CYP2C19 *1/*17", "CYP2C19", "*1/*17"),
        ("CYP2C19*1/*17", "CYP2C19", "*1/*17"),
        ("cyp2c19 *1 / *17 ", "CYP2C19", "*1/*17"),
        ("\u200bCYP2C19\u00a0*1/*17", "CYP2C19", "*1/*17"),
        ("CYP2C9*4/CYP2C9*35B", "CYP2C9", "*4/*35B"),
        ("CYP2C19 genotype: *2/*2", "CYP2C19", "*2/*2"),
        ("CYP2D6 *1.001/*4", "CYP2D6", "*1.001/*4"),
        ("CYP2D6 *1/*2x2", "CYP2D6", "*1/*2x2"),
        ("CYP2D6 *1X3/*4", "CYP2D6", "*1x3/*4"),
        ("CYP2D6 *1/*2xN", "CYP2D6", "*1/*2xN"),
        ("CYP2D6 *1x≥3/*4", "CYP2D6", "*1x≥3/*4"),
        ("CYP2D6 *36+*10/*1", "CYP2D6", "*36+*10/*1"),
        ("CYP2D6 [*36 + *10]/*4", "CYP2D6", "*36+*10/*4"),
        ("CYP2D6 *68x2+*4/*5", "CYP2D6", "*68x2+*4/*5"),
        ("HLA-B*15:02/*40:01", "HLA-B", "*15:02/*40:01"),
        ("hla#3.31.0#HLA-A*03:01:01:01+HLA-A*30:01:01", "HLA-A",
         "*03:01:01:01/*30:01:01"),
        ("SLC6A4 L/S", "SLC6A4", "L/S"),
        ("SLC6A4 La/S", "SLC6A4", "La/S"),
        ("HTR2A rs6311 C/T", "HTR2A", "rs6311 C/T"),
        ("COMT Val/Met", "COMT", "Val/Met"),
    ],
)  # fmt: skip
def test_diplotypes(text: str, gene: str, diplotype: str) -> None:
    assert read_text(text) == Said(gene, (diplotype,))


@pytest.mark.parametrize(
    ("text", "phenotype"),
    [
        ("CYP2C19 Rapid Metabolizer", "rapid"),
        ("CYP2C19 ultra-rapid metaboliser", "ultrarapid"),
        ("CYP2D6 Ultra rapid metabolizer", "ultrarapid"),
        ("CYP2D6 ultrarapid metabolizers", "ultrarapid"),
        ("CYP2D6 extensive metabolizer", "normal"),
        ("Normal metabolizer CYP2D6", "normal"),
        ("CYP2D6: Intermediate Metabolizer", "intermediate"),
        ("CYP2C19 likely intermediate metabolizer", "likely intermediate"),
        ("CYP2C19 Likely Poor Metabolizer", "likely poor"),
        ("CYP2D6 (poor metabolizer)", "poor"),
        ("CYP2D6 phenotype: indeterminate metabolizer", "indeterminate"),
        ("CYP2D6 PM", "poor"),
        ("CYP2D6 IM", "intermediate"),
        ("CYP2D6 NM", "normal"),
        ("CYP2D6 EM", "normal"),
        ("CYP2C19 RM", "rapid"),
        ("CYP2D6 UM", "ultrarapid"),
        ("CYP2C9 decreased function", "decreased function"),
        ("CYP2C9 Poor Function", "poor function"),
    ],
)
def test_phenotypes_by_a_closed_list(text: str, phenotype: str) -> None:
    said = read_text(text)
    assert said is not None
    assert (said.diplotypes, said.phenotype) == ((), phenotype)
    assert phenotype in PHENOTYPES


@pytest.mark.parametrize(
    ("text", "phenotype"),
    [
        ("HLA-B*15:02 positive", "positive"),
        ("Positive for HLA-B*15:02", "positive"),
        ("HLA-B*15:02 present", "positive"),
        ("HLA-B*15:02 detected", "positive"),
        ("HLA-B*15:02", "positive"),
        ("HLA-B*15:02 negative", "negative"),
        ("HLA-B*15:02 not detected", "negative"),
        ("HLA-B*15:02 not present", "negative"),
        ("HLA-B*15:02: absent", "negative"),
        ("HLA-B*15:02 - absent", "negative"),
        ("hla#3.31.0#HLA-B*15:02", "positive"),
    ],
)
def test_one_hla_allele_is_there_or_not(text: str, phenotype: str) -> None:
    assert read_text(text) == Said("HLA-B", ("*15:02",), phenotype)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("CYP2C19 *1/*17 or *1/*2", ("*1/*17", "*1/*2")),
        ("CYP2C19 *1/*2 or *1/*17", ("*1/*17", "*1/*2")),
        ("CYP2D6 (*1/*4) or (*2/*4)", ("*1/*4", "*2/*4")),
        ("CYP2D6 *1/*4|*2/*4|*1/*4", ("*1/*4", "*2/*4")),
        ("hla#3.33.0#HLA-B*08:01/HLA-B*40:01", ("*08:01", "*40:01")),
        ("hla#3#HLA-A*01:01/HLA-A*01:02+HLA-A*24:02",
         ("*01:01/*24:02", "*01:02/*24:02")),
        ("hla#3#HLA-A*01:01+HLA-A*24:02|HLA-A*02:01+HLA-A*24:03",
         ("*01:01/*24:02", "*02:01/*24:03")),
    ],
)  # fmt: skip
def test_what_the_laboratory_could_not_decide_stays_open(
    text: str, options: tuple[str, ...]
) -> None:
    said = read_text(text)
    assert said is not None
    assert (said.diplotypes, said.phenotype) == (options, "")


def test_genotype_and_phenotype_in_one_line() -> None:
    text = "CYP2C19 genotype: *1/*2, phenotype: intermediate metabolizer"
    assert read_text(text) == Said("CYP2C19", ("*1/*2",), "intermediate")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CYP2C19",
        "no CYP2C19 *2/*2 found",
        "CYP2D6 not poor metabolizer",
        "CYP2D6 possibly poor metabolizer",
        "CYP2D6 poor to intermediate metabolizer",
        "CYP2D6 poor metabolizer or intermediate metabolizer",
        "CYP2D6 im",  # an abbreviation is written in capitals
        "CYP2D6 *4",  # half of a diplotype
        "CYP2D6 *1/*2 xN",  # which copy was duplicated?
        "CYP2D6 [*1/*4]xN",
        "CYP2D6 *1/*2/*4",
        "CYP2D6 *1/?",
        "CYP2D6 positive",
        "CYP2D6 *1/*4; CYP2C19 *1/*2",
        "HLA-B positive",
        "HLA-B*15:02 -",  # a minus is a finding, not a mark between words
        "HLA-B*15:02: -",
        "HLA-B*58:01-",
        "HLA-A*31:01 ,-",
        "- HLA-B*15:02",
        "HLA-B*15:02 (-)",
        "HLA-B*15:02 \u2212",
        "HLA-B*15:02 neg",
        "CYP2C19 *2/*2 -",
        "HLA-B*15 positive",  # one field names a family, not an allele
        "HLA-B*15:02/*40:01 positive",  # which of the two?
        "HLA-B*15:02 poor metabolizer",
        "HLA-B*15:02 negative, HLA-B*15:11 positive",
        "hla#3.31.0#HLA-A*01:01+HLA-B*15:02",
        "hla#3.31.0#HLA-A*01:01+HLA-A*02:01+HLA-A*03:01",
        "hla#HLA-A",
        "hla#3#HLA-A" + "/".join(["*01:01"] * 65),
        "CYP2C19 " + " or ".join(["*1/*2"] * 70),
        "TPMT *1/*4",
        "SLC6A4 N/A",
        "SLC6A4 and/or",
        "CYP2D67 *1/*4",
        "CYP2C19 *1/*17" + " " * MAX_LENGTH + "x",
        "CYP2C19 " + "*1" * MAX_LENGTH,
    ],
)
def test_what_says_more_or_something_else_is_not_read(text: str) -> None:
    assert read_text(text) is None


def test_the_gene_of_the_resource_stands_in() -> None:
    assert read_text("*1/*4") is None
    assert read_text("*1/*4", gene="TPMT") is None
    assert read_text("*1/*4", gene="CYP2D6") == Said("CYP2D6", ("*1/*4",))
    assert read_text("CYP2C19 *1/*2", gene="CYP2D6") == Said("CYP2C19", ("*1/*2",))


def test_what_does_not_fit_is_kept_as_stated() -> None:
    said = read_text("CYP2D6 *4/*4 - normal metabolizer")
    assert said == Said("CYP2D6", ("*4/*4",), "normal")


def test_an_enzyme_is_never_positive() -> None:
    assert fit(genes()["CYP2D6"], ("*1/*4",), "positive") is None


@given(st.text(alphabet="CYP2D6HLAB*:/+|#xN() orpositvenga19", max_size=60))
def test_it_never_raises_and_says_only_known_words(text: str) -> None:
    said = read_text(text, gene="CYP2D6")
    if said is not None:
        assert said.gene in genes()
        assert said.phenotype in PHENOTYPES | {""}
        assert said.diplotypes or said.phenotype
