"""HLA alleles, haplotypes, implications, and what public examples say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.twin.genes import GeneCall
from backend.twin.record import Reason
from fhir_integration.kinds.genotype import is_genotype, read_genotype
from fhir_integration.kinds.refused import Refused
from tests.fhir_integration.kinds.genetic import (
    PHARMVAR,
    SUBJECT,
    TBD,
    call,
    coded,
    component,
    gene,
    read,
    refused,
)


@pytest.mark.parametrize(
    ("value", "diplotype", "phenotype", "ambiguous"),
    [
        (coded("14909", "http://www.ncbi.nlm.nih.gov/clinvar", "HLA-B*15:02"),
         "*15:02", "positive", ()),
        ({"text": "HLA-B*15:02 not detected"}, "*15:02", "negative", ()),
        (coded("hla#3.33.0#HLA-B*08:01/HLA-B*40:01", "http://glstring.org"),
         "", "", ("*08:01", "*40:01")),
        (coded("hla#3.33.0#HLA-B*08:01+HLA-B*40:01", "http://glstring.org"),
         "*08:01/*40:01", "", ()),
    ],
)  # fmt: skip
def test_hla(value: Any, diplotype: str, phenotype: str, ambiguous: Any) -> None:
    found = read(component=[gene("4932", "HLA-B")], valueCodeableConcept=value)
    expected = call("HLA-B", diplotype, phenotype=phenotype, ambiguous=ambiguous)
    assert found == (expected,)


@pytest.mark.parametrize(
    ("flag", "reason"), [("NEG", Reason.MALFORMED), ("ND", Reason.MALFORMED)]
)
def test_an_allele_that_the_flag_denies_is_not_read(flag: str, reason: Reason) -> None:
    value = {"text": "HLA-B*15:02"}
    parts = [gene("4932")]
    flagged = [coded(flag, "http://terminology.hl7.org/CodeSystem/v3-Obs")]
    found = read(component=parts, valueCodeableConcept=value, interpretation=flagged)
    assert found == refused(reason)
    enzyme = read(interpretation=[coded("NEG")])
    assert enzyme == (call(diplotype="*1/*17"),), "an enzyme's flag says nothing of it"


@pytest.mark.parametrize("flag", ["POS", "DET"])
def test_an_allele_that_the_flag_confirms_is_there(flag: str) -> None:
    value = {"text": "HLA-B*15:02"}
    agreed = read(
        component=[gene("4932")],
        valueCodeableConcept=value,
        interpretation=[coded(flag)],
    )
    assert agreed == (call("HLA-B", "*15:02", phenotype="positive"),)


@pytest.mark.parametrize(
    ("flag", "value", "phenotype"),
    [
        ("DET", "HLA-B*15:02 negative", None),
        ("ND", "HLA-B*15:02 negative", "negative"),
    ],
)
def test_flag_and_words_must_agree(
    flag: str, value: str, phenotype: str | None
) -> None:
    found = read(
        component=[gene("4932")],
        valueCodeableConcept={"text": value},
        interpretation=[coded(flag)],
    )
    said = phenotype and (call("HLA-B", "*15:02", phenotype=phenotype),)
    assert found == (said or refused(Reason.MALFORMED))


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        # One copy of an enzyme's gene is half a result.
        ({"valueCodeableConcept": coded("CYP2C19*2", PHARMVAR)},
         refused(Reason.NOT_READ)),
        ({"valueCodeableConcept": None}, refused(Reason.NOT_READ)),
        ({"component": [component("48018-6", {"text": "HLA-A"})],
          "valueCodeableConcept": coded("HLA-A*31:01", "http://x.example")},
         (call("HLA-A", "*31:01", phenotype="positive"),)),
        ({"component": [gene("2621", "CYP2D6")]}, refused(Reason.MALFORMED)),
    ],
)  # fmt: skip
def test_haplotypes(changes: dict[str, Any], found: Any) -> None:
    assert read(code=coded("84414-2"), **changes) == found


def implication(*parts: Any, **changes: Any) -> tuple[GeneCall | Refused, ...]:
    drug = component("51963-7", coded("704", "http://x.example", "Amitriptyline"))
    return read(
        code=coded("therapeutic-implication", TBD),
        valueCodeableConcept=None,
        component=[drug, *parts],
        **changes,
    )


TEXT = component(
    "predicted-therapeutic-implication", {"text": "CYP2C19 Rapid Metabolizer"}, TBD
)


def test_an_implication_points_at_what_it_derives_from() -> None:
    assert implication(TEXT, derivedFrom=[{"reference": "Observation/g1"}]) == ()


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ([TEXT], (call(phenotype="rapid"),)),
        ([gene("2621"), component("53040-2", coded("LA25390-8"))],
         (call(phenotype="rapid"),)),
        ([component("53040-2", coded("LA25390-8"))], refused(Reason.NOT_READ)),
        ([], refused(Reason.NOT_READ)),
        ([component("predicted-therapeutic-implication",
                    {"text": "Supports Resistance"}, TBD)], refused(Reason.NOT_READ)),
    ],
)  # fmt: skip
def test_an_implication_on_its_own_must_name_its_gene(parts: Any, found: Any) -> None:
    assert implication(*parts) == found


def test_the_oldest_form_of_an_implication() -> None:
    changes = {"code": coded("53040-2"), "valueCodeableConcept": coded("LA9657-3")}
    assert read(**changes) == (call(phenotype="poor"),)
    derived = [{"reference": "Observation/g1"}]
    assert read(**changes, derivedFrom=derived) == ()


def observations(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("resourceType") == "Observation":
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from observations(inner)


def say(resource: dict[str, Any]) -> str:
    """The result in one word, for whomever the resource is about."""
    resource = {**resource, "subject": {"reference": "Patient/p1"}}
    results = read_genotype(resource, subject=SUBJECT, source="S")
    if not results:
        return "points elsewhere"
    [found] = results
    if isinstance(found, Refused):
        return str(found.reason)
    parts = [found.diplotype, *found.ambiguous, found.phenotype]
    return " ".join([found.gene, *filter(None, parts)])


def test_what_the_public_examples_say(shared: Path) -> None:
    data = shared / "data"
    files = [
        *(data / "fhir" / "examples" / "genomics-operations").glob("*.json"),
        *(data / "fhir-genomics-examples").rglob("*.json"),
    ]
    found = [r for file in files for r in observations(json.loads(file.read_bytes()))]
    assert Counter(say(r) for r in found if is_genotype(r)) == {
        "points elsewhere": 153,
        "CYP2D6 *1/*41": 28,
        "CYP2C19 *1/*17": 14,
        "CYP2C19 *1/*1": 2,
        "HLA-B *08:01 *40:01": 2,
        "type-not-read": 2,  # two haplotypes of CYP2C9, and the diplotype they make:
        "CYP2C9 *4/*35B": 1,
        "HLA-B *15:02 positive": 1,
        "HLA-A *03:01:01:01/*30:01:01": 1,
        "HLA-A *03:01:01:01 positive": 1,
        "unknown-code": 1,  # HLA-DRB1
    }


@pytest.mark.parametrize(
    ("words", "parts", "found"),
    [
        ("CYP2D6 gene product metabolic activity", None, "CYP2D6"),
        ("CYP2C19 gene product metabolic activity", [], "CYP2C19"),
        ("CYP2D6 and CYP2C19 activity", None, Reason.MALFORMED),
        ("gene product metabolic activity", None, Reason.UNKNOWN_CODE),
        ("CYP2D61 activity", None, Reason.UNKNOWN_CODE),
        ("CYP2C19 activity", [gene("2625", "CYP2D6")], "CYP2D6"),
    ],
)
def test_the_words_of_a_metabolizer_code_may_name_its_gene(
    words: str, parts: Any, found: Any
) -> None:
    code = coded("79715-9", display=words)
    value = coded("LA9657-3")
    expected = refused(found) if isinstance(found, Reason) else None
    stated = read(code=code, component=parts, valueCodeableConcept=value)
    assert stated == (expected or (call(found, phenotype="poor"),))
