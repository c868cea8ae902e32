"""The demo on FHIR files: in, enrolled, forecast, delivered, read back, verified."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from backend.twin.simulation.treatment_demo import treatment_records
from backend.twin.simulation.wearable_demo import wearable_records
from fhir_integration.seed import observations, orders
from tests.fhir_integration.files.made_files import bundle, score, whole

if TYPE_CHECKING:
    from tests.system.conftest import Installation

PATIENT = {"resourceType": "Patient", "birthDate": "1980"}


def test_patients_with_entries_are_forecast_and_the_others_counted(
    installation: Installation, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    for name, days in (("p1", 9), ("p2", 0), ("p3", 1)):
        scores = [score(f"o{day}", day, patient=name) for day in range(days)]
        whole(folder / f"{name}.json", bundle({**PATIENT, "id": name}, *scores))
    for written in ("2 written now", "0 written now"):
        output = installation.manage("demo", "--bundles", str(folder))
        assert "13 resources of 3 patients in the EHR" in output
        assert "13 resources: 13 used + 0 refused = 13 (none)" in output
        assert "2 patients have symptom entries" in output
        assert set(re.findall(r"as of (\S+) \(", output)) == {
            "2026-02-09",
            "2026-02-01",
        }
        assert f"Deliver: {written}, 0 failed" in output
        assert "read back: 2 of 2 forecasts are there exactly once" in output
        assert ", 0 problems" in output


def test_patients_with_wearables_are_correlated_and_the_silent_counted(
    installation: Installation, tmp_path: Path
) -> None:
    folder, today = tmp_path / "files", date(2026, 11, 20)
    made = dict(zip("ab", wearable_records(today).values(), strict=True))
    for name, record in {**made, "c": made["b"], "d": made["b"]}.items():
        found = enumerate(observations(record, patient=name))
        resources = ({**one, "id": f"{name}{number}"} for number, one in found)
        whole(folder / f"{name}.json", bundle({**PATIENT, "id": name}, *resources))
    whole(folder / "e.json", bundle({**PATIENT, "id": "e"}, score("o", 1, patient="e")))
    arguments = ("--bundles", str(folder), "--today", today.isoformat())
    output = installation.manage("demo", *arguments)
    assert "5 patients have symptom entries" in output
    assert output.count("90 days to 2026-11-19 (computed now)") == 3
    assert output.count("precedes less anxiety by about 6 hours") == 1
    assert output.count("No link is sure enough") == 2
    assert "1 more patients with wearables: 0 with a link, 1 without" in output
    assert "read back: 1 of 1 links are there exactly once" in output
    assert ", 0 problems" in output


def test_patients_with_genes_are_advised_without_a_single_entry(
    installation: Installation, tmp_path: Path
) -> None:
    folder, today = tmp_path / "files", "2026-11-20"
    (record,) = treatment_records().values()
    held = [*observations(record, patient="a"), *orders(record, patient="a")]
    resources = ({**one, "id": f"a{number}"} for number, one in enumerate(held))
    whole(folder / "a.json", bundle({**PATIENT, "id": "a"}, *resources))
    whole(folder / "e.json", bundle({**PATIENT, "id": "e"}, score("o", 1, patient="e")))
    for written in ("4 written now", "0 written now"):
        output = installation.manage("demo", "--bundles", str(folder), "--today", today)
        assert "1 patients have symptom entries" in output
        assert "1 patients have results of genes" in output
        assert "taken: bupropion, citalopram" in output
        assert f"Deliver: {written}, 0 failed" in output
        assert "read back: 3 of 3 implications are there exactly once" in output
        assert "read back: 1 of 1 conflicts are there exactly once" in output
        assert ", 0 problems" in output


def test_the_demo_runs_on_the_real_bundles(
    installation: Installation, shared: Path
) -> None:
    folder = shared / "data" / "fhir" / "demo"
    output = installation.manage("demo", "--bundles", str(folder))
    assert "of 79 patients in the EHR" in output
    found = re.search(r"read back: (\d+) of (\d+) forecasts", output)
    assert found
    assert found[1] == found[2]
    assert int(found[1]) >= 31


def test_bundles_do_not_go_to_another_ehr(installation: Installation) -> None:
    arguments = ("--bundles", "x", "--ehr", "http://127.0.0.1:1/fhir")
    done = installation.run("manage.py", "demo", *arguments, code=1)
    assert "into the sandbox only" in done.stderr
    done = installation.run("manage.py", "demo", "--bundles", "nowhere", code=1)
    assert "no such file or folder" in done.stderr


def test_entries_without_their_patient_are_told_of(
    installation: Installation, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    entries = (score("o1", 1, patient="p1"), score("o2", 1, patient="stranger"))
    whole(folder / "some.json", bundle({**PATIENT, "id": "p1"}, *entries))
    output = installation.manage("demo", "--bundles", str(folder))
    assert "1 patients have symptom entries" in output
    assert "1 more have one of these, but the files hold no Patient of theirs" in output
