"""What the demo does and prints of advice on medicines, and reads back of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from uuid import uuid5

import pytest

from backend import wiring
from backend.audit.models import AccessEvent
from backend.jobs import advice_report, demo
from backend.people.access import Actor
from backend.people.opting_out import set_opted_out
from backend.predictions.stored import NOT_SENT
from backend.predictions.stored_advice import StoredAdvice
from backend.twin.errors import PatientOptedOut
from backend.twin.simulation.demo import demo_records
from backend.twin.simulation.treatment_demo import LABEL, treatment_records
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


@pytest.fixture
def people(url: str) -> list[demo.Person]:
    """One with a diary alone, one with genes alone."""
    diary = {"patient-4": demo_records(LAST)["patient-4"]}
    site = demo.site_at(url, slug="test")
    records = diary | treatment_records()
    return list(demo.put_in(site, records, actor=ACTOR, as_of=LAST))


Answer = tuple[demo.Person, StoredAdvice]


@pytest.fixture
def answered(people: list[demo.Person]) -> Answer:
    ((person, answer),) = demo.advise_each(people, actor=ACTOR)
    assert isinstance(answer, StoredAdvice)
    return person, answer


def test_advice_is_for_who_has_genes_and_forecasts_for_who_has_a_diary(
    people: list[demo.Person],
) -> None:
    kept = [(one.diary, one.genes) for one in people]
    assert kept == [(True, False), (False, True)]
    advised = [one.label for one, _ in demo.advise_each(people, actor=ACTOR)]
    assert advised == [LABEL]
    kinds = AccessEvent.objects.order_by("seq").values_list("action", flat=True)
    assert list(kinds)[-2:] == ["PULL", "ADVISE"]
    assert [one.label for one, _ in demo.forecast_each(people, actor=ACTOR)] == [
        "patient-4"
    ]


def test_the_record_is_read_as_it_was_made(answered: Answer) -> None:
    _, answer = answered
    assert answer.current == ("bupropion", "citalopram")
    found = {one.gene: one for one in answer.report.genes}
    assert found["CYP2C19"].phenotype == "Poor Metabolizer"
    assert found["CYP2D6"].phenotype == "Normal Metabolizer"
    assert found["CYP2D6"].adjusted_phenotype == "Poor Metabolizer"
    assert found["HLA-B"].phenotype == "No Result"
    words = {one.medication: one.action for one in answer.report.recommendations}
    assert words["citalopram"] == "consider_alternative"
    assert words["carbamazepine"] == "careful_monitoring"


def test_genes_sources_and_what_is_unknown_are_printed(answered: Answer) -> None:
    text = "\n".join(advice_report.answers([answered]))
    flat = " ".join(text.split())
    for said in (
        f"{LABEL}, as of {LAST} (computed now)",
        "CYP2C19 *2/*2 Poor Metabolizer; CYP2D6 *1/*1 Normal Metabolizer, with what",
        "no result of CYP2B6, CYP2C9, CYP3A4, CYP3A5, HLA-A, HLA-B",
        "taken: bupropion, citalopram",
        "citalopram (taken): consider alternative, caution high",
        "CPIC consider alternative; DPWG reduced dosing;",
        "Not known: a result for HLA-B*15:02",
        "model withheld: the model does not answer for this medicine",
        "not by trials",
        "trained on simulated outcomes",
    ):
        assert said in flat, said
    assert all(len(line) <= 78 for line in text.splitlines())


def test_everything_that_is_written_is_asked_for_once(
    people: list[demo.Person], answered: Answer
) -> None:
    sent = advice_report.sent([answered])
    kinds = [one.kind for one in sent]
    assert kinds == ["Observation", "Observation", "Task", "DetectedIssue"]
    identifiers = answered[1].identifiers
    assert sent[0].titles == {own: name for name, own in identifiers.items()}
    assert set(sent[1].titles.values()) == set(identifiers)
    (conflict,) = sent[3].titles.items()
    assert conflict == (uuid5(identifiers["citalopram"], "issue"), "citalopram")
    for times in (1, 0):
        assert demo.deliver_all()["delivered"] == times * len(identifiers)
        site = people[0].patient.site
        for kind, _, titles in sent:
            held = demo.held_by_ehr(site, list(titles), kind=kind)
            assert [len(one) for one in held.values()] == [1] * len(titles)
        again = list(demo.advise_each(people, actor=ACTOR))
        assert again[0][1].reused and advice_report.sent(again) == sent


def test_what_is_not_sent_is_not_asked_for(answered: Answer) -> None:
    person, answer = answered
    kept = replace(answer, delivery=dict.fromkeys(answer.delivery, NOT_SENT))
    assert [one.titles for one in advice_report.sent([(person, kept)])] == [{}] * 4


def test_a_closed_record_is_said(people: list[demo.Person]) -> None:
    set_opted_out(actor=ACTOR, patient_id=people[1].patient.pk, opted_out=True)
    advised = list(demo.advise_each(people, actor=ACTOR))
    assert isinstance(advised[0][1], PatientOptedOut)
    assert any(LABEL in line for line in advice_report.answers(advised))
    assert [one.titles for one in advice_report.sent(advised)] == [{}] * 4


def test_where_nobodys_genes_are_known_that_is_said() -> None:
    first, _ = advice_report.answers([])
    assert first.strip() == "of nobody's genes is anything known"


def test_of_many_some_are_printed_and_the_rest_counted(answered: Answer) -> None:
    person, answer = answered
    unknown = replace(answer, current=None, reused=True)
    lines = list(advice_report.answers([(person, unknown)] * 5))
    text = "\n".join(lines)
    assert "and 2 more patients with genes" in text
    assert text.count("stored answer, equal record and tables") == 3
    assert "taken: not known" in text
