"""Medications by reference: of the import, and first of a Bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_integration.files.medications import Around, Medications, Within
from fhir_integration.files.scope import ALONE, scope_of
from fhir_integration.files.spool import Spool
from tests.fhir_integration.files.made_files import newer

ONE = {"resourceType": "Medication", "id": "m", "code": {"text": "one"}}
TWO = {**ONE, "code": {"text": "two"}}
OLD, NEW = {**ONE, "meta": newer(1)}, {**TWO, "meta": newer(2)}


@pytest.mark.parametrize("turn", [(OLD, NEW), (NEW, OLD), (ONE, TWO), (TWO, ONE)])
def test_the_newest_stays_and_else_the_same_in_any_order(
    tmp_path: Path, turn: tuple[dict[str, object], ...]
) -> None:
    spool = Spool(tmp_path / "spool")
    medications = Medications(spool)
    for one in turn:
        medications.add("Medication/m", one)
    assert medications["Medication/m"] == {
        name: TWO[name] for name in TWO.keys() - {"id"}
    }
    assert len(medications) == 1
    with pytest.raises(KeyError):
        medications["Medication/x"]
    with pytest.raises(TypeError, match="kept as hashes"):
        iter(medications)
    spool.close()


def test_a_bundle_s_own_come_first() -> None:
    scope = scope_of([{"resource": ONE}])
    within = Within(Around(scope, ""), {"Medication/m": TWO, "Medication/x": TWO})
    assert within["Medication/m"] is ONE
    assert within["Medication/x"] is TWO
    assert list(within) == ["Medication/m"]
    assert len(within) == 1
    assert Within(Around(ALONE, ""), {"Medication/m": TWO})["Medication/m"] is TWO
