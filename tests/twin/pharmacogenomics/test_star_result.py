from __future__ import annotations

import pytest

from backend.twin.errors import CallRefused
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.rules import rules
from backend.twin.pharmacogenomics.star_result import star_results

PM, IM, NM = (f"{w} Metabolizer" for w in ("Poor", "Intermediate", "Normal"))
UM = "Ultrarapid Metabolizer"
PHENOTYPE, SCORE = "laboratory phenotype", "laboratory activity score"


@pytest.mark.parametrize(
    ("call", "phenotype", "score", "key", "basis", "codes"),
    [
        (Call("CYP2D6", "*1/*4"), IM, "1.0", "1.0", "diplotype", []),
        (Call("CYP2D6", "*1/*4", IM), IM, "1.0", "1.0", PHENOTYPE, []),
        (Call("CYP2D6", "*1/*4", IM, "1.0"), IM, "1.0", "1.0", PHENOTYPE, []),
        (Call("CYP2D6", "*1/*4", PM), PM, "0.0", "0.0", PHENOTYPE, ["conflict"]),
        (
            Call("CYP2D6", "*1/*10", NM, "1.5"),
            NM,
            "1.5",
            "1.5",
            PHENOTYPE,
            ["conflict"],
        ),
        (
            Call("CYP2D6", "*1/*4", PM, "1.0"),
            PM,
            "0.0",
            "0.0",
            PHENOTYPE,
            ["score_conflict", "conflict"],
        ),
        (
            Call("CYP2D6", "*1/*1", IM),
            IM,
            "n/a",
            "0.25",
            PHENOTYPE,
            ["conflict", "score_not_stated"],
        ),
        (Call("CYP2D6", "*1/*999", NM, "2"), NM, "2.0", "2.0", PHENOTYPE, ["unknown"]),
        (Call("CYP2D6", None, PM), PM, "0.0", "0.0", PHENOTYPE, []),
        (Call("CYP2D6", None, UM, "3"), UM, "3.0", "3.0", PHENOTYPE, []),
        (Call("CYP2D6", None, None, "0.5"), IM, "0.5", "0.5", SCORE, []),
        (Call("CYP2D6", "*4/*4", None, "0.5"), IM, "0.5", "0.5", SCORE, ["conflict"]),
        (Call("CYP2D6", None, None, "n/a"), "Indeterminate", "n/a", "n/a", SCORE, []),
        (
            Call("CYP2D6", None, "Indeterminate"),
            "Indeterminate",
            "n/a",
            "n/a",
            PHENOTYPE,
            [],
        ),
        (Call("CYP2D6", "no call", "PM"), PM, "0.0", "0.0", PHENOTYPE, []),
        (Call("CYP2D6", "*1", "PM"), PM, "0.0", "0.0", PHENOTYPE, ["unread_alleles"]),
        (
            Call("CYP2D6", "*1/*4 (CN=3)", None, "0.5"),
            *(IM, "0.5", "0.5", SCORE, ["unread_alleles"]),
        ),
        (Call("CYP2C19", "*1/*2", "PM"), PM, "n/a", PM, PHENOTYPE, ["conflict"]),
        (Call("CYP2C19", None, "IM"), IM, "n/a", IM, PHENOTYPE, []),
        (
            Call("CYP2C19", "*2/*2", "slow"),
            PM,
            "n/a",
            PM,
            "diplotype",
            ["unread_phenotype"],
        ),
    ],
)
def test_the_laboratorys_word_goes_first(
    *, call: Call, phenotype: str, score: str, key: str, basis: str, codes: list[str]
) -> None:
    (one,) = star_results(call, rules()[call.gene])
    assert (one.phenotype, one.activity_score) == (phenotype, score)
    assert (one.lookup_key, one.basis) == (key, basis)
    told = [w.code for w in one.warnings]
    expected = ["unknown_allele", "conflict"] if codes == ["unknown"] else codes
    assert told == expected


def test_a_conflict_names_both_sides() -> None:
    (one,) = star_results(Call("CYP2D6", "*1/*4", PM), rules()["CYP2D6"])
    assert one.lookup_diplotype == "*1/*4"
    assert one.warnings[0].text == (
        "the laboratory's Poor Metabolizer, which is used; "
        "its alleles give Intermediate Metabolizer, 1.0"
    )


def test_a_phenotype_alone_keeps_every_score_that_fits() -> None:
    (one,) = star_results(Call("CYP2D6", None, IM), rules()["CYP2D6"])
    assert one.lookup_keys == ("0.25", "0.5", "0.75", "1.0")
    assert one.activity_score == "n/a"
    assert [w.code for w in one.warnings] == ["score_not_stated"]


def test_the_laboratorys_word_decides_among_possible_diplotypes() -> None:
    call = Call("CYP2C19", "*1/*2 or *1/*17", "RM")
    (one,) = star_results(call, rules()["CYP2C19"])
    assert (one.lookup_diplotype, one.warnings) == ("*1/*17", ())


def test_a_no_call_has_no_result() -> None:
    assert star_results(Call("CYP2C19", "./."), rules()["CYP2C19"]) == ()


@pytest.mark.parametrize(
    "call", [Call("CYP2D6", None, "fast"), Call("CYP2D6", "NC", None, "0.3")]
)
def test_an_unreadable_statement_alone_is_refused(call: Call) -> None:
    with pytest.raises(CallRefused) as told:
        star_results(call, rules()["CYP2D6"])
    assert told.value.code == "unread"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (Call("CYP2D6", "CYP2C19*1/*2", "PM"), "another-gene"),
        (Call("CYP2D6", "*1", "fast"), "one-allele"),
        (Call("CYP2D6", "*1", "no result"), "one-allele"),
    ],
)
def test_alleles_of_another_gene_or_without_a_word_are_refused(
    call: Call, code: str
) -> None:
    with pytest.raises(CallRefused) as told:
        star_results(call, rules()["CYP2D6"])
    assert told.value.code == code
