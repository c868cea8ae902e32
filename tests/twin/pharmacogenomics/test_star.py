from __future__ import annotations

import pytest

from backend.twin.errors import CallRefused
from backend.twin.pharmacogenomics.alleles import allele_tables
from backend.twin.pharmacogenomics.star import read_chromosome

CYP2D6 = allele_tables()["CYP2D6"]


@pytest.mark.parametrize(
    ("text", "options", "codes"),
    [
        ("*1", ["*1"], []),
        ("*04", ["*4"], []),
        ("[*1]", ["*1"], []),
        ("*4A", ["*4"], ["sub_allele"]),
        ("*4.012", ["*4"], ["sub_allele"]),
        ("*4AB.012", ["*4"], ["sub_allele"]),
        ("*1x1", ["*1"], []),
        ("*1x2", ["*1x2"], []),
        ("*2Ax2", ["*2x2"], ["sub_allele"]),
        ("*1x3", ["*1x≥3"], ["open_copy_number"]),
        ("*1x13", ["*1x≥3"], ["open_copy_number"]),
        ("*1x≥3", ["*1x≥3"], []),
        ("*1x3+", ["*1x≥3"], []),
        ("*1x≥4", ["*1x≥3"], ["open_copy_number"]),
        ("*41x3", ["*41x3"], []),
        ("*41x4", ["*41x4"], ["unknown_allele"]),
        ("*10x3", ["*10x3"], ["unknown_allele"]),
        ("*3x≥3", ["*3x≥3"], ["unknown_allele"]),
        ("*1xN", ["*1x2", "*1x≥3"], ["copies_not_stated"]),
        ("*1x≥2", ["*1x2", "*1x≥3"], ["copies_not_stated"]),
        ("*1x2+", ["*1x2", "*1x≥3"], ["copies_not_stated"]),
        ("*1DUP", ["*1x2", "*1x≥3"], ["copies_not_stated"]),
        ("*1 DUP", ["*1x2", "*1x≥3"], ["copies_not_stated"]),
        ("*10xN", ["*10x2", "*10x≥3"], ["copies_not_stated", "unknown_allele"]),
        ("*36+*10", ["*36+*10"], []),
        ("*10+*36", ["*36+*10"], []),
        ("*10B+*36", ["*36+*10"], ["sub_allele"]),
        ("*10x2+*36x2", ["*36x2+*10x2"], []),
        ("*36+*36+*10", ["*36x2+*10"], []),
        ("*10+*10", ["*10x2"], []),
        ("*1+*1+*1", ["*1x≥3"], ["open_copy_number"]),
        ("*4+*68+*68+*13", ["*13+*68x2+*4"], []),
        ("*1+*4", ["*1+*4"], ["unknown_allele"]),
        ("*36+*10x3", ["*10x3+*36"], ["unknown_allele"]),
        ("*999", ["*999"], ["unknown_allele"]),
        ("?", ["?"], ["unknown_allele"]),
        ("unknown", ["?"], ["unknown_allele"]),
        ("*14A", ["*14A"], ["renamed_allele", "unknown_allele"]),
        ("*14B", ["*14"], ["sub_allele"]),
        ("*10C+*36", ["*10C+*36"], ["renamed_allele", "unknown_allele"]),
    ],
)
def test_one_side_of_a_diplotype(
    text: str, options: list[str], codes: list[str]
) -> None:
    read = read_chromosome(text, CYP2D6)
    assert list(read.options) == options
    assert [one.code for one in read.warnings] == codes


@pytest.mark.parametrize(
    "text",
    ["1", "*", "**1", "*1x", "*1x0", "*1+", "+*1", "*1+4", "*1234", "rs16947", "*1 *4"],
)
def test_what_is_no_star_allele_is_refused(text: str) -> None:
    with pytest.raises(CallRefused) as told:
        read_chromosome(text, CYP2D6)
    assert told.value.code == "malformed"
    assert text not in str(told.value) or text == "*"


def test_copies_of_other_genes_are_not_inferred() -> None:
    read = read_chromosome("*1x2", allele_tables()["CYP2C19"])
    assert [one.code for one in read.warnings] == ["unknown_allele"]
