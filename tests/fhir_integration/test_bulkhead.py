from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from backend.twin.errors import EhrRefused, EhrUnavailable
from backend.twin.person import Person
from backend.twin.ports import Receipt
from backend.twin.record import PatientRecord
from fhir_integration.bulkhead import Bulkhead, Places
from tests.fhir_integration.advised import treatment
from tests.fhir_integration.made import correlation, document

WINDOW = {"since": date(2026, 1, 1), "until": date(2026, 2, 1)}
RECEIPT = Receipt("Observation/1", "Device/1", "Provenance/1", created=True)


class FakeEhr:
    """Answers once it is let go; raises what it was told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.entered, self.go, self.error = threading.Semaphore(0), None, error
        self.asked: list[Any] = []

    def _call(self, *what: Any) -> None:
        self.asked.append(what)
        self.entered.release()
        if self.go is not None:
            assert self.go.wait(10)
        if self.error is not None:
            raise self.error

    def read_symptoms(self, ehr_patient: str, *, since: date, until: date, also=()):
        self._call(ehr_patient, since, until, *also)
        return PatientRecord(series=())

    def read_signals(self, ehr_patient: str, *, since: date, until: date, also=()):
        self._call("signals", ehr_patient, since, until, *also)
        return PatientRecord(series=())

    def read_treatment(self, ehr_patient: str, *, since: date, until: date, also=()):
        self._call("treatment", ehr_patient, since, until, *also)
        return PatientRecord(series=())

    def read_person(self, ehr_patient: str, *, on: date):
        self._call(ehr_patient, on)
        return Person(sex="female")

    def write_forecast(self, asked):
        self._call(asked)
        return RECEIPT

    def write_correlation(self, asked):
        self._call(asked)
        return RECEIPT

    def write_treatment(self, asked):
        self._call(asked)
        return RECEIPT


CALLS: list[Callable[[Bulkhead], Any]] = [
    lambda ehr: ehr.read_symptoms("1", **WINDOW),
    lambda ehr: ehr.write_forecast(document()),
    lambda ehr: ehr.read_person("1", on=WINDOW["until"]),
    lambda ehr: ehr.read_signals("1", **WINDOW),
    lambda ehr: ehr.write_correlation(correlation()),
    lambda ehr: ehr.read_treatment("1", **WINDOW),
    lambda ehr: ehr.write_treatment(treatment()),
]


def test_what_is_asked_and_answered_passes_through() -> None:
    inner, written, link = FakeEhr(), document(), correlation()
    ehr = Bulkhead(inner, places=Places(1, retry_after_s=8.0))
    assert ehr.read_symptoms("1", **WINDOW, also=("2",)) == PatientRecord(series=())
    assert ehr.write_forecast(written) is RECEIPT
    assert ehr.read_signals("1", **WINDOW, also=("2",)) == PatientRecord(series=())
    assert ehr.write_correlation(link) is RECEIPT
    assert ehr.read_treatment("1", **WINDOW, also=("2",)) == PatientRecord(series=())
    advice = treatment()
    assert ehr.write_treatment(advice) is RECEIPT
    asked = ("1", WINDOW["since"], WINDOW["until"], "2")
    assert inner.asked == [
        asked,
        (written,),
        ("signals", *asked),
        (link,),
        ("treatment", *asked),
        (advice,),
    ]


@pytest.mark.parametrize("call", CALLS)
def test_the_call_too_many_is_refused_whichever_ehr_it_is_for(call) -> None:
    hanging, other = FakeEhr(), FakeEhr()
    hanging.go = threading.Event()
    places = Places(len(CALLS), retry_after_s=8.0, patience_s=0.01)
    with ThreadPoolExecutor(len(CALLS)) as pool:
        calls = [pool.submit(call, Bulkhead(hanging, places=places)) for call in CALLS]
        for _ in calls:
            assert hanging.entered.acquire(timeout=10)
        with pytest.raises(EhrUnavailable) as refused:
            call(Bulkhead(other, places=places))
        hanging.go.set()
        assert [done.result(10) for done in calls][1] is RECEIPT
    assert refused.value.retry_after_s == 8.0
    assert other.asked == []
    call(Bulkhead(other, places=places))
    assert len(other.asked) == 1, "the places are free again"


def test_a_call_waits_for_a_place_that_is_about_to_be_free() -> None:
    slow, other = FakeEhr(), FakeEhr()
    slow.go = threading.Event()
    places = Places(1, retry_after_s=8.0, patience_s=10.0)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(CALLS[0], Bulkhead(slow, places=places))
        assert slow.entered.acquire(timeout=10)
        second = pool.submit(CALLS[0], Bulkhead(other, places=places))
        assert not other.asked
        slow.go.set()
        assert first.result(10) == second.result(10)


@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_fails_gives_its_place_back(call) -> None:
    ehr = Bulkhead(
        FakeEhr(EhrRefused("no", status=403)), places=Places(1, retry_after_s=8.0)
    )
    for _ in range(3):
        with pytest.raises(EhrRefused):
            call(ehr)


def test_no_place_at_all_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Places(0, retry_after_s=8.0)
