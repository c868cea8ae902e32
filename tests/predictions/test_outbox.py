"""Deliveries: each one arrives, once, whatever happens on the way."""

from __future__ import annotations

import orjson
import pytest

from backend.people import crypto
from backend.people.access import Actor
from backend.predictions import outbox
from backend.predictions.models import OutboxItem
from backend.predictions.outbox import DeliveryReport
from backend.twin.errors import (
    AuditUnavailable,
    EhrRefused,
    EhrUnavailable,
)
from backend.twin.record import PatientRecord
from tests.predictions import fakes
from tests.predictions.conftest import LEASE_S

DOWN = EhrUnavailable("the EHR does not answer", retry_after_s=0)


def test_a_pending_item_is_written_under_its_identifier(item, deliver, ehr, now):
    assert deliver() == DeliveryReport(delivered=1, failed=0, waiting=0)
    document = ehr.written[item.pk]
    assert document.ehr_patient == "ehr-4711"
    assert document.issued == now
    assert document.forecast.scale.key == "mood-0-10"
    item.refresh_from_db()
    assert (item.state, item.delivered_at) == ("delivered", now)
    assert (item.lease_owner, item.lease_until, item.attempts) == ("", None, 1)


def test_each_instrument_goes_by_itself(ask, deliver, ehr):
    ehr.record = PatientRecord(series=(fakes.diary(), fakes.questionnaire(8, 9)))
    answer = ask()
    assert deliver(limit=1) == DeliveryReport(delivered=1, failed=0, waiting=1)
    assert deliver().delivered == 1
    assert {
        name: document.forecast.scale.key for name, document in ehr.written.items()
    } == {one.identifier: one.forecast.scale.key for one in answer.instruments}


def test_the_receipt_is_kept_sealed(item, deliver, patient):
    deliver()
    item.refresh_from_db()
    assert b"Observation" not in bytes(item.receipt)
    plain = crypto.unseal(
        patient,
        table=outbox.TABLE,
        column=outbox.COLUMN,
        row=str(item.pk),
        blob=item.receipt,
    )
    assert orjson.loads(plain)["observation"] == f"Observation/{item.pk}"


def test_what_is_delivered_is_not_delivered_again(item, deliver, ehr):
    deliver()
    assert deliver(after_s=10_000) == DeliveryReport(0, 0, 0)
    assert ehr.writes == 1


def test_a_delivery_leaves_one_audit_row_and_a_failure_two(item, deliver, ehr, audited):
    audited()
    ehr.down = DOWN
    deliver()
    assert audited() == [("DELIVER", "SUCCESS"), ("DELIVER", "FAILED")]
    ehr.down = None
    deliver(after_s=60)
    assert audited() == [("DELIVER", "SUCCESS")]


def test_nothing_leaves_when_the_audit_is_broken(item, deliver, ehr, tmp_path):
    (tmp_path / "audit.anchor").write_bytes(b"spoilt")
    with pytest.raises(AuditUnavailable):
        deliver()
    assert ehr.writes == 0


def test_a_killed_workers_item_is_free_when_its_lease_ends(item, deliver, ehr):
    class Killed(BaseException):
        """What no handler catches."""

    class Dying(fakes.FakeEhr):
        def write_forecast(self, document):
            super().write_forecast(document)
            raise Killed

    dying = Dying(ehr.record)
    dying.written = ehr.written  # the same EHR: the write was done
    with pytest.raises(Killed):
        deliver(ehr=lambda _site: dying)
    assert deliver(after_s=LEASE_S - 1, owner="worker-2") == DeliveryReport(0, 0, 1)
    assert deliver(after_s=LEASE_S, owner="worker-2").delivered == 1
    assert len(ehr.written) == 1
    item.refresh_from_db()
    assert (item.state, item.attempts) == ("delivered", 2)


def test_a_late_worker_does_not_undo_what_another_delivered(item, deliver, ehr):
    """The first worker's lease ends while it talks; the second one delivers."""

    class Slow(fakes.FakeEhr):
        def write_forecast(self, document):
            assert deliver(after_s=LEASE_S, owner="worker-2").delivered == 1
            raise DOWN

    deliver(ehr=lambda _site: Slow(ehr.record))
    item.refresh_from_db()
    assert (item.state, item.last_error) == ("delivered", "")


