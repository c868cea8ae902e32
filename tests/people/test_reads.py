"""What is pulled for a service, and how much of it the audit names."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from backend.audit.models import AccessEvent
from backend.people.access import open_record
from backend.people.reads import Reads
from tests.predictions import signals, treatments
from tests.predictions.fakes import LAST_DAY, FakeEhr

pytestmark = pytest.mark.django_db

DAYS = (date(2026, 1, 1), LAST_DAY)
WHOLE = {"entries": 240, "refused": 0, "merged": 0}


@pytest.mark.parametrize(
    ("reads", "streams", "counted"),
    [
        ({}, 0, {}),
        ({"reads": Reads.SYMPTOMS}, 0, {}),
        ({"reads": Reads.SIGNALS}, 1, {"samples": 1536}),
    ],
    ids=["forecasts, unsaid", "symptoms", "signals"],
)
def test_what_is_needed_is_pulled_and_counted(
    *, operator, patient, reads, streams, counted
):
    ehr = FakeEhr(signals.linked())
    _, record = open_record(
        operator,
        patient.pk,
        purpose="TREAT",
        ehr=lambda _site: ehr,
        days=DAYS,
        today=LAST_DAY,
        **reads,
    )
    assert len(record.streams) == streams
    detail = json.loads(AccessEvent.objects.latest("seq").detail)
    days = {"since": "2026-01-01", "until": str(LAST_DAY)}
    assert detail == {**WHOLE, **days, **counted}


def test_for_advice_genes_medicines_and_facts_are_pulled_and_counted(operator, patient):
    ehr = FakeEhr(replace(treatments.slow(), series=signals.linked().series))
    _, record = open_record(
        operator,
        patient.pk,
        purpose="TREAT",
        ehr=lambda _site: ehr,
        days=DAYS,
        today=LAST_DAY,
        reads=Reads.TREATMENT,
    )
    assert record.genotypes and not record.series
    detail = json.loads(AccessEvent.objects.latest("seq").detail)
    counted = {"genotypes": 2, "medications": 1, "conditions": 1, "lab_facts": 1}
    days = {"since": "2026-01-01", "until": str(LAST_DAY)}
    assert detail == {"refused": 0, "merged": 0, **days, **counted}
