from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.phenotype import gene_results
from backend.twin.record import Reason
from fhir_integration.files import pharmcat
from fhir_integration.files.data_points import NotRead
from fhir_integration.files.pharmcat import GeneRefusal, read_pharmcat

OUTSIDE, MATCHER = "PharmCAT: outside call", "PharmCAT: matcher"
Json = dict[str, Any]


def diplotype(first: Any = "*1", second: Any = "*2", **more: Any) -> Json:
    """One possible result of a gene as PharmCAT writes it, cut to what is read."""
    alleles = [None if one is None else {"name": one} for one in (first, second)]
    return {
        "allele1": alleles[0],
        "allele2": alleles[1],
        "phenotypes": ["Intermediate Metabolizer"],
        "outsidePhenotype": False,
        "activityScore": None,
        "outsideActivityScore": False,
        **more,
    }


def report(*diplotypes: Any, by: str = "MATCHER", **more: Any) -> Json:
    return {"callSource": by, "sourceDiplotypes": list(diplotypes), **more}


def of(genes: Json, key: str = "genes") -> pharmcat.GeneFile:
    return read_pharmcat(json.dumps({key: genes}).encode())


def rows(*lines: str) -> pharmcat.GeneFile:
    return read_pharmcat("\n".join(lines).encode())


EXPECTED = Call("CYP2C19", "*1/*2", source=MATCHER)


@pytest.mark.parametrize(
    "whole",
    [
        {"genes": {"CYP2C19": report(diplotype())}},
        {"geneReports": {"CYP2C19": report(diplotype())}},
        {
            "geneReports": {
                "CPIC": {"CYP2C19": report(diplotype())},
                "DPWG": {"CYP2C19": report(diplotype())},
            }
        },
    ],
)
def test_each_shape_of_file_says_the_same(whole: Json) -> None:
    found = read_pharmcat(b"\xef\xbb\xbf " + json.dumps(whole).encode())
    assert found == ((EXPECTED,), ())


def test_what_pharmcat_derived_is_left_and_what_it_was_given_is_taken() -> None:
    given = diplotype(
        outsidePhenotype=True, outsideActivityScore=True, activityScore="1.25"
    )
    [call] = of({"CYP2D6": report(given, by="OUTSIDE")}).calls
    assert (call.phenotype, call.activity_score) == ("Intermediate Metabolizer", "1.25")
    assert call.source == OUTSIDE
    [call] = of({"CYP2D6": report(diplotype(activityScore="1.0"))}).calls
    assert (call.phenotype, call.activity_score) == (None, None)


def test_a_phenotype_alone_is_a_call() -> None:
    alone = diplotype(None, None, outsidePhenotype=True)
    [call] = of({"CYP2C19": report(alone, by="OUTSIDE")}).calls
    assert (call.diplotype, call.phenotype) == (None, "Intermediate Metabolizer")


def test_every_possible_diplotype_is_kept() -> None:
    several = report(diplotype(), diplotype("*4"), diplotype())
    calls = of({"CYP2C19": several}).calls
    assert [call.diplotype for call in calls] == ["*1/*2", "*4/*2"]


@pytest.mark.parametrize(
    ("gene", "stated", "reason"),
    [
        ("CYP2C19", report(), Reason.NO_VALUE),
        ("CYP2C19", report(diplotype(), by="NONE"), Reason.NO_VALUE),
        ("CYP2C19", report(diplotype("Unknown", "Unknown")), Reason.NO_VALUE),
        ("CYP2C19", report(diplotype("Unknown")), Reason.NO_VALUE),
        ("CYP2C19", report(diplotype(None, None)), Reason.NO_VALUE),
        ("CYP2C19", report("*1/*2"), Reason.MALFORMED),
        ("CYP2C19", {"sourceDiplotypes": "*1/*2"}, Reason.MALFORMED),
        ("CYP2C19", report(*[diplotype()] * 65), Reason.MALFORMED),
        ("CYP2C19", report(diplotype(7)), Reason.MALFORMED),
        ("CYP2C19", report(diplotype("*" * 501)), Reason.MALFORMED),
        ("CYP2C19", report({"allele1": "*1", "allele2": "*2"}), Reason.MALFORMED),
        (
            "CYP2C19",
            report(diplotype(outsidePhenotype=True, phenotypes="poor")),
            Reason.MALFORMED,
        ),
        (
            "CYP2C19",
            report(diplotype(outsidePhenotype=True, phenotypes=[["poor"]])),
            Reason.MALFORMED,
        ),
        (
            "CYP2C19",
            report(diplotype(outsideActivityScore=True, activityScore=1.0)),
            Reason.MALFORMED,
        ),
    ],
)
def test_a_gene_that_cannot_be_read_is_refused(
    gene: str, stated: Json, reason: Reason
) -> None:
    assert of({gene: stated}) == ((), (GeneRefusal(gene, f"gene {gene}", reason),))


