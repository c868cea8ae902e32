"""Figures for Prometheus: how the models do, what waits, what is switched off.

Counts, shares and differences only: no patient, and no label but names of ours. Read
from the database at each scrape, so that every process says the same, with exceptions
that say so: requests, calls of the model server, and work beside answers that was lost
are those of the process that answers.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from backend import wiring
from backend.api import counted
from backend.predictions import beside, counts, selectors
from backend.registry.switches import switches
from backend.twin.errors import ModelError


class Figures(Collector):
    """Everything below, as of `now`."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Each family once."""
        yield _uses(self._now)
        yield _answers(self._now)
        yield _asked()
        yield from _outcomes(self._now)
        yield from _drift(self._now)
        yield from _shadows(self._now)
        yield from _waiting(self._now)
        yield _services()
        yield _calls()
        yield _lost()


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures, for who has the token of the settings; without one there is no page.

    No audit row: no patient's data are in it.
    """
    token = wiring.metrics_token()
    if not token:
        raise Http404
    sent = request.headers.get("Authorization", "")
    if not hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    registry.register(Figures(wiring.now()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _uses(now: datetime) -> Metric:
    family = GaugeMetricFamily(
        "mindtwin_predictions",
        "stored predictions that a model version contributed to, in the last days",
        labels=["model", "version", "channel", "window"],
    )
    for use in counts.use_counts(now=now):
        for window, number in use.predictions.items():
            labels = [use.model, str(use.version), use.channel, window]
            family.add_metric(labels, number)
    return family


def _answers(now: datetime) -> Metric:
    """Without a model: statistics of links, sources of advice, fallbacks."""
    family = GaugeMetricFamily(
        "mindtwin_answers",
        "stored answers by service, and whether a model had a part in them, in the "
        "last days",
        labels=["service", "by", "window"],
    )
    for one in counts.answer_counts(now=now):
        for window, number in one.predictions.items():
            family.add_metric([one.service, one.by, window], number)
    return family


def _asked() -> Metric:
    family = CounterMetricFamily(
        "mindtwin_requests",
        "requests for an answer to this one process since it started: new, stored, or "
        "the kind of problem",
        labels=["service", "outcome"],
    )
    for key, number in sorted(counted.requests().items()):
        family.add_metric(key, number)
    return family


def _outcomes(now: datetime) -> Iterator[Metric]:
    """Of the last 90 days; `versions` names all members of the blend."""
    labels = ["method", "versions"]
    days = GaugeMetricFamily(
        "mindtwin_outcome_days", "forecast days with an outcome", labels=labels
    )
    patients = GaugeMetricFamily(
        "mindtwin_outcome_patients", "patients behind these days", labels=labels
    )
    coverage = GaugeMetricFamily(
        "mindtwin_outcome_coverage",
        "share of outcomes inside the interval of this level",
        labels=[*labels, "level"],
    )
    errors = GaugeMetricFamily(
        "mindtwin_outcome_error",
        "mean absolute error of the median, in sds of the window or scale widths",
        labels=[*labels, "unit"],
    )
    for one in selectors.live_scores(now=now):
        key = [one.method, one.versions]
        days.add_metric(key, one.days)
        patients.add_metric(key, one.patients)
        coverage.add_metric([*key, "0.80"], one.coverage_80.value)
        coverage.add_metric([*key, "0.95"], one.coverage_95.value)
        errors.add_metric([*key, one.unit], one.error)
    yield from (days, patients, coverage, errors)


def _drift(now: datetime) -> Iterator[Metric]:
    labels = ["model", "version"]
    windows = GaugeMetricFamily(
        "mindtwin_input_windows",
        "windows asked about in 30 days; of how many people is not known",
        labels=labels,
    )
    index = GaugeMetricFamily(
        "mindtwin_input_psi",
        "population stability index against the card; absent below 200 windows, which "
        "may be of few people",
        labels=[*labels, "array", "feature"],
    )
    asked = {}
    for one in selectors.drift(today=now.date()):
        key = one.model, str(one.version)
        asked[key] = one.windows
        if one.psi is not None:
            index.add_metric([*key, one.array, one.feature], one.psi)
    for key, number in asked.items():
        windows.add_metric(key, number)
    yield from (windows, index)


def _shadows(now: datetime) -> Iterator[Metric]:
    labels = ["model", "version"]
    answers = GaugeMetricFamily(
        "mindtwin_shadow_predictions",
        "predictions that a shadow version answered beside production, in 90 days",
        labels=labels,
    )
    differences = GaugeMetricFamily(
        "mindtwin_shadow_difference",
        "distance of a shadow's quantiles from production's, in sds of the window",
        labels=[*labels, "of"],
    )
    for one in selectors.shadow_summary(now=now):
        key = [one.model, str(one.version)]
        answers.add_metric(key, one.predictions)
        for name in ("mean", "p95", "greatest"):
            differences.add_metric([*key, name], getattr(one, name))
    yield from (answers, differences)


def _waiting(now: datetime) -> Iterator[Metric]:
    outbox = counts.outbox_count(now=now)
    states = GaugeMetricFamily(
        "mindtwin_outbox_deliveries", "deliveries to EHRs by state", labels=["state"]
    )
    for state, number in outbox.states.items():
        states.add_metric([state], number)
    yield states
    yield GaugeMetricFamily(
        "mindtwin_outbox_oldest_seconds",
        "age of the oldest pending delivery, 0 without any",
        value=outbox.oldest_s,
    )
    yield GaugeMetricFamily(
        "mindtwin_alerts_open",
        "urgent findings that nobody has acknowledged",
        value=counts.open_alerts(),
    )


def _services() -> Metric:
    family = GaugeMetricFamily(
        "mindtwin_service_on", "1, or 0 while switched off", labels=["service"]
    )
    for service, switch in switches().items():
        family.add_metric([service], int(switch is None or not switch.off))
    return family


def _calls() -> Metric:
    """None where the server keeps no count, or the models cannot be served at all."""
    family = CounterMetricFamily(
        "mindtwin_model_calls",
        "calls of models by this one process since it started, by who answered and how",
        labels=["model", "version", "server", "outcome"],
    )
    try:
        calls = getattr(wiring.models(), "calls", {})
    except ModelError:
        calls = {}
    for key, number in sorted(calls.items()):
        family.add_metric([str(word) for word in key], number)
    return family


def _lost() -> Metric:
    family = CounterMetricFamily(
        "mindtwin_beside_lost",
        "work beside answers that this one process dropped or failed at since it "
        "started",
        labels=["work", "why"],
    )
    for key, number in sorted(beside.lost().items()):
        family.add_metric(key, number)
    return family
