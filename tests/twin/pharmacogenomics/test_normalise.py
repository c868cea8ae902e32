from __future__ import annotations

import pytest

from backend.twin.errors import CallRefused
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.normalise import MAX_LENGTH, normalised


def read(text: str, gene: str = "CYP2D6") -> tuple[list[str], list[str]]:
    found = normalised(Call(gene, text), gene)
    diplotypes = ["/".join(one) for one in found.diplotypes]
    return diplotypes, [one.code for one in found.warnings]


@pytest.mark.parametrize(
    ("text", "diplotypes"),
    [
        ("*1/*4", ["*1/*4"]),
        ("*4/*1", ["*1/*4"]),
        ("*10/*2", ["*2/*10"]),
        ("*4/?", ["*4/?"]),
        ("?/*4", ["*4/?"]),
        ("CYP2D6*1/*4", ["*1/*4"]),
        ("cyp2d6 *1 / CYP2D6 *4", ["*1/*4"]),
        ("CYP2D6:*1/CYP2D6_*4", ["*1/*4"]),
        ("CYP2D6[*36+*10]/*1", ["*1/*36+*10"]),
        ("*1 × 2/*4", ["*1x2/*4"]),
        ("*1X2/*4", ["*1x2/*4"]),
        ("*1x>=3/*4", ["*1x≥3/*4"]),
        ("*4 / *1xn", ["*1x2/*4", "*1x≥3/*4"]),
        ("*1\u200b/∗4", ["*1/*4"]),
        ("*1/*4 or *1/*10", ["*1/*4", "*1/*10"]),
        ("*1/*10|*4/*1", ["*1/*4", "*1/*10"]),
        ("*1/*10;*1/*4", ["*1/*4", "*1/*10"]),
        ("*1/*4 OR *4/*1", ["*1/*4"]),
        ("(*1/*4)x2", ["*1/*4x2", "*1x2/*4"]),
        ("(*1/*4) DUP", ["*1/*4x2", "*1/*4x≥3", "*1x2/*4", "*1x≥3/*4"]),
    ],
)
def test_spellings(text: str, diplotypes: list[str]) -> None:
    assert read(text)[0] == diplotypes


@pytest.mark.parametrize(
    "text",
    [
        "./.",
        "No Call",
        "not  called",
        "?/?",
        "unknown",
        "Failed",
        "N/A",
        "NC",
        "[?] / ?",
    ],
)
def test_a_no_call_is_neither_an_error_nor_normal(text: str) -> None:
    assert read(text) == ([], [])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        (" \u200b ", "empty"),
        ("*1" * MAX_LENGTH, "too-long"),
        ("*4", "one-allele"),
        ("*4/", "one-allele"),
        ("*4/*1 or ", "malformed"),
        ("*1/*2/*4", "too-many-alleles"),
        ("CYP2C19*1/*2", "another-gene"),
        ("*1/CYP2C19*2", "another-gene"),
        ("HLA-B*15:02/*07:02", "another-gene"),
        ("no *4/*4 found", "another-gene"),
        ("*4/*4 found", "malformed"),
        ("normal", "one-allele"),
        ("1/4", "malformed"),
        ("*15:02/*07:02", "malformed"),
        ("|".join(f"*1/*{n}" for n in range(1, 70)), "too-many-options"),
    ],
)
def test_refused_with_a_reason_that_does_not_repeat_it(text: str, code: str) -> None:
    with pytest.raises(CallRefused) as told:
        read(text)
    assert told.value.code == code
    assert "*" not in str(told.value)


def test_copies_without_a_place_are_told() -> None:
    assert read("(*1/*4)x2")[1] == ["copies_not_placed"]


@pytest.mark.parametrize(
    ("diplotype", "alleles", "expected", "codes"),
    [
        (None, ("*4", "*1"), ["*1/*4"], []),
        ("*1/*4", ("*4", "*1"), ["*1/*4"], []),
        ("*1/*4", ("*4", "*10"), ["*1/*4"], ["alleles_differ"]),
        (None, None, [], []),
    ],
)
def test_alleles_one_by_one(
    diplotype: str | None,
    alleles: tuple[str, ...] | None,
    expected: list[str],
    codes: list[str],
) -> None:
    found = normalised(Call("CYP2D6", diplotype, alleles=alleles), "CYP2D6")
    assert ["/".join(one) for one in found.diplotypes] == expected
    assert [one.code for one in found.warnings] == codes


@pytest.mark.parametrize(
    ("alleles", "code"), [(("*1",), "one-allele"), (("*1",) * 3, "too-many-alleles")]
)
def test_two_alleles_make_a_diplotype(alleles: tuple[str, ...], code: str) -> None:
    with pytest.raises(CallRefused) as told:
        normalised(Call("CYP2D6", alleles=alleles), "CYP2D6")
    assert told.value.code == code
