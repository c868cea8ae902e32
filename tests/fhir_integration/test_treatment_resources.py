from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.twin.genes import genes
from backend.twin.pharmacogenomics.drugs import drugs
from backend.twin.ports import TreatmentDocument
from fhir_integration import codes
from fhir_integration.dispatch import Context, read_any
from fhir_integration.errors import NotConformant
from fhir_integration.invariants import check_structure
from fhir_integration.subject import Subject
from fhir_integration.treatment_actions import issue, tasks
from fhir_integration.treatment_invariants import (
    check_action,
    check_implication,
    check_response,
)
from fhir_integration.treatment_resources import (
    DISCLAIMER,
    SIMULATED,
    flat_implication,
    flat_response,
    implication,
    provenance,
    response,
    response_device,
    rules_device,
)
from tests.fhir_integration.advised import heeded, line, treatment

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "fhir"
DEVICE, OWN = "Device/d1", "Observation/i1"
Json = dict[str, Any]
NEW: Json = {  # not taken, no model, a source that restricts nothing
    "diplotype": "*1/*1",
    "taken": (),
    "current_order": None,
    "response": None,
    "models": (),
    "stops": (),
    "advice": (
        line(
            source="CPIC",
            action="standard_dosing",
            dose_change=False,
            genes={"CYP2C19": "Normal Metabolizer"},
            rationale="Usual clearance is expected.",
        ),
    ),
}


def emitted(of: TreatmentDocument) -> dict[str, Json]:
    """All that may be written of one document, by name."""
    made = {
        "Device-rules": rules_device(),
        "Observation-implication": implication(of, device_reference=DEVICE),
        "Observation-implication-flat": flat_implication(of, device_reference=DEVICE),
        "Provenance-rules": provenance(
            of, references=[OWN], device_reference=DEVICE, is_by_model=False
        ),
    }
    for one in tasks(of, implication=OWN, device_reference=DEVICE):
        made[f"Task-{one['code']['coding'][-1]['code']}"] = one
    conflict = issue(of, implication=OWN, device_reference=DEVICE)
    if conflict is not None:
        made["DetectedIssue"] = conflict
    if of.response is not None:
        made["Device-response"] = response_device(of)
        made["Observation-response"] = response(of, device_reference=DEVICE)
        made["Observation-response-flat"] = flat_response(of, device_reference=DEVICE)
    return made


def of_code(resource: Json, code: str) -> list[Json]:
    """The components with that code."""
    parts = resource["component"]
    return [one for one in parts if one["code"]["coding"][0]["code"] == code]


SHORT: Json = {
    "advice": (line(), line(source="CPIC", action="no_recommendation")),
    "stops": (heeded(needs=("a fact",)),),
}


@pytest.mark.parametrize(("name", "changes"), [("poor", SHORT), ("new", NEW)])
def test_emitted_resources_are_the_golden_ones(name: str, changes: Json) -> None:
    short = {**(SHORT if name == "poor" else {}), **changes}
    for kind, resource in emitted(treatment(**short)).items():
        path = GOLDEN / f"{kind}-{name}.json"
        text = json.dumps(resource, indent=1, ensure_ascii=False) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.with_name(f"{path.stem}_out.json").write_text(text, encoding="utf-8")
            pytest.fail(f"{path.name} differs: read {path.stem}_out.json, then accept")


@pytest.mark.parametrize("medication", sorted(drugs()))
@pytest.mark.parametrize("diplotype", ["*2/*2", "*1/*17"])
def test_every_medicine_can_be_written(medication: str, diplotype: str) -> None:
    of = treatment(medication, diplotype=diplotype, taken=("fluoxetine", medication))
    made = emitted(of)
    for name, resource in made.items():
        check_structure(resource)
        if name.startswith(("Task", "DetectedIssue")):
            check_action(resource)
    check_implication(made["Observation-implication"])
    check_implication(made["Observation-implication-flat"])
    check_response(made["Observation-response"])
    check_response(made["Observation-response-flat"])
    told = of_code(made["Observation-implication"], "advice")
    assert len(told) == len(of.advice) >= 1


def test_rules_are_no_ai_and_a_model_is_one() -> None:
    made = emitted(treatment())
    labelled = {name for name, one in made.items() if "meta" in one}
    assert labelled == {"Observation-response", "Observation-response-flat"}
    by_model = provenance(
        treatment(), references=[OWN], device_reference=DEVICE, is_by_model=True
    )
    assert by_model["meta"]["security"] == [codes.AI_LABEL]


def test_a_models_estimate_says_what_it_learned_from() -> None:
    made = emitted(treatment())
    for name in ("Observation-response", "Observation-response-flat"):
        [note] = made[name]["note"]
        assert note["text"].startswith(SIMULATED)
        assert "trained on simulated outcomes" in made[name]["code"]["text"]
    [efficacy] = of_code(made["Observation-response"], "efficacy")
    assert efficacy["valueQuantity"]["value"] == 0.5312
    assert of_code(made["Observation-response"], "side-effects.nausea")
    assert not of_code(made["Observation-response"], "side-effects.weight-gain")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"models": ()}, "names no model"),
        ({"response": {"efficacy": "high"}}, "no number"),
        ({"response": {"efficacy": True}}, "no number"),
    ],
)
def test_an_estimate_that_is_none_is_not_written(changes: Json, rule: str) -> None:
    with pytest.raises(NotConformant, match=rule):
        response(treatment(**changes), device_reference=DEVICE)