def test_a_site_that_is_down_is_left_alone_for_the_run(ask, deliver, ehr):
    ehr.record = PatientRecord(series=(fakes.diary(), fakes.questionnaire(8, 9)))
    ask()
    ehr.down = DOWN
    assert deliver() == DeliveryReport(delivered=0, failed=0, waiting=2)
    assert ehr.writes == 1


def test_waits_grow_with_attempts_up_to_a_minute_and_never_end(item, deliver, ehr):
    ehr.down = DOWN
    waits, clock = [], 0.0
    for _ in range(30):
        assert deliver(after_s=clock) == DeliveryReport(0, 0, 1)
        item.refresh_from_db()
        until = (item.next_attempt - item.created).total_seconds()
        waits.append(until - clock)
        clock = until
    assert 1 <= waits[0] <= 2
    longest = [round(wait, 3) for wait in waits[5:]]  # differences of large numbers
    assert all(30 <= wait <= 60 for wait in longest)
    assert len(set(waits[5:])) > 10  # spread, so that workers do not march in step
    assert (item.attempts, item.last_error) == (30, "EhrUnavailable")
    ehr.down = None
    assert deliver(after_s=clock).delivered == 1


@pytest.mark.parametrize("case", [(300.0, 300.0), (1e9, 3600.0)])
def test_the_ehr_may_ask_for_patience_within_reason(item, deliver, ehr, case):
    asked, waited = case
    ehr.down = EhrUnavailable("throttled", retry_after_s=asked)
    deliver()
    item.refresh_from_db()
    assert (item.next_attempt - item.created).total_seconds() == waited
    assert deliver(after_s=waited - 1).waiting == 1
    assert ehr.writes == 1


def test_an_outage_does_not_count_as_a_refusal(item, deliver, ehr):
    ehr.down = DOWN
    for n in range(10):
        deliver(after_s=100 * n)
    ehr.down = EhrRefused("no", status=422)
    assert deliver(after_s=1000).failed == 0
    item.refresh_from_db()
    assert (item.state, item.refusals) == ("pending", 1)


def test_what_cannot_be_opened_fails_at_once(item, deliver, patient, ehr):
    crypto.shred(patient)
    assert deliver().failed == 1
    item.refresh_from_db()
    assert (item.state, item.last_error) == ("failed", "PatientErased")
    assert ehr.writes == 0


def test_an_item_in_hand_stands_behind_the_others(ask, deliver, ehr):
    """A process that dies of one item leaves the rest to the next process."""

    class Deadly(fakes.FakeEhr):
        def write_forecast(self, document):
            raise KeyError("nobody foresaw this")

    ehr.record = PatientRecord(series=(fakes.diary(), fakes.questionnaire(8, 9)))
    ask()
    with pytest.raises(KeyError):
        deliver(ehr=lambda _site: Deadly(ehr.record))
    first = OutboxItem.objects.get(attempts=1)
    assert first.next_attempt == first.lease_until
    with pytest.raises(KeyError):
        deliver(ehr=lambda _site: Deadly(ehr.record), after_s=LEASE_S)
    assert set(OutboxItem.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.parametrize(
    "error", [ValueError("a base URL"), OverflowError(), UnicodeError()]
)
def test_what_nobody_foresaw_spares_the_other_sites(item, deliver, ehr, error):
    class Odd(fakes.FakeEhr):
        def write_forecast(self, document):
            raise error

    assert deliver(ehr=lambda _site: Odd(ehr.record)).waiting == 1
    item.refresh_from_db()
    assert (item.last_error, item.lease_until) == (type(error).__name__, None)
    assert deliver(after_s=60).delivered == 1


def test_a_site_whose_client_cannot_be_made_keeps_nobody_waiting(item, deliver, ehr):
    def no_client(_site):
        raise ValueError("the EHR's base URL needs http or https and a host")

    assert deliver(ehr=no_client).waiting == 1
    item.refresh_from_db()
    assert (item.last_error, item.refusals) == ("ValueError", 1)


def test_the_worker_acts_under_the_name_it_is_given(item, deliver):
    from backend.audit.models import AccessEvent  # noqa: PLC0415

    deliver(actor=Actor.of_command("night-shift"))
    assert AccessEvent.objects.latest("seq").actor.startswith("command:night-shift@")


def test_rows_name_our_ids_and_nothing_else(item, deliver):
    deliver()
    assert str(item) == f"delivery {item.pk}"
    assert str(item.prediction) == f"prediction {item.prediction_id}"
    models = {str(one) for one in item.prediction.models.all()}
    assert models == {"symptom_transformer version 1", "symptom_xgboost version 1"}
