"""What must hold of any call, whoever wrote it and however."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.pharmacogenomics.activity import Score, read_score
from backend.twin.pharmacogenomics.alleles import allele_tables
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.gene_result import INDETERMINATE, GeneResult
from backend.twin.pharmacogenomics.phenotype import gene_results, read_calls
from backend.twin.pharmacogenomics.rules import rules

GENES = sorted(allele_tables())
COUNTED = [
    name
    for name, one in allele_tables()["CYP2D6"].alleles.items()
    if "x" not in name and "+" not in name and read_score(one.value)
]
SPEED = [
    "Poor Metabolizer",
    "Likely Poor Metabolizer",
    "Intermediate Metabolizer",
    "Likely Intermediate Metabolizer",
    "Possible Intermediate Metabolizer",
    "Normal Metabolizer",
    "Rapid Metabolizer",
    "Ultrarapid Metabolizer",
]


def results(gene: str, diplotype: str) -> list[GeneResult]:
    return [one for one in gene_results([Call(gene, diplotype)]) if one.gene == gene]


@st.composite
def diplotypes(draw: st.DrawFn) -> tuple[str, str, str]:
    gene = draw(st.sampled_from(GENES))
    names = st.sampled_from([*allele_tables()[gene].alleles, "*1xN", "*997", "?"])
    return gene, draw(names), draw(names)


@given(diplotypes())
def test_the_order_of_alleles_does_not_matter(drawn: tuple[str, str, str]) -> None:
    gene, one, other = drawn
    here, there = results(gene, f"{one}/{other}"), results(gene, f"{other}/{one}")
    plain = [
        [replace(result, warnings=()) for result in side] for side in (here, there)
    ]
    assert plain[0] == plain[1]
    assert [set(r.warnings) for r in here] == [set(r.warnings) for r in there]


@given(diplotypes(), st.sampled_from(["", " ", ":", "_"]), st.booleans())
def test_prefixes_spaces_and_brackets_do_not_matter(
    drawn: tuple[str, str, str], mark: str, is_bracketed: bool
) -> None:
    gene, one, other = drawn
    before = "" if "?" in (one, other) else gene + mark
    first = f"[{one}]" if is_bracketed else one
    text = f" {before}{first} / {before}{other} "
    assert results(gene, text) == results(gene, f"{one}/{other}")


@given(diplotypes())
def test_listed_one_by_one_is_the_same(drawn: tuple[str, str, str]) -> None:
    gene, one, other = drawn
    listed = read_calls([Call(gene, alleles=(one, other))]).results
    assert [r for r in listed if r.gene == gene] == results(gene, f"{one}/{other}")


def low_and_high(gene: str, diplotype: str) -> tuple[float, float] | None:
    """The least and most that the result may be; None where it is not known."""
    scores = [read_score(one.activity_score) for one in results(gene, diplotype)]
    known = [score for score in scores if score]
    if len(known) < len(scores):
        return None
    least = min(score.value for score in known)
    most = max(99.0 if score.is_open else score.value for score in known)
    return least, most


@given(st.sampled_from(COUNTED), st.sampled_from(COUNTED), st.integers(1, 11))
def test_more_copies_never_lower_the_score(one: str, other: str, count: int) -> None:
    fewer = low_and_high("CYP2D6", f"{one}x{count}/{other}")
    more = low_and_high("CYP2D6", f"{one}x{count + 1}/{other}")
    if fewer and more:
        assert more[0] >= fewer[0]
        assert more[1] >= fewer[1]


@given(st.sampled_from(COUNTED), st.sampled_from(COUNTED))
def test_copies_that_are_not_counted_are_at_least_two(one: str, other: str) -> None:
    some = low_and_high("CYP2D6", f"{one}xN/{other}")
    two = low_and_high("CYP2D6", f"{one}x2/{other}")
    if some and two:
        assert some[0] >= two[0]


@pytest.mark.parametrize("unknown", ["*997", "?", "*1x7", "*2+*3"])
@given(drawn=diplotypes())
def test_what_is_unknown_never_raises(
    drawn: tuple[str, str, str], unknown: str
) -> None:
    """An allele that no table has leaves nothing to say: neither more nor normal."""
    gene, one, _ = drawn
    in_table = unknown == "*1x7" and gene == "CYP2D6"
    for result in results(gene, f"{one}/{unknown}"):
        if not in_table and {one, unknown} != {"?"}:
            assert result.phenotype == INDETERMINATE
            assert result.activity_score == "n/a"
            assert result.lookup_key in {INDETERMINATE, "n/a"}


@given(diplotypes())
def test_an_uncertain_function_never_speeds_up(drawn: tuple[str, str, str]) -> None:
    gene, one, _ = drawn
    table = allele_tables()[gene].alleles
    open_ones = [name for name, a in table.items() if a.function[:2] == "Un"]
    if one in table and open_ones:
        (uncertain,) = results(gene, f"{one}/{open_ones[0]}")
        (normal,) = results(gene, f"{one}/*1")
        if INDETERMINATE not in (uncertain.phenotype, normal.phenotype):
            speeds = [SPEED.index(r.phenotype) for r in (uncertain, normal)]
            assert speeds[0] <= speeds[1]


@given(st.sampled_from(GENES), st.data(), st.sampled_from(["A", "B", ".001", "C.012"]))
def test_sub_alleles_are_cut_with_a_warning(
    gene: str, data: st.DataObject, sub: str
) -> None:
    table = allele_tables()[gene]
    plain = [name for name in table.alleles if name[1:].isdigit()]
    star = data.draw(st.sampled_from(plain))
    (main,) = results(gene, f"{star}/*1")
    (cut,) = results(gene, f"{star}{sub}/*1")
    codes = [one.code for one in cut.warnings]
    if star + sub[:1] in table.renamed:
        assert codes == ["renamed_allele", "unknown_allele"]
        assert cut.phenotype == INDETERMINATE
    else:
        assert codes == ["sub_allele"]
        assert replace(cut, warnings=()) == main


TYPED = {  # is it *15:02?
    "*15:02": True,
    "*15:02:01": True,
    "HLA-B*1502": True,
    "*15:01": False,
    "*07:02": False,
    "B*40": False,
    "*15": None,
    "*15:ABCD": None,
    "?": None,
}


@given(st.lists(st.sampled_from(sorted(TYPED)), min_size=1, max_size=2))
def test_unknown_hla_is_never_negative(sides: list[str]) -> None:
    found = [TYPED[one] for one in sides]
    expected = "*15:02 negative" if found == [False, False] else "No Result"
    expected = "*15:02 positive" if True in found else expected
    keys = [one.lookup_key for one in results("HLA-B", "/".join(sides))]
    assert keys == [expected]


@given(st.text(max_size=30), st.sampled_from([*GENES, "HLA-A", "HLA-B", "HTR2A", "X"]))
def test_no_text_breaks_it_or_is_taken_for_normal(text: str, gene: str) -> None:
    """What the grammar does not know gives no speed, and never "negative"."""
    reading = read_calls([Call(gene, text)])
    own = [one for one in reading.results if one.gene == gene]
    if "*" not in text:
        assert all(one.lookup_key == "No Result" for one in own)
    assert {one.gene for one in reading.results} == set(rules())


@given(st.floats(0, 20), st.floats(0, 20), st.booleans(), st.booleans())
def test_adding_keeps_what_is_open(a: float, b: float, left: bool, right: bool) -> None:
    made = Score(a, left) + Score(b, right)
    assert made.is_open == (left or right)
    assert made.value == a + b
