"""PHQ-9 series of a measure's test patients, against a reading that shares no code."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from backend.twin.record import Reason
from fhir_integration.reader import read_record

EVER = {"since": date(1900, 1, 1), "until": date(2100, 1, 1)}
Scores = list[tuple[str, int]]


def says(bundle: dict[str, Any]) -> tuple[str, Scores, int]:
    """Patient id, each (day, total) once in order, and how many totals are no totals.

    The independent reading: plain dicts and text, none of the reader's own parts.
    """
    resources = [entry["resource"] for entry in bundle["entry"]]
    [patient] = [r["id"] for r in resources if r["resourceType"] == "Patient"]
    scores, impossible = set(), set()
    for one in resources:
        if one["resourceType"] != "Observation" or one["status"] != "final":
            continue
        codes = [(c["system"], c["code"]) for c in one["code"]["coding"]]
        if ("http://loinc.org", "44261-6") not in codes:
            continue
        assert one["subject"]["reference"] == f"Patient/{patient}"
        what = (one["effectiveDateTime"], one["valueInteger"])
        (scores if 0 <= one["valueInteger"] <= 27 else impossible).add(what)
    return (
        patient,
        sorted((when[:10], total) for when, total in scores),
        len(impossible),
    )


def test_every_series_equals_what_the_resources_say(shared: Path) -> None:
    folder = shared / "data" / "fhir" / "demo" / "cqm-CMS159-depression-remission"
    files = sorted(folder.glob("*.json"))
    assert len(files) == 31
    lengths: Counter[int] = Counter()
    impossible = 0
    for path in files:
        bundle = json.loads(path.read_text(encoding="utf-8"))
        patient, expected, beyond = says(bundle)
        resources = [entry["resource"] for entry in bundle["entry"]]
        record = read_record(resources, ehr_patient=patient, **EVER)
        series = {one.scale.key: one.entries for one in record.series}
        read = [(str(e.day), int(e.value)) for e in series.get("phq9", ())]
        assert read == expected, path.name
        refused = Counter(refusal.reason for refusal in record.refused)
        assert (refused[Reason.OUTSIDE_SCALE] > 0) == (beyond > 0)
        lengths[len(read)] += 1
        impossible += beyond
    # 57 totals of 31 patients: one of 300, and two whose status is unknown, are refused
    assert lengths == {1: 8, 2: 23}
    assert impossible == 1  # the total of 300
