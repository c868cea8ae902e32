"""An HLA allele that stands there alone is found only if nothing may say otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.genes import GeneCall
from backend.twin.record import Reason
from fhir_integration.kinds.presence import flags
from fhir_integration.kinds.refused import Refused
from tests.fhir_integration.kinds.genetic import (
    call,
    coded,
    component,
    gene,
    read,
    refused,
)

GENE = gene("4932")
POSITIVE = call("HLA-B", "*15:02", phenotype="positive")
REFUSED = refused(Reason.MALFORMED)


def allele(text: str = "HLA-B*15:02", **changes: Any) -> tuple[GeneCall | Refused, ...]:
    stated = {"component": [GENE], **changes}
    return read(code=coded("84414-2"), valueCodeableConcept={"text": text}, **stated)


@pytest.mark.parametrize(
    "interpretation",
    [
        [{"text": "Negative"}],
        [{"text": "see report"}],
        [{**coded("N", display="Normal (allele absent)"), "text": "Negative"}],
        [coded("N")],
        [coded("POS"), coded("NEG")],
        [coded("POS"), {"text": "inconclusive"}],
        [{**coded("POS"), "text": "Negative"}],
        [coded("POS", display="Negative")],
        [coded("POS"), {}],
        [{}],
        ["NEG"],
        [{"coding": "NEG"}],
        {"coding": [{"code": "POS"}]},
        "NEG",
    ],
)
def test_interpretations_that_do_not_confirm(interpretation: Any) -> None:
    assert allele(interpretation=interpretation) == REFUSED
    stated = allele("HLA-B*15:02 positive", interpretation=interpretation)
    assert stated == REFUSED
    [both] = allele("HLA-B*15:02/*40:01", interpretation=interpretation)
    assert isinstance(both, Refused)


@pytest.mark.parametrize(
    "interpretation",
    [
        None,
        [],
        [coded("POS")],
        [{**coded("DET", display="Detected"), "text": "Positive"}],
        [{"text": "present"}],
    ],
)
def test_interpretations_that_do(interpretation: Any) -> None:
    assert allele(interpretation=interpretation) == (POSITIVE,)


ABSENT = coded("LA9634-2")


@pytest.mark.parametrize(
    "changes",
    [
        {"note": [{"text": "not detected"}]},
        {"note": "not detected"},
        {"component": [GENE, {"code": {"text": "presence"},
                              "valueCodeableConcept": ABSENT}]},
        {"component": [GENE, component("260373001", ABSENT, "urn:x")]},
        {"component": [GENE, component("53040-2", ABSENT)]},
        {"component": [GENE, {"valueString": "not detected"}]},
        {"component": [GENE, "not detected"]},
        {"component": [{**GENE, "interpretation": [coded("NEG")]}]},
        {"component": [{**GENE, "modifierExtension": [{"url": "urn:x"}]}]},
        {"component": {"0": GENE}},
    ],
)  # fmt: skip
def test_what_may_take_an_allele_back(changes: dict[str, Any]) -> None:
    assert allele(**changes) == REFUSED
    [both] = allele("HLA-B*15:02/*40:01", **changes)
    assert isinstance(both, Refused)


@pytest.mark.parametrize(
    "changes",
    [
        {"component": [GENE, component("53040-2", coded("LA9633-4"))]},
        {"component": [GENE, component("51963-7", {"text": "carbamazepine"})]},
        {"component": [GENE, component("93044-6", {"text": "level A"})]},
    ],
)
def test_what_takes_nothing_back(changes: dict[str, Any]) -> None:
    assert allele(**changes) == (POSITIVE,)


def test_a_stated_finding_may_have_a_note() -> None:
    note = [{"text": "sequenced twice"}]
    assert allele("HLA-B*15:02 positive", note=note) == (POSITIVE,)
    negative = call("HLA-B", "*15:02", phenotype="negative")
    assert allele("HLA-B*15:02 negative", note=note) == (negative,)


def test_an_enzyme_is_not_judged_by_its_flags() -> None:
    found = read(interpretation=[{"text": "Negative"}], note=[{"text": "see report"}])
    assert found == (call(diplotype="*1/*17"),)


ANY = st.recursive(
    st.none() | st.text(max_size=4) | st.sampled_from(["POS", "NEG", "Positive"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["coding", "code", "text"]), inner)
    ),
    max_leaves=8,
)


@given(ANY)
def test_flags_are_words_of_a_closed_list(interpretation: Any) -> None:
    found = flags({"interpretation": interpretation})
    assert found <= {"positive", "negative", "?"}
