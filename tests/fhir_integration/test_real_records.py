"""Public FHIR records of other makers, read as they are."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from backend.twin.record import Reason
from fhir_integration.reader import read_record

EVER = {"since": date(1900, 1, 1), "until": date(2100, 1, 1)}


def observations(path: Path) -> list[dict[str, Any]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if content["resourceType"] != "Bundle":
        return [content]
    resources = [entry["resource"] for entry in content["entry"]]
    return [r for r in resources if r["resourceType"] == "Observation"]


def subject(resource: dict[str, Any]) -> str:
    reference: str = resource["subject"]["reference"]
    return reference.rsplit("/", maxsplit=1)[-1]


def test_the_us_core_total_is_read_although_it_is_a_text(shared: Path) -> None:
    folder = shared / "data" / "fhir" / "examples" / "us-core"
    [total] = observations(folder / "Observation-PHQ9-item-example-44261-6.json")
    record = read_record([total], ehr_patient=subject(total), **EVER)
    assert [e.value for s in record.series for e in s.entries] == [12.0]


def test_the_us_core_safety_item_is_read(shared: Path) -> None:
    folder = shared / "data" / "fhir" / "examples" / "us-core"
    [item] = observations(folder / "Observation-PHQ9-item-example-44260-8.json")
    record = read_record([item], ehr_patient=subject(item), **EVER)
    assert len(record.safety) == 1
    assert 0 <= record.safety[0].value <= 3


def test_the_us_core_panel_points_at_what_is_read_on_its_own(shared: Path) -> None:
    folder = shared / "data" / "fhir" / "examples" / "us-core"
    [panel] = observations(folder / "Observation-PHQ9-panel-example-44249-1.json")
    record = read_record([panel], ehr_patient=subject(panel), **EVER)
    assert (record.series, record.safety) == ((), ())
    assert [one.safety for one in record.refused] == [True]  # its items were not sent
    [item] = observations(folder / "Observation-PHQ9-item-example-44260-8.json")
    record = read_record([panel, item], ehr_patient=subject(panel), **EVER)
    assert (len(record.safety), record.refused) == (1, ())


def test_test_patients_of_a_measure_count_each_score_once(shared: Path) -> None:
    folder = shared / "data" / "fhir" / "demo" / "cqm-CMS159-depression-remission"
    entries, refused, seen = 0, Counter[Reason](), 0
    for path in sorted(folder.glob("*.json")):
        resources = observations(path)
        for patient in {subject(resource) for resource in resources}:
            own = [r for r in resources if subject(r) == patient]
            record = read_record(own, ehr_patient=patient, **EVER)
            used = sum(len(series.entries) for series in record.series)
            assert used + len(record.safety) + len(record.refused) == len(own)
            entries, seen = entries + used, seen + len(own)
            refused.update(refusal.reason for refusal in record.refused)
    assert entries > 0
    assert refused.keys() <= {
        Reason.DUPLICATE,
        Reason.OUTSIDE_SCALE,
        Reason.UNKNOWN_CODE,
        Reason.NOT_FINAL,
    }
    assert refused[Reason.OUTSIDE_SCALE] >= 1  # a PHQ-9 total of 300 is in there
