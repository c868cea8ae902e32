"""What failed is tried again for as long as that makes sense."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.audit.models import AccessEvent
from backend.predictions.models import OutboxItem
from backend.predictions.outbox import requeue_failed
from backend.predictions.setbacks import MAX_REFUSALS, Setback, setback_of
from backend.twin.errors import (
    AuditUnavailable,
    EhrMalformed,
    EhrNotFound,
    EhrRefused,
    EhrUnavailable,
    SealBroken,
)
from backend.twin.record import PatientRecord
from tests.predictions import fakes

DAY_S = 86_400.0
REFUSED = EhrRefused("no", status=422)


def refused(status):
    return EhrRefused("no", status=status)


@pytest.fixture
def fail(deliver, ehr, item):
    """Have the item refused until it is final; returns the seconds that took."""

    def fail(error=REFUSED):
        ehr.down, clock = error, 0.0
        for _ in range(MAX_REFUSALS):
            deliver(after_s=clock)
            item.refresh_from_db()
            clock = (item.next_attempt - item.created).total_seconds()
        ehr.down = None
        assert item.state == "failed"
        return clock

    return fail


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        *((refused(status), Setback.UNABLE) for status in (301, 307, 401, 403, 407)),
        *((refused(status), Setback.REFUSED) for status in (400, 409, 412, 422, 501)),
        (EhrNotFound("gone", status=404), Setback.REFUSED),
        (EhrUnavailable("down"), Setback.UNABLE),
        (EhrMalformed("a gateway's page"), Setback.UNABLE),
        (SealBroken("moved"), Setback.LOST),
        (OverflowError(), Setback.REFUSED),
    ],
    ids=repr,
)
def test_what_an_error_means(error, meaning):
    assert setback_of(error) is meaning


@pytest.mark.parametrize(
    "error", [refused(401), refused(302), EhrMalformed("odd")], ids=repr
)
def test_a_site_that_lets_nobody_in_is_tried_until_it_does(item, deliver, ehr, error):
    ehr.down, clock = error, 0.0
    while clock < 3600:
        report = deliver(after_s=clock)
        assert (report.failed, report.waiting) == (0, 1)
        item.refresh_from_db()
        clock = (item.next_attempt - item.created).total_seconds()
    assert (item.refusals, item.last_error) == (0, type(error).__name__)
    ehr.down = None
    assert deliver(after_s=clock).delivered == 1


def test_such_a_site_is_left_alone_for_the_run(ask, deliver, ehr):
    ehr.record = PatientRecord(series=(fakes.diary(), fakes.questionnaire(8, 9)))
    ask()
    ehr.down = refused(401)
    assert deliver().waiting == 2
    assert ehr.writes == 1


def test_a_refusal_is_final_after_five_times_over_hours(item, deliver, ehr):
    ehr.down, clock, waits = REFUSED, 0.0, []
    for _ in range(MAX_REFUSALS):
        assert item.state == "pending"
        deliver(after_s=clock)
        item.refresh_from_db()
        later = (item.next_attempt - item.created).total_seconds()
        waits.append(later - clock)
        clock = later
    assert (item.state, item.last_error) == ("failed", "EhrRefused")
    assert ehr.writes == MAX_REFUSALS == 5
    for waited, longest in zip(waits, (60, 600, 3600, 21_600), strict=False):
        assert longest / 2 <= waited <= longest
    assert deliver(after_s=10 * DAY_S).waiting == 0


def test_one_that_is_refused_keeps_no_other_back(ask, deliver, ehr):
    class Picky(fakes.FakeEhr):
        def write_forecast(self, document):
            if document.forecast.scale.key == "phq9":
                raise REFUSED
            return super().write_forecast(document)

    ehr.record = PatientRecord(series=(fakes.questionnaire(8, 9), fakes.diary()))
    ask()
    report = deliver(ehr=lambda _site: Picky(ehr.record))
    assert (report.delivered, report.waiting) == (1, 1)


def test_an_equal_answer_tries_what_failed_anew(ask, deliver, fail, item):
    clock = fail()
    later = item.created + timedelta(seconds=clock + DAY_S)
    answer = ask(now=lambda: later)
    assert not answer.reused
    assert answer.delivery == {item.pk: "pending"}
    assert deliver(after_s=clock + DAY_S).delivered == 1
    again = OutboxItem.objects.get()
    assert (again.refusals, again.prediction_id) == (0, item.prediction_id)


def test_an_equal_answer_leaves_what_was_delivered(ask, deliver, item, ehr):
    deliver()
    ask(now=lambda: item.created + timedelta(days=2))
    assert deliver(after_s=3 * DAY_S).delivered == 0
    assert ehr.writes == 1


def test_an_operator_has_failures_tried_at_once(fail, deliver, item, now):
    clock = fail()
    moment = now + timedelta(seconds=clock)
    assert requeue_failed(now=moment) == 1
    row = AccessEvent.objects.latest("seq")
    assert (row.action, row.patients.get().patient) == ("ADMIN", item.patient_id)
    assert deliver(after_s=clock).delivered == 1
    assert requeue_failed(now=moment) == 0
    assert AccessEvent.objects.latest("seq").action == "DELIVER"


def test_an_operator_need_not_wait_for_the_next_attempt_either(deliver, ehr, item, now):
    ehr.down = REFUSED
    deliver()
    ehr.down = None
    assert deliver(after_s=1).delivered == 0
    assert requeue_failed(now=now) == 1
    assert deliver(after_s=1).delivered == 1


def test_what_waits_for_no_refusal_is_not_requeued(item, now):
    assert requeue_failed(now=now) == 0


def test_nothing_is_requeued_without_its_audit_row(fail, item, now, tmp_path):
    fail()
    (tmp_path / "audit.anchor").write_bytes(b"spoilt")
    with pytest.raises(AuditUnavailable):
        requeue_failed(now=now)
    item.refresh_from_db()
    assert item.state == "failed"
