"""Small FHIR resources and forecasts for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import numpy as np

from backend.twin.correlation.insights import Insight
from backend.twin.correlation.link import Link
from backend.twin.early_warning import Chance, EarlyWarning, Event, Side
from backend.twin.ports import CorrelationDocument, ForecastDocument
from backend.twin.scales import Scale, scale
from backend.twin.trajectory import HORIZON, LEVELS, Forecast, Grade, ModelUse
from fhir_integration.client import FhirClient
from fhir_integration.codes import DIARY, LOINC, RANGE, RATING, UCUM
from fhir_integration.connection import Clock

Json = dict[str, Any]
BASE = "https://ehr.example:8443/fhir"
SINCE, UNTIL = date(2026, 1, 1), date(2026, 2, 28)
IDENTIFIER = UUID("3f1c0c52-6f0e-5a52-9f0b-0d6a5a8b1c11")
SCORE = {"unit": "{score}", "system": UCUM, "code": "{score}"}
MODELS = (
    ModelUse("symptom_transformer", 1, "ab" * 32, "production", 0.7),
    ModelUse("symptom_xgboost", 2, "cd" * 32, "production", 0.3),
)


def observation(**changes: Any) -> Json:
    """A PHQ-9 total of 12 on 14 February; a change to None takes the element away."""
    resource: Json = {
        "resourceType": "Observation",
        "id": "o1",
        "meta": {"versionId": "1", "lastUpdated": "2026-02-14T10:00:00Z"},
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "44261-6"}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-02-14T09:05:00+01:00",
        "valueQuantity": {"value": 12, **SCORE},
    }
    resource |= changes
    return {name: value for name, value in resource.items() if value is not None}


def rating(own_id: str, when: str, value: float) -> Json:
    """A mood rating from 0 to 10."""
    return observation(
        id=own_id,
        code={"coding": [{"system": RATING, "code": "mood-0-10"}]},
        effectiveDateTime=when,
        valueQuantity={"value": value, **SCORE},
    )


def diary(own_id: str, *, low: float = 1, high: float = 7, **changes: Any) -> Json:
    """An item that no table knows, with its bounds."""
    bounds = {
        "low": {"value": low},
        "high": {"value": high},
        "type": {"coding": [{"system": RANGE, "code": "scale"}]},
    }
    return observation(
        id=own_id,
        code={"coding": [{"system": DIARY, "code": "cheerful"}]},
        referenceRange=[bounds],
        valueQuantity={"value": 3},
        **changes,
    )


def safety(own_id: str, answer: str = "LA6569-3", **changes: Any) -> Json:
    """The answer to PHQ-9 item 9."""
    return observation(
        id=own_id,
        code={"coding": [{"system": LOINC, "code": "44260-8"}]},
        valueQuantity=None,
        valueCodeableConcept={"coding": [{"system": LOINC, "code": answer}]},
        **changes,
    )


def forecast(of: Scale | None = None, **changes: Any) -> Forecast:
    """A gently rising trajectory in the middle of the scale."""
    on = of or scale("phq9")
    last = date(2026, 2, 27)
    rows = tuple(
        tuple(on.low + on.width * (0.3 + 0.3 * level + 0.005 * day) for level in LEVELS)
        for day in range(HORIZON)
    )
    parts: dict[str, Any] = {
        "scale": on,
        "days": tuple(last + timedelta(days=day + 1) for day in range(HORIZON)),
        "quantiles": rows,
        "method": "ensemble",
        "grade": Grade.HIGH,
        "reasons": ("40 days with entries", "last entry 1 day ago"),
        "models": MODELS,
        "entries": 40,
        "last_entry": last,
        "historical": False,
        "sources": ("Observation/o1/_history/1", "Observation/o2"),
        "fortnight": rows[7],
        "warning": warning(on),
    }
    return Forecast(**{**parts, **changes})


def warning(of: Scale) -> EarlyWarning:
    """Of a worse mean there is a probability, of a worse band there is none."""
    mean, sd = of.low + 0.3 * of.width, 0.1 * of.width
    name: Event = "up" if of.higher_is_worse is None else "worse"
    side: Side = "below" if of.higher_is_worse is False else "above"
    threshold = mean - 0.5 * sd if side == "below" else mean + 0.5 * sd
    return EarlyWarning(
        mean=mean,
        sd=sd,
        days=40,
        chances=(
            Chance(name, 0.8123456, side, threshold),
            Chance("worse-band", reason="the last 14 days are in the worst band"),
        ),
        chart=None,
        no_chart="the first 20 observed days are all equal",
    )


def document(patient: str = "p1", **changes: Any) -> ForecastDocument:
    """A document with a fixed identifier; changes go to its forecast."""
    issued = datetime(2026, 2, 28, 4, 12, 33, 120_000, tzinfo=UTC)
    return ForecastDocument(IDENTIFIER, patient, forecast(**changes), issued)


def link(**changes: Any) -> Link:
    """SDNN that goes before mood by half a day, in ninety days to 28 February."""
    parts: dict[str, Any] = {
        "biometric": "hrv-sdnn",
        "symptom": "mood-0-10",
        "window": (np.datetime64("2025-12-01", "s"), np.datetime64("2026-03-01", "s")),
        "n": 312,
        "coverage": 0.7312,
        "lag_unit": "hours",
        "coefficient": 0.412345,
        "ci": (0.301, 0.523),
        "lag_hours": 12.0,
        "lag_interval": (9.0, 15.0),
        "p_link": 0.9731,
        "p_value": 0.00021,
        "q_value": 0.00042,
        "p_marginal": 0.0001,
        "n_eff": 121.6,
        "reports_needed": 140,
        "direct": True,
        "published": True,
    }
    return Link(**{**parts, **changes})


def correlation(patient: str = "p1", **changes: Any) -> CorrelationDocument:
    """A document with a fixed identifier; changes go to its link, or to itself."""
    own = {name: changes.pop(name) for name in ("models", "sources") if name in changes}
    of_insight = {name: changes.pop(name) for name in _WORDS if name in changes}
    insight = Insight(
        **{
            "link": link(**changes),
            "direction": "improves",
            "order": "precedes",
            "grade": Grade.MEDIUM,
            "reasons": ("worth 121 independent reports (40 or more)",),
            "text": "More heart rate variability precedes better mood by 12 hours.",
            "evidence": "One standard deviation more goes with 0.41 towards better.",
            "caveat": "This is an association, not a cause: other things may move both",
            **of_insight,
        }
    )
    whole: dict[str, Any] = {
        "models": (ModelUse("biometric_correlation", 3, "ef" * 32, "production", 1.0),),
        "sources": ("Observation/o1/_history/1", "QuestionnaireResponse/q2"),
        **own,
    }
    return CorrelationDocument(
        identifier=IDENTIFIER,
        ehr_patient=patient,
        insight=insight,
        clock="the local offsets that the sources state",
        issued=datetime(2026, 2, 28, 4, 12, 33, 120_000, tzinfo=UTC),
        **whole,
    )


_WORDS = frozenset(
    {"grade", "reasons", "text", "evidence", "caveat", "advice", "source"}
)


class Time:
    """A clock that moves only when someone sleeps, and remembers for how long."""

    def __init__(self) -> None:
        self.at = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    def clock(self) -> Clock:
        return Clock(
            now=lambda: datetime(2026, 2, 28, 12, tzinfo=UTC),
            monotonic=lambda: self.at,
            sleep=self.sleep,
            jitter=lambda: 0.5,
        )


Handler = Callable[[httpx.Request], httpx.Response]


def client_of(
    handler: Handler, *, time: Time | None = None, **options: Any
) -> FhirClient:
    """A client whose network is `handler` and whose clock is `time`."""
    return FhirClient(
        BASE,
        transport=httpx.MockTransport(handler),
        clock=(time or Time()).clock(),
        **options,
    )


def bundle(*resources: Json, next_url: str | None = None) -> Json:
    """A searchset page."""
    made: Json = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": resource} for resource in resources],
    }
    if next_url is not None:
        made["link"] = [{"relation": "next", "url": next_url}]
    return made


def serving(*answers: httpx.Response | Exception) -> Callable[..., httpx.Response]:
    """A network that gives these answers in order and fails the test on one more."""
    left = list(answers)

    def handler(_: httpx.Request) -> httpx.Response:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handler


def page(*resources: Json, next_url: str | None = None) -> httpx.Response:
    return httpx.Response(200, json=bundle(*resources, next_url=next_url))


def numbered(number: int, **changes: Any) -> Json:
    identifier = [{"system": "urn:x", "value": str(number)}]
    return observation(identifier=identifier, id=None, meta=None, **changes)
