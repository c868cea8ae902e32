from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.genes import GeneCall
from backend.twin.history import MedicationChange, MedicationEvent
from backend.twin.measures import measures
from backend.twin.person import Person
from backend.twin.record import (
    Entry,
    PatientRecord,
    Reason,
    Refusal,
    SafetyAnswer,
    Series,
)
from backend.twin.scales import local_scale, scale
from backend.twin.streams import Rows, stream

ENTRIES = (
    Entry(date(2026, 2, 1), 4.0, "Observation/1", "2026-02-01T08:00:00+00:00"),
    Entry(date(2026, 2, 2), 5.0, "Observation/2"),
    Entry(date(2026, 2, 2), 6.0, "Observation/3"),
)
SERIES = Series(scale("mood-0-10"), ENTRIES)
OTHER = Series(scale("phq9"), (Entry(date(2026, 2, 3), 12.0, "Observation/4"),))
ANSWER = SafetyAnswer(scale("phq9"), date(2026, 2, 3), 1.0, "Observation/5")
RECORD = PatientRecord((SERIES, OTHER), (ANSWER,))


@given(st.permutations(ENTRIES), st.booleans())
def test_the_digest_does_not_know_the_order_of_arrival(
    entries: list[Entry], swapped: bool
) -> None:
    both = (replace(SERIES, entries=tuple(entries)), OTHER)
    again = PatientRecord(both[::-1] if swapped else both, (ANSWER,))
    assert again.digest == RECORD.digest


@pytest.mark.parametrize(
    "entry",
    [
        replace(ENTRIES[0], value=4.5),
        replace(ENTRIES[0], day=date(2026, 1, 31)),
        replace(ENTRIES[0], source="Observation/9"),
        replace(ENTRIES[0], at="2026-02-01T09:00:00+00:00"),
    ],
)
def test_the_digest_knows_every_part_of_an_entry(entry: Entry) -> None:
    changed = replace(SERIES, entries=(entry, *ENTRIES[1:]))
    assert PatientRecord((changed, OTHER), (ANSWER,)).digest != RECORD.digest


def test_the_digest_knows_the_safety_answers_and_the_scale() -> None:
    calm = replace(ANSWER, value=0.0)
    assert PatientRecord((SERIES, OTHER), (calm,)).digest != RECORD.digest
    wider = local_scale("mood", system="urn:diary", low=0, high=10)
    narrow = replace(wider, high=9.0)
    digests = {PatientRecord((Series(s, ENTRIES),)).digest for s in (wider, narrow)}
    assert len(digests) == 2


def test_a_refused_resource_leaves_the_digest_alone() -> None:
    refused = (Refusal("Observation/7", Reason.NO_VALUE),)
    assert replace(RECORD, refused=refused).digest == RECORD.digest


def test_the_digest_knows_the_lost_answers_to_safety_items() -> None:
    lost = Refusal("Observation/7", Reason.NOT_FINAL, safety=True)
    digests = {
        replace(RECORD, refused=refused).digest
        for refused in (
            (),
            (lost,),
            (lost, lost),  # delivered twice
            (replace(lost, reason=Reason.NO_DATE),),
            (replace(lost, source="Observation/8"),),
        )
    }
    assert len(digests) == 4


def test_a_refusal_is_of_no_safety_item_unless_it_says_so() -> None:
    assert not Refusal("Observation/7", Reason.NOT_FINAL).safety


HEART, _ = stream(
    measures()["heart-rate"],
    Rows([1_000_000], [0.0], [0], [0], [60.0], ["Observation/6"], [0]),
)
EVENT = MedicationEvent(
    ("sertraline",), "36437", MedicationChange.START, None, "", None, "Medication/1"
)
GENE = GeneCall("CYP2C19", "*1/*17", "rapid", None, None, "Observation/7")


def test_the_digest_knows_everything_else_that_is_known() -> None:
    found = {
        replace(RECORD, **more).digest
        for more in (
            {},
            {"streams": (HEART,)},
            {"medications": (EVENT,)},
            {"medications": (replace(EVENT, change=MedicationChange.STOP),)},
            {"genotypes": (GENE,)},
            {"person": Person()},
            {"person": Person(opted_out=True)},
        )
    }
    assert len(found) == 7
