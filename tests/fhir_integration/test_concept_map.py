from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from fhir.resources.R4B.conceptmap import ConceptMap
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_integration.codes import LOINC
from fhir_integration.concept_map import read_concept_map, translated
from fhir_integration.instruments import instrument
from fhir_integration.observation import Reading, readings, when
from fhir_integration.subject import Subject
from tests.fhir_integration.made import Json, observation

SITE = "urn:clinic:forms"
MEANT = {(SITE, "PHQ9TOT"): (LOINC, "44261-6")}


def target(code: str = "44261-6", how: str = "equivalent") -> Json:
    return {"code": code, "equivalence": how}


def element(code: str = "PHQ9TOT", *targets: Json) -> Json:
    return {"code": code, "target": list(targets or (target(),))}


def concept_map(*elements: Json, **changes: Any) -> Json:
    group = {"source": SITE, "target": LOINC, "element": list(elements)}
    return {
        "resourceType": "ConceptMap",
        "status": "active",
        "group": [{**group, **changes}],
    }


def test_the_made_map_is_r4() -> None:
    ConceptMap.model_validate(concept_map(element()))


@pytest.mark.parametrize(
    "elements",
    [
        [element()],
        [element("PHQ9TOT", target(how="equal"))],
        [element("PHQ9TOT", target("44249-1", how="wider"), target())],
        [element(), element("X", target("8302-2", how="unmatched"))],
        [element(), {"code": "Y"}],
        [element(), element()],
    ],
)
def test_equal_and_equivalent_codes_count(elements: list[Json]) -> None:
    assert read_concept_map(concept_map(*elements)) == MEANT


def test_answers_and_other_systems_have_no_check_digit() -> None:
    answers = concept_map(element("2", target("LA6569-3")))
    assert read_concept_map(answers) == {(SITE, "2"): (LOINC, "LA6569-3")}
    own = concept_map(element("x", target("who5-raw")), target="urn:own")
    assert read_concept_map(own) == {(SITE, "x"): ("urn:own", "who5-raw")}
    oid = concept_map(element(), target="urn:oid:2.16.840.1.113883.6.1")
    assert read_concept_map(oid) == MEANT


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        ({}, "not a ConceptMap"),
        ({"resourceType": "ValueSet"}, "not a ConceptMap"),
        ({"resourceType": "ConceptMap"}, "group must be a list"),
        ({"resourceType": "ConceptMap", "group": {}}, "group must be a list"),
        ({"resourceType": "ConceptMap", "group": []}, "group must be a list"),
        ({"resourceType": "ConceptMap", "group": ["x"]}, "group must be a list"),
        (concept_map(), "element must be a list"),
        (concept_map(element(), source=None), "source is missing"),
        (concept_map(element(), target=7), "target is missing"),
        (concept_map({"target": [target()]}), "code is missing"),
        (concept_map({"code": "a", "target": "b"}), "target must be a list"),
        (concept_map(element("a", {"code": "44261-6"})), "equivalence is missing"),
        (concept_map(element("a", target(how="same-as"))), "no equivalence of R4"),
        (concept_map(element("a", {"equivalence": "equal"})), "code is missing"),
        (concept_map(element("a", target("91006-2"))), "check digit"),
        (concept_map(element("a", target("PHQ-9"))), "check digit"),
        (concept_map(element("a", target(how="wider"))), "of no code what it equals"),
        (
            concept_map(element("a", target(), target("70274-6"))),
            "'a' has two meanings",
        ),
    ],
)
def test_a_map_that_says_nothing_or_nonsense_is_refused(
    resource: Json, why: str
) -> None:
    with pytest.raises(ValueError, match=f"site codes: .*{why}"):
        read_concept_map(resource)


def coded(*names: tuple[str, str]) -> Json:
    return {"coding": [{"system": system, "code": code} for system, code in names]}


LOCAL = (SITE, "PHQ9TOT")
TOTAL = (LOINC, "44261-6")


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([LOCAL], [LOCAL, TOTAL]),
        ([(SITE, "other"), LOCAL], [(SITE, "other"), LOCAL, TOTAL]),
        ([LOCAL, LOCAL], [LOCAL, LOCAL, TOTAL]),
        ([(LOINC, "70274-6"), LOCAL], [(LOINC, "70274-6"), LOCAL]),  # known already
        ([("urn:else", "PHQ9TOT")], [("urn:else", "PHQ9TOT")]),
        ([], []),
    ],
)
def test_what_a_code_means_is_added_where_none_is_known(
    stated: list[tuple[str, str]], expected: list[tuple[str, str]]
) -> None:
    resource = observation(code=coded(*stated))
    before = repr(resource)
    assert translated(resource, MEANT)["code"] == coded(*expected)
    assert repr(resource) == before


def test_a_sites_own_code_is_read_as_what_it_means() -> None:
    resource = translated(observation(code=coded(LOCAL)), MEANT)
    subject = Subject.at("", "p1")
    [read] = readings(
        resource, subject=subject, at=when(resource), until=date(2026, 2, 28)
    )
    assert isinstance(read, Reading)
    assert (read.scale.key, read.value) == ("phq9", 12)


def test_components_answers_and_medicines_are_translated_too() -> None:
    site = {(SITE, "i9"): (LOINC, "44260-8"), (SITE, "2"): (LOINC, "LA6570-1")}
    inner = {"code": coded((SITE, "i9")), "valueCodeableConcept": coded((SITE, "2"))}
    resource = {"component": [inner, 7], "medicationCodeableConcept": "junk"}
    made = translated(resource, site)
    found = made["component"][0]
    assert found["code"]["coding"][1] == {"system": LOINC, "code": "44260-8"}
    assert found["valueCodeableConcept"]["coding"][1]["code"] == "LA6570-1"
    assert made["component"][1] == 7
    drug = {"medicationCodeableConcept": coded((SITE, "2"))}
    assert len(translated(drug, site)["medicationCodeableConcept"]["coding"]) == 2


def test_without_site_codes_nothing_is_done() -> None:
    resource = observation()
    assert translated(resource, {}) is resource


JUNK = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["coding", "system", "code", "component", "group"]),
            inner | st.just("PHQ9TOT") | st.just(SITE),
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["code", "component", "valueCodeableConcept"]), JUNK
    )
)
def test_no_resource_makes_the_translation_raise(resource: Json) -> None:
    made = translated(resource, MEANT)
    assert made.keys() == resource.keys()
    instrument(made)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["resourceType", "group"]), JUNK)
    | st.builds(lambda junk: concept_map(element("a", target()), element=junk), JUNK)
)
def test_a_map_is_read_or_refused_with_a_word(resource: Json) -> None:
    try:
        assert read_concept_map(resource)
    except ValueError as error:
        assert str(error).startswith("site codes: ")
