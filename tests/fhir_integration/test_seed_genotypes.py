"""What is put in of genes is read back as the same results, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from backend.twin.genes import GeneCall
from backend.twin.simulation.treatment_demo import CALLS, ORDERED, TAKEN, TESTED
from backend.twin.simulation.treatment_demo import treatment_records as records
from fhir_integration.sandbox import Sandbox
from fhir_integration.seed import put
from fhir_integration.seed_genotypes import told_gene
from fhir_integration.site import FhirEhr

TODAY = date(2026, 11, 20)
(RECORD,) = records().values()


@pytest.fixture
def ehr(tmp_path: Path) -> Iterator[FhirEhr]:
    with Sandbox(tmp_path / "ehr.ndjson") as running:
        site = FhirEhr(running.base_url)
        yield site
        site.close()


def test_genes_and_medicines_are_read_as_they_were_put_in(ehr: FhirEhr) -> None:
    done = put(ehr.client, "one", RECORD)
    found = ehr.read_treatment(done.patient, since=ORDERED, until=TODAY)
    assert {(one.gene, one.diplotype) for one in found.genotypes} == set(CALLS)
    assert {one.day for one in found.genotypes} == {TESTED}
    assert all(one.source.startswith("Observation/") for one in found.genotypes)
    taken = {(*one.ingredients, one.code) for one in found.medications}
    assert taken == set(TAKEN)
    assert found.refused == ()


def test_a_second_time_nothing_is_put_in(ehr: FhirEhr) -> None:
    first = put(ehr.client, "one", RECORD)
    assert len(first.written) == len(CALLS) + len(TAKEN) and first.orders
    assert put(ehr.client, "one", RECORD).written == frozenset()


@pytest.mark.parametrize(
    "odd",
    [
        {"diplotype": ""},
        {"ambiguous": ("*1/*2", "*1/*3")},
        {"phenotype": "poor"},
        {"activity": 1.0},
    ],
)
def test_what_one_diplotype_does_not_say_is_refused(odd: dict[str, object]) -> None:
    call = GeneCall("CYP2C19", "*2/*2", "", None, None, "")
    with pytest.raises(ValueError, match="one diplotype"):
        told_gene(replace(call, **odd))  # type: ignore[arg-type]


def test_a_result_without_a_day_has_none() -> None:
    call = GeneCall("CYP2C19", "*2/*2", "", None, None, "")
    _, said = told_gene(call)
    assert "effectiveDateTime" not in said
