"""Diagnosis codes: with and without the dot, the finer rule first, and wrong tables."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from backend.twin.conditions import (
    ICD_10_CM,
    SNOMED,
    concept_of,
    read_rules,
    rules,
    stage_of,
)


@pytest.mark.parametrize(
    ("code", "concept"),
    [
        ("F32.9", "depression"),
        ("F329", "depression"),
        ("f32.9", "depression"),
        ("F32", "depression"),
        ("F32.A", "depression"),
        ("F33.41", "depression"),
        ("F53.0", "depression"),
        ("F53.1", "psychosis"),
        ("F32.81", "premenstrual-dysphoric"),
        ("F3281", "premenstrual-dysphoric"),
        ("F34.1", "dysthymia"),
        ("F34.0", "cyclothymia"),
        ("F31.81", "bipolar"),
        ("F30.10", "bipolar"),
        ("F41.1", "gad"),
        ("F41.0", "anxiety"),
        ("F40.10", "anxiety"),
        ("F43.12", "ptsd"),
        ("F43.23", "adjustment"),
        ("F20.0", "schizophrenia"),
        ("F25.9", "schizoaffective"),
        ("F29", "psychosis"),
        ("F90.2", "adhd"),
        ("F10.20", "alcohol-use"),
        ("F11.20", "opioid-use"),
        ("F14.10", "other-substance-use"),
        ("F17.210", None),  # tobacco
        ("T43.221A", "overdose"),
        ("T43222A", "self-harm"),
        ("T40.1X4A", "overdose"),
        ("T50.901A", "overdose"),
        ("T43.92XA", "self-harm"),  # of an unspecified drug: the fifth character
        ("T4272XA", "self-harm"),
        ("T39.91XA", "overdose"),
        ("T43.95XA", None),
        ("T36.96XA", None),
        ("T43.225A", None),  # an adverse effect
        ("T43.226A", None),  # underdosing
        ("T51.0X1A", None),  # alcohol, no drug
        ("T43.91XA", "overdose"),
        ("T43.223A", "overdose"),
        ("T50.912A", "self-harm"),
        ("T51.0X2A", "self-harm"),
        ("T51.92XA", "self-harm"),
        ("T58.02XA", "self-harm"),
        ("T58.01XA", None),
        ("T71.162A", "self-harm"),
        ("T71.161A", None),
        ("X71.0XXA", "self-harm"),
        ("X83.8XXA", "self-harm"),
        ("X84", None),
        ("X70", None),
        ("R45.88", "self-harm"),
        ("Z91.51", "self-harm"),
        ("Z91.5", "self-harm"),
        ("Z91.4", None),
        ("R45.851", "suicidal-ideation"),
        ("T14.91XA", "suicide-attempt"),
        ("O99.340", "pregnancy"),
        ("O99.345", "puerperium"),  # no longer pregnant
        ("O99.03", "puerperium"),
        ("O99.013", "pregnancy"),
        ("O99.893", "puerperium"),
        ("O9A.23", "puerperium"),
        ("O10.03", "puerperium"),
        ("O10.013", "pregnancy"),
        ("O10.313", "pregnancy"),
        ("O24.430", "puerperium"),
        ("O24.13", "puerperium"),
        ("O24.415", "pregnancy"),
        ("O24.313", "pregnancy"),
        ("O14.13", "pregnancy"),  # the third trimester
        ("O14.15", "puerperium"),
        ("O16.5", "puerperium"),
        ("O26.613", "pregnancy"),
        ("O26.63", "puerperium"),
        ("Z3A.20", "pregnancy"),
        ("O80", None),  # a delivery
        ("Z33.1", "pregnancy"),
        ("Z33.2", None),
        ("E72.20", "urea-cycle"),
        ("G31.81", "mitochondrial"),
        ("K74.60", "liver"),
        ("N18.3", "kidney"),
        ("I45.81", "long-qt"),
        ("Z51.5", None),
        ("F30-F39", None),
        ("F3", None),
        ("O", None),
        ("", None),
    ],
)
def test_icd_10_cm(code: str, concept: str | None) -> None:
    assert concept_of(ICD_10_CM, code) == concept


@pytest.mark.parametrize(
    ("code", "concept", "stage"),
    [
        ("F32.4", "depression", "remission"),
        ("F32.5", "depression", "remission"),
        ("F32.9", "depression", ""),
        ("F33.40", "depression", "remission"),
        ("F3342", "depression", "remission"),
        ("f33.41", "depression", "remission"),
        ("F33.3", "depression", ""),
        ("F31.78", "bipolar", "remission"),
        ("F31.81", "bipolar", ""),
        ("F30.3", "bipolar", "remission"),
        ("F30.4", "bipolar", "remission"),
        ("F30.2", "bipolar", ""),
        ("F10.11", "alcohol-use", "remission"),
        ("F10.21", "alcohol-use", "remission"),
        ("F10.20", "alcohol-use", ""),
        ("F10.231", "alcohol-use", ""),  # withdrawal
        ("F11.21", "opioid-use", "remission"),
        ("F14.91", "other-substance-use", "remission"),
        ("F50.25", "eating-disorder", "remission"),
        ("F50.014", "eating-disorder", "remission"),
        ("F50.2", "eating-disorder", ""),
        ("T43.222A", "self-harm", ""),
        ("T43.222S", "self-harm", "history"),
        ("T43.221S", "overdose", "history"),
        ("T14.91XS", "suicide-attempt", "history"),
        ("X71.0XXS", "self-harm", "history"),
        ("Z91.51", "self-harm", "history"),
        ("R45.851", "suicidal-ideation", ""),
        ("F17.211", None, ""),  # tobacco
        ("S06.0X0S", None, ""),
    ],
)
def test_what_a_code_says_of_the_state(
    code: str, concept: str | None, stage: str
) -> None:
    assert concept_of(ICD_10_CM, code) == concept
    assert stage_of(ICD_10_CM, code) == stage
    assert stage_of(SNOMED, code) == ""


@pytest.mark.parametrize(
    ("system", "code", "concept"),
    [
        (SNOMED, "370143000", "depression"),
        (SNOMED, "37.0143000", None),
        (SNOMED, "38341003", None),
        (SNOMED, "F32.9", None),
        ("", "F32.9", None),
        ("icd-9-cm", "296.30", None),
    ],
)
def test_systems_are_kept_apart(system: str, code: str, concept: str | None) -> None:
    assert concept_of(system, code) == concept


def test_the_table_names_identifiers_alone() -> None:
    """SNOMED CT's descriptions need a licence: the table has our own words."""
    numbers = [one for one in rules() if one.system == SNOMED]
    assert len(numbers) == 14
    assert {one.concept for one in numbers} <= {
        *(one.concept for one in rules() if one.system == ICD_10_CM),
        "autism",
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("icd-10-cm,F32*,depression,\nicd-10-cm,F32*,bipolar,", "comes twice"),
        ("icd-9-cm,296.3,depression,", "no known system"),
        ("icd-10-cm,F32*,depression,better", "no such stage"),
        ("icd-10-cm,F32*,depression", "no such stage"),
    ],
)
def test_wrong_tables(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_rules("system,code,concept,stage\n" + text)


def test_it_agrees_with_the_verified_terminology(shared: Path) -> None:
    """Where it calls schizoaffective schizophrenia, or panic gad, ours are finer."""
    words = {"mdd_active": "depression", "schizoaffective": "schizophrenia"}
    words["anxiety"] = "gad"
    with (shared / "data" / "fhir" / "terminology.csv").open(encoding="utf-8") as rows:
        stated = [
            (row["code"], words.get(row["concept"], row["concept"]))
            for row in csv.DictReader(rows)
            if row["domain"] == "condition" and row["system"].endswith(ICD_10_CM)
        ]
    ours = [(code, concept_of(ICD_10_CM, code) or "") for code, _ in stated]
    assert [(code, words.get(one, one)) for code, one in ours] == stated
    assert stated