def test_genes_that_no_rule_asks_for_are_not_known() -> None:
    unknown = GeneRefusal("", "a gene", Reason.UNKNOWN_CODE)
    made = {"DPYD": report(diplotype()), "x" * 600: report(), "CYP2C19": EXPECTED_GENE}
    assert of(made) == ((EXPECTED,), (unknown,))
    broken = {"CYP2C19": EXPECTED_GENE, "CYP2D6": 7, "CPIC": {"CYP2B6": None}}
    malformed = GeneRefusal("", "a gene", Reason.MALFORMED)
    assert of(broken) == ((EXPECTED,), (malformed,))


EXPECTED_GENE = report(diplotype())


def test_rows_of_outside_calls() -> None:
    found = rows(
        "# a comment\twith a tab",
        "CYP2D6\t*1/*3",
        "CYP2C9\t\t\t2.0",
        " hla-b \t\t*57:01 positive",
        "CYP2C19\t*1/*17\tRapid Metabolizer\tn/a",
        "CYP2B6\t*1/*6\t\t\t",
        "CYP2D6\t*1≥3/*4",
        "",
    )
    assert found.refused == ()
    assert found.calls == (
        Call("CYP2D6", "*1/*3", source=OUTSIDE),
        Call("CYP2C9", activity_score="2.0", source=OUTSIDE),
        Call("HLA-B", phenotype="*57:01 positive", source=OUTSIDE),
        Call("CYP2C19", "*1/*17", "Rapid Metabolizer", source=OUTSIDE),
        Call("CYP2B6", "*1/*6", source=OUTSIDE),
        Call("CYP2D6", "*1x≥3/*4", source=OUTSIDE),
    )


@pytest.mark.parametrize(
    ("line", "gene", "reason"),
    [
        ("G6PD\tB/B", "", Reason.UNKNOWN_CODE),
        ("\t*1/*2", "", Reason.UNKNOWN_CODE),
        ("C" * 600 + "\t*1/*2", "", Reason.UNKNOWN_CODE),
        ("CYP2C19\t", "CYP2C19", Reason.NO_VALUE),
        ("CYP2C19\tno call\t\t", "CYP2C19", Reason.NO_VALUE),
        ("CYP2C19\t*1/*2\t\t\tmore", "CYP2C19", Reason.MALFORMED),
        ("CYP2C19\t" + "*1" * 300, "CYP2C19", Reason.MALFORMED),
        ("CYP2C19\t*1/\0*2", "CYP2C19", Reason.MALFORMED),
    ],
)
def test_a_row_that_cannot_be_read_is_refused(
    line: str, gene: str, reason: Reason
) -> None:
    assert rows(line) == ((), (GeneRefusal(gene, "line 1", reason),))


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "neither"),
        (b"CYP2C19 *1/*2", "neither"),
        (b"# nothing\there", "no genes"),
        (b"\xff\xfe\tx", "not UTF-8"),
        (b"CYP2C19\t*1/*2\n" * 1001, "more lines"),
        (b" " * (pharmcat.MAX_BYTES + 1), "larger"),
        (b"{", "not JSON"),
        (b'{"genes": {}, "genes": {}}', "names a key twice"),
        (b'{"genes": {}}', "no genes"),
        (b'{"genes": []}', "none of PharmCAT's"),
        (b'{"resourceType": "Bundle"}', "none of PharmCAT's"),
    ],
)
def test_another_file_is_not_read(raw: bytes, says: str) -> None:
    with pytest.raises(NotRead, match=says):
        read_pharmcat(raw)


def test_what_is_read_leads_to_phenotypes() -> None:
    found = of(
        {
            "CYP2C19": report(diplotype("*2", "*2")),
            "HLA-B": report(diplotype("*15:02", "*57:01")),
            "CYP2D6": report(
                diplotype(None, None, outsidePhenotype=True, phenotypes=["PM"])
            ),
        }
    )
    results = {one.gene: one.phenotype for one in gene_results(found.calls)}
    assert results["CYP2C19"] == results["CYP2D6"] == "Poor Metabolizer"
    assert results["HLA-B"] == "*15:02 positive"
    assert results["CYP2B6"] == "No Result"


KEYS = ("CYP2C19", "CPIC", "sourceDiplotypes", "allele1", "allele2", "name")
KEYS += ("outsidePhenotype", "phenotypes", "callSource")
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["CYP2C19", "HLA-B", "DPWG"]), JUNK))
def test_no_object_raises_but_as_not_read(genes: Json) -> None:
    try:
        found = of(genes)
    except NotRead:
        return
    assert found.calls or found.refused


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="CYP2C19*/\t\n#HLA-B:x≥ ", max_size=60))
def test_no_text_raises_but_as_not_read(text: str) -> None:
    try:
        found = read_pharmcat(text.encode())
    except NotRead:
        return
    assert found.calls or found.refused
