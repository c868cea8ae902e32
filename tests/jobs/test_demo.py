"""Of whom the demo looks for links, and what it says where it may not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest

from backend import wiring
from backend.audit.models import AccessEvent
from backend.jobs import demo
from backend.people.access import Actor
from backend.people.opting_out import set_opted_out
from backend.predictions.stored_correlation import StoredCorrelation
from backend.twin.errors import PatientOptedOut
from backend.twin.record import PatientRecord
from backend.twin.simulation.demo import demo_records
from backend.twin.simulation.wearable_demo import LABELS, wearable_records
from fhir_integration.sandbox import Sandbox
from tests.twin.made import LAST

pytestmark = pytest.mark.django_db

ACTOR = Actor.of_command("test")
NOW = datetime.combine(LAST, time(9), tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(wiring, "_server", None)  # register anew in this test's rows
    with wiring.use(now=lambda: NOW):
        yield
    wiring.close()


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with Sandbox(tmp_path / "ehr.ndjson") as sandbox:
        yield sandbox.base_url


def enrolled(url: str, records: dict[str, PatientRecord]) -> list[demo.Person]:
    site = demo.site_at(url, slug="test")
    return list(demo.put_in(site, records, actor=ACTOR, as_of=LAST))


def answers(people: list[demo.Person]) -> dict[str, Any]:
    found = demo.correlate_each(people, actor=ACTOR)
    return {person.label: answer for person, answer in found}


def test_links_are_looked_for_where_there_is_a_wearable(url: str) -> None:
    diary = {"patient-4": demo_records(LAST)["patient-4"]}
    people = enrolled(url, diary | wearable_records(LAST))
    assert [one.wearables for one in people] == [False, True, True]
    found = answers(people)
    assert tuple(found) == LABELS
    assert all(isinstance(one, StoredCorrelation) for one in found.values())
    assert [len(one.report.insights) for one in found.values()] == [1, 0]
    kinds = AccessEvent.objects.order_by("seq").values_list("action", flat=True)
    assert list(kinds)[-4:] == ["PULL", "CORRELATE"] * 2


def test_a_closed_record_is_said_and_the_others_go_on(url: str) -> None:
    people = enrolled(url, wearable_records(LAST))
    closed = people[0].patient.pk
    set_opted_out(actor=ACTOR, patient_id=closed, opted_out=True)
    found = answers(people)
    assert isinstance(found[LABELS[0]], PatientOptedOut)
    assert found[LABELS[1]].report.message
