from __future__ import annotations

import pytest

from backend.twin.errors import CallRefused
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.hla import hla_results
from backend.twin.pharmacogenomics.rules import rules

B = rules()["HLA-B"]
POSITIVE, NEGATIVE, NONE = "*15:02 positive", "*15:02 negative", "No Result"


@pytest.mark.parametrize(
    ("diplotype", "key", "codes"),
    [
        ("*15:02/*07:02", POSITIVE, []),
        ("*07:02/*15:02", POSITIVE, []),
        ("HLA-B*15:02/HLA-B*15:02", POSITIVE, []),
        ("B*15:02:01:03/B*07:02", POSITIVE, ["sub_allele"]),
        ("*15:02:01G/*07:02", POSITIVE, ["sub_allele"]),
        ("*15:02P/*07:02", POSITIVE, ["sub_allele"]),
        ("*1502/*0702", POSITIVE, ["old_hla_name", "old_hla_name"]),
        ("*15:02", POSITIVE, ["one_allele"]),
        ("*15:02/?", POSITIVE, ["low_resolution"]),
        ("HLA-B*15:02+HLA-B*07:02", POSITIVE, []),
        ("*15:02,*07:02", POSITIVE, []),
        ("*07:02/*40:01", NEGATIVE, []),
        ("*15:01/*15:03", NEGATIVE, []),
        ("*15:20/*15:202", NEGATIVE, []),
        ("*07/*40:01", NEGATIVE, ["low_resolution"]),
        ("*15/*40:01", NONE, ["low_resolution"]),
        ("*15:ABCD/*40:01", NONE, ["low_resolution"]),
        ("*40:01/?", NONE, ["low_resolution"]),
        ("*40:01", NONE, ["one_allele"]),
    ],
)
def test_what_two_alleles_say_of_one(
    diplotype: str, key: str, codes: list[str]
) -> None:
    (one,) = hla_results(Call("HLA-B", diplotype), B)
    assert (one.lookup_key, one.lookup_keys) == (key, (key,))
    assert one.phenotype == ("Indeterminate" if key == NONE else key)
    assert [w.code for w in one.warnings] == codes
    assert (one.basis, one.activity_score) == ("diplotype", "n/a")


@pytest.mark.parametrize(
    ("diplotype", "statuses"),
    [
        ("*15:11/*07:02", (NEGATIVE, "*15:11 positive")),
        ("*15:02/*15:11", (POSITIVE, "*15:11 positive")),
        ("*15:11", ("*15:11 positive",)),
        ("*15/*07:02", ()),
    ],
)
def test_other_alleles_that_a_source_asks_for(
    diplotype: str, statuses: tuple[str, ...]
) -> None:
    (one,) = hla_results(Call("HLA-B", diplotype), B)
    assert one.statuses == statuses


@pytest.mark.parametrize(
    ("diplotype", "phenotype", "key", "codes"),
    [
        (None, "*15:02 positive", POSITIVE, []),
        (None, "HLA-B*15:02 Negative", NEGATIVE, []),
        (None, "HLA-B*15:02:01 not detected", NEGATIVE, ["sub_allele"]),
        (None, "*57:01 positive; *15:02 negative", NEGATIVE, []),
        (None, "Positive for HLA-B*15:02", POSITIVE, []),
        (None, "not present for *15:02", NEGATIVE, []),
        (None, "*15:02 present, *15:11 absent", POSITIVE, []),
        ("*15:02", "negative", NEGATIVE, []),
        ("*15:02", "Positive", POSITIVE, []),
        ("*07:02/*40:01", "*15:02 positive", POSITIVE, ["conflict"]),
        ("*07:02/*15", "*15:02 negative", NEGATIVE, ["low_resolution"]),
        ("*07:02/*15:02", "negative", POSITIVE, ["unread_phenotype"]),
        ("*07:02/*40:01", "positive", NEGATIVE, ["unread_phenotype"]),
        ("*07:02/*15:02", "no result", POSITIVE, []),
        ("no call", "*15:02 negative", NEGATIVE, []),
        ("B75/*07:02", "*15:02 positive", POSITIVE, ["unread_alleles"]),
    ],
)
def test_the_laboratorys_own_status(
    diplotype: str | None, phenotype: str, key: str, codes: list[str]
) -> None:
    (one,) = hla_results(Call("HLA-B", diplotype, phenotype), B)
    assert one.lookup_key == key
    assert [w.code for w in one.warnings] == codes
    assert one.basis == "laboratory phenotype"


@pytest.mark.parametrize(
    "call",
    [
        Call("HLA-B", "./."),
        Call("HLA-B", None, "*57:01 negative"),
        Call("HLA-B", "*57:01", "negative"),
        Call("HLA-B", None, "not tested"),
    ],
)
def test_of_what_was_not_asked_nothing_is_said(call: Call) -> None:
    assert hla_results(call, B) == ()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (Call("HLA-B", None, "negative"), "unread"),
        (Call("HLA-B", "B75/*07:02", "negative"), "unread"),
        (Call("HLA-B", "B75/*07:02", "*57:01 negative"), "malformed"),
        (Call("HLA-B", "B75/*07:02", "not tested"), "malformed"),
        (Call("HLA-B", "HLA-A*02:01/*03:01", "*15:02 positive"), "another-gene"),
        (Call("HLA-B", None, "*15:02 perhaps"), "unread"),
        (Call("HLA-B", ""), "empty"),
        (Call("HLA-B", "*15:02/*07:02/*40:01"), "too-many-alleles"),
        (Call("HLA-B", "*15:02+*07:02+*40:01"), "too-many-alleles"),
        (Call("HLA-B", "HLA-A*31:01/HLA-B*15:02"), "another-gene"),
        (Call("HLA-B", "15:02/07:02"), "malformed"),
        (Call("HLA-B", "*15:2/*07:02"), "malformed"),
        (Call("HLA-B", "/".join(f"*40:{n}" for n in range(10, 80)) + "+*07:02"), "too"),
    ],
)
def test_refused_with_a_reason(call: Call, code: str) -> None:
    with pytest.raises(CallRefused) as told:
        hla_results(call, B)
    assert told.value.code == ("too-many-options" if code == "too" else code)


def test_every_possibility_of_a_gl_string_is_kept() -> None:
    call = Call("HLA-B", "HLA-B*15:02/HLA-B*15:13+HLA-B*07:02|*40:01/*07:02+*08:01")
    keys = [one.lookup_key for one in hla_results(call, B)]
    assert keys == [POSITIVE, NEGATIVE, NEGATIVE, NEGATIVE]


def test_alleles_listed_otherwise_are_told() -> None:
    call = Call("HLA-B", "*15:02/*07:02", alleles=("*15:02", "*08:01"))
    assert [w.code for w in hla_results(call, B)[0].warnings] == ["alleles_differ"]


def test_hla_a_asks_for_its_own_allele() -> None:
    rule = rules()["HLA-A"]
    (one,) = hla_results(Call("HLA-A", "A*31:01:02/A*02:01"), rule)
    (other,) = hla_results(Call("HLA-A", alleles=("*02:01", "*24:02")), rule)
    assert (one.lookup_key, other.lookup_key) == ("*31:01 positive", "*31:01 negative")
    assert one.lookup_diplotype == "*02:01/*31:01"
