"""What is of patients who are restricted or deny counts as restricted, not as used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fhir_integration.every_kind import consent
from tests.fhir_integration.files.made_files import counted, lines, newer, score

Json = dict[str, Any]
CLOSED = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
LABEL = {"security": [{"system": CLOSED, "code": "R"}]}
PATIENT: Json = {"resourceType": "Patient", "id": "p1"}
RESTRICTED: Json = {**PATIENT, "meta": LABEL}
SCORES = [score("a", 1), score("b", 1), score("c", 3, patient="p2")]


@pytest.mark.parametrize(
    ("others", "used", "restricted"),
    [
        ([PATIENT], 3, 0),
        ([RESTRICTED], 2, 1),
        ([{**RESTRICTED, "id": "p2"}], 2, 1),
        ([{**RESTRICTED, "id": "p3"}], 3, 0),
        ([consent("k1", "deny")], 2, 1),
        ([PATIENT, consent("k1", "deny")], 3, 1),
        ([consent("k1", "permit")], 3, 0),
        ([consent("k1", "deny", status="entered-in-error")], 2, 0),
        ([{**RESTRICTED, "meta": {**LABEL, **newer(1)}},
          {**PATIENT, "meta": newer(2)}], 3, 0),
        ([{**RESTRICTED, "meta": {**LABEL, **newer(2)}},
          {**PATIENT, "meta": newer(1)}], 2, 1),
        ([consent("k1", "deny", meta=newer(1)),
          consent("k1", "permit", meta=newer(2))], 3, 0),
    ],
)  # fmt: skip
def test_the_standing_label_or_consent_decides_in_any_order(
    tmp_path: Path, others: list[Json], used: int, restricted: int
) -> None:
    made = [*others, *SCORES]
    for turn in (made, made[::-1]):
        counts = counted(lines(tmp_path / "a.ndjson", turn), tmp_path / "spool")
        assert (counts.used, counts.refused.get("restricted", 0)) == (used, restricted)
        is_closed = restricted or any(one.get("id") == "p3" for one in others)
        assert counts.closed == int(bool(is_closed))
        assert counts.resources == counts.used + sum(counts.refused.values())


def test_facts_of_closed_patients_are_no_concepts(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.ndjson", [RESTRICTED, *SCORES])
    concepts = counted(path, tmp_path / "spool").concepts
    assert concepts == {
        "person": {"entries": 1, "patients": 1},
        "phq9": {"entries": 1, "patients": 1},
    }


@pytest.mark.parametrize(
    ("made", "patients"),
    [
        ([score("a", 1)], 1),
        ([score("a", 1, status="cancelled")], 0),
        ([{**PATIENT, "meta": {"profile": ["http://hl7.org/fhir/3.0/x"]}}], 1),
        ([{"resourceType": "Encounter", "subject": {"reference": "Patient/x"}}], 0),
        ([PATIENT, score("a", 1)], 1),
    ],
)
def test_patients_are_those_of_whom_something_is_known(
    tmp_path: Path, made: list[Json], patients: int
) -> None:
    counts = counted(lines(tmp_path / "a.ndjson", made), tmp_path / "spool")
    assert counts.patients == patients


def test_of_versions_that_nothing_orders_one_is_chosen_by_what_it_says(
    tmp_path: Path,
) -> None:
    """With each order of arrival, and so with each of the two as the last."""
    versions = [score("1", 5), score("1", 7), score("2", 5)]
    runs = [
        counted(lines(tmp_path / "a.ndjson", turn), tmp_path / "spool")
        for turn in (versions, versions[::-1], [versions[1], *versions[::2]])
    ]
    assert all(run == runs[0] for run in runs)
