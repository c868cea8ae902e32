"""What an answer says beside its forecasts."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from backend.people import crypto
from backend.predictions.answer import open_answer
from backend.predictions.models import Prediction
from backend.predictions.payload import COLUMN, TABLE
from backend.predictions.remarks import Remarks, UrgentFinding, remarks
from backend.twin.record import PatientRecord, Reason, Refusal, SafetyAnswer
from backend.twin.scales import scale
from tests.predictions import fakes

DAY = fakes.LAST_DAY
FOUND = UrgentFinding("self-harm", "phq9", DAY, 1.0, "{score}")


def unread(*reasons):
    return tuple(
        Refusal(f"Observation/{number}", reason, safety=True)
        for number, reason in enumerate(reasons)
    )


def test_a_finding_without_a_forecast_of_its_scale_is_said(ask, ehr):
    ehr.record = PatientRecord(
        series=(fakes.diary(),), safety=(fakes.self_harm(DAY), fakes.self_harm(DAY))
    )
    answer = ask()
    assert [item.forecast.scale.key for item in answer.instruments] == ["mood-0-10"]
    assert answer.urgent_findings == (FOUND,)
    assert ask().urgent_findings == (FOUND,)  # out of its seal


def test_a_severe_band_is_said_in_the_unit_of_its_scale():
    record = PatientRecord(series=(fakes.questionnaire(8, 20),))
    (found,) = remarks(record, DAY).urgent_findings
    assert found == UrgentFinding("severe-band", "phq9", DAY, 20.0, "{score}")


@pytest.mark.parametrize(
    ("reasons", "notice"),
    [
        ([], ()),
        (
            [Reason.NO_VALUE],
            ("1 answer to a self-harm item could not be read; look at it in the EHR.",),
        ),
        (
            [Reason.NO_VALUE, Reason.WRONG_UNIT],
            (
                "2 answers to a self-harm item could not be read; "
                "look at them in the EHR.",
            ),
        ),
    ],
)
def test_what_could_not_be_read_and_may_be_urgent_is_noticed(reasons, notice):
    other = Refusal("Observation/other", Reason.NO_VALUE)
    record = PatientRecord(series=(), refused=(other, *unread(*reasons)))
    said = remarks(record, DAY)
    assert said.notices == notice
    assert sum(said.refused.values()) == len(reasons) + 1


@pytest.mark.parametrize(
    ("other", "text"),
    [
        ({}, "PHQ-9 total score: self-harm item above its threshold on {} (1 point)"),
        (
            {"kind": "severe-band", "value": 20.5},
            "PHQ-9 total score: score in a severe band on {} (20.5 points)",
        ),
        (
            {"scale": "gone", "unit": "%"},
            "gone: self-harm item above its threshold on {} (1 %)",
        ),
        (
            {"scale": "cssrs", "value": 5.0},
            "C-SSRS most severe suicidal ideation, 1 month: self-harm item above its "
            "threshold on {} (intent and a plan, 5 points)",
        ),
        (
            {"scale": "cssrs-wish"},
            "C-SSRS screener: wish to be dead, 1 month: self-harm item above its "
            "threshold on {} (yes, 1 point)",
        ),
    ],
)
def test_a_finding_is_one_line(other, text):
    assert replace(FOUND, **other).text == text.format(DAY)


def test_an_answer_of_before_there_were_remarks_still_opens(ask, patient):
    ask()
    row = Prediction.objects.get()
    where = {"table": TABLE, "column": COLUMN, "row": str(row.pk)}
    old = orjson.loads(crypto.unseal(patient, **where, blob=bytes(row.payload)))
    del old["urgent_findings"], old["notices"]
    row.payload = crypto.seal(patient, **where, plain=orjson.dumps(old))
    assert open_answer(patient, row).remarks == Remarks(refused={})


@pytest.mark.parametrize(
    ("summed", "said"),
    [
        (0, ()),
        (1, ("1 entry was",)),
        (2, ("2 entries were",)),
    ],
)
def test_totals_that_were_added_up_are_noticed(summed, said):
    made = fakes.questionnaire(8, 10)
    entries = tuple(
        replace(entry, summed=number < summed)
        for number, entry in enumerate(made.entries)
    )
    record = PatientRecord((replace(made, entries=entries),))
    assert remarks(record, DAY).notices[: len(said)] == tuple(
        f"PHQ-9 total score: {count} added up here from the items; the EHR states no "
        "total."
        for count in said
    )
    plain = PatientRecord((made,))
    assert (record.digest == plain.digest) is (summed == 0)


def test_medicines_that_the_ehr_does_not_give_are_noticed():
    record = PatientRecord((fakes.questionnaire(8, 10),))
    unknown = replace(record, treatment_known=False)
    assert remarks(record, DAY).notices == remarks(unknown, DAY).notices[:-1]
    assert remarks(unknown, DAY).notices[-1:] == (
        "The EHR gives no medicines; changes of treatment are not known.",
    )
    assert record.digest == unknown.digest


def test_an_answer_below_the_threshold_is_no_finding():
    calm = SafetyAnswer(scale("phq9"), DAY, 0.0, "Observation/calm")
    assert remarks(PatientRecord((), (calm,)), DAY) == Remarks(refused={})