def test_the_medicine_genes_and_phenotypes_bear_their_codes() -> None:
    made = implication(treatment(), device_reference=DEVICE)
    [medicine] = of_code(made, "51963-7")
    [coding] = medicine["valueCodeableConcept"]["coding"]
    assert (coding["system"], coding["code"]) == (codes.RXNORM, "2556")
    studied = {
        one["valueCodeableConcept"]["coding"][0]["code"]
        for one in of_code(made, "48018-6")
    }
    assert studied == {f"HGNC:{genes()[one].hgnc}" for one in ("CYP2C19", "CYP2D6")}
    effects = of_code(made, "therapeutic-implication")
    poor = effects[0]["valueCodeableConcept"]
    assert poor["text"] == "CYP2C19 Poor Metabolizer"
    assert poor["coding"][0]["code"] == "LA9657-3"


def test_what_no_code_is_known_of_is_told_by_name() -> None:
    of = treatment(rxnorm="", medication="citalopram")
    known, unknown = of.results[0], replace(of.results[0], gene="ABCB1")
    unknown = replace(unknown, phenotype="Indeterminate")
    made = implication(replace(of, results=(known, unknown)), device_reference=DEVICE)
    [medicine] = of_code(made, "51963-7")
    assert medicine["valueCodeableConcept"] == {"text": "citalopram"}
    assert of_code(made, "48018-6")[1]["valueCodeableConcept"] == {"text": "ABCB1"}
    effect = of_code(made, "therapeutic-implication")[1]["valueCodeableConcept"]
    assert effect == {"text": "ABCB1 Indeterminate"}


def test_a_gene_without_a_result_has_no_phenotype() -> None:
    of = treatment()
    none = replace(of.results[0], phenotype="No Result", adjusted_phenotype=None)
    made = implication(replace(of, results=(none,)), device_reference=DEVICE)
    assert of_code(made, "48018-6")
    assert not of_code(made, "therapeutic-implication")


def test_genes_and_current_medication_are_told_apart() -> None:
    of = treatment("paroxetine", taken=("fluoxetine",))
    made = implication(of, device_reference=DEVICE)
    effects = of_code(made, "therapeutic-implication")
    told = {one["valueCodeableConcept"]["text"] for one in effects}
    assert "CYP2D6 Normal Metabolizer" in told
    [adjusted] = [
        one["valueCodeableConcept"]["text"]
        for one in of_code(made, "adjusted-phenotype")
        if "CYP2D6" in one["valueCodeableConcept"]["text"]
    ]
    assert adjusted == "CYP2D6 Poor Metabolizer"
    details = str([one["extension"] for one in of_code(made, "advice")])
    assert "gene-alone" in details


def test_each_source_keeps_its_own_terms() -> None:
    one = line(
        dose_factor=0.5,
        dose_factor_to=0.75,
        dose_part="start",
        dose_limit="20 mg/day",
        dose_scheme="first 10 mg",
        citation="doi:10.1/x",
        classification="Strong",
    )
    made = implication(treatment(advice=(one,)), device_reference=DEVICE)
    [told] = of_code(made, "advice")
    assert told["valueCodeableConcept"]["coding"][0]["code"] == "reduced_dosing"
    [whole] = told["extension"]
    details = {
        part["url"]: next(value for key, value in part.items() if key != "url")
        for part in whole["extension"]
    }
    assert details == {
        "source": "DPWG",
        "population": "general",
        "classification": "Strong",
        "guideline": "PA1",
        "guideline-version": "2018-11",
        "dose-limit": "20 mg/day",
        "dose-scheme": "first 10 mg",
        "dose-part": "start",
        "citation": "doi:10.1/x",
        "gene": "CYP2C19: Poor Metabolizer",
        "dose-change": True,
        "alternate-drug": False,
        "dose-factor": 0.5,
        "dose-factor-to": 0.75,
    }
    [evidence] = of_code(made, "93044-6")
    assert evidence["valueCodeableConcept"] == {"text": "DPWG: Strong"}
    [note, _] = implication(
        treatment(advice=(one,), stops=()), device_reference=DEVICE
    )["note"]
    assert ": Reduced dosing, 0.5 to 0.75 of the usual dose (start), at" in note["text"]


def test_everything_stands_in_words_too() -> None:
    of = treatment()
    lines = [
        note["text"] for note in flat_implication(of, device_reference=DEVICE)["note"]
    ]
    assert lines[-1] == DISCLAIMER
    assert len(lines) == len(of.stops) + len(of.advice) + 1
    unknown = [one for one in of.stops if one.needs]
    assert unknown
    assert all(
        any(need in text for text in lines) for one in unknown for need in one.needs
    )


def test_advice_without_a_source_or_a_genotype() -> None:
    silent = implication(treatment(advice=(), stops=()), device_reference=DEVICE)
    [said] = of_code(silent, "conclusion-string")
    assert said["valueString"] == "citalopram. No source was asked."
    assert not of_code(silent, "93044-6")
    stopped = implication(treatment(stops=(heeded(),)), device_reference=DEVICE)
    [said] = of_code(stopped, "conclusion-string")
    assert said["valueString"].endswith(" Reasons not to use it: 1.")
    for sources in ((), ("a row of a file",), ("QuestionnaireResponse/q1",)):
        with pytest.raises(NotConformant, match="derives from no genotype"):
            implication(treatment(genotype_sources=sources), device_reference=DEVICE)


def test_each_resource_has_an_identity_that_stays() -> None:
    first, again = emitted(treatment()), emitted(treatment())
    assert first == again
    stated = [
        one["identifier"][0]["value"]
        for name, one in first.items()
        if not name.endswith("flat") and "identifier" in one
    ]
    assert len(set(stated)) == len(stated)


def test_our_own_advice_is_never_read_as_a_genotype() -> None:
    context = Context(Subject.at("https://ehr.example/fhir", "p1"))
    for name, resource in emitted(treatment()).items():
        read = read_any({**resource, "id": "x"}, context)
        facts = [one for one in read.results if type(one).__name__ != "Refused"]
        assert facts == [], name
