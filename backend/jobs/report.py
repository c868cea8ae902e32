"""What the demo prints: answers as charts, deliveries as a table, and what to try."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from uuid import UUID

from backend.jobs import demo
from backend.jobs.chart import chart
from backend.predictions.answer import Instrument
from backend.predictions.stored import NOT_SENT, StoredForecast
from backend.twin.trajectory import Forecast
from backend.twin.warning_words import warning_words

SHOWN = 3  # patients printed one by one
WIDTH = 78  # columns of running text

NEXT_STEPS = (
    "",
    "Try next",
    "  make demo                      again: nothing is written twice",
    "  make demo DIARY=<file.csv>     your own diaries, through the same line",
    "  make demo BUNDLES=<folder>     FHIR files, through the same line",
    "  make demo EHR=<base url>       any FHIR R4 server you may write test data to",
    "  make serve                     the site with demo accounts, API and admin",
    "",
    "Research and decision support. Simulated or given data; not a medical device.",
)

Answered = list[tuple[demo.Person, demo.Outcome]]


def answers(answered: Answered) -> Iterator[str]:
    """The first patient with a chart, some with a line each, the rest counted."""
    for number, (person, answer) in enumerate(answered[:SHOWN]):
        yield ""
        if isinstance(answer, StoredForecast):
            yield from _patient(person, answer, charts=1 if number == 0 else 0)
        else:
            yield f"{person.label}: {answer}"
    rest = answered[SHOWN:]
    if rest:
        methods = Counter(
            item.forecast.method
            for _, answer in rest
            if isinstance(answer, StoredForecast)
            for item in answer.instruments
        )
        counted = ", ".join(f"{n} by {method}" for method, n in sorted(methods.items()))
        yield ""
        yield f"and {len(rest)} more patients: {counted or 'no forecasts'}"
        without = Counter(
            str(answer) for _, answer in rest if not isinstance(answer, StoredForecast)
        )
        for why, count in sorted(without.items()):
            yield f"  not forecast: {count} ({why})"
    yield ""


def sent(answered: Answered) -> dict[UUID, str]:
    """What the EHR has to hold: the title of each instrument by its identifier."""
    return {
        item.identifier: item.forecast.scale.title
        for _, answer in answered
        if isinstance(answer, StoredForecast)
        for item in answer.instruments
        if answer.delivery[item.identifier] != NOT_SENT
    }


def deliveries(
    titles: Mapping[UUID, str], held: Mapping[UUID, list[str]], *, kind: str
) -> Iterator[str]:
    """What the EHR gives back when asked for each of a kind by its identifier."""
    once = sum(len(held[identifier]) == 1 for identifier in titles)
    yield f"   read back: {once} of {len(titles)} {kind} are there exactly once"
    for identifier in list(titles)[:SHOWN]:
        yield f"   {' '.join(held[identifier])}  {titles[identifier]}"
    if len(titles) > SHOWN:
        yield f"   and {len(titles) - SHOWN} more"


def _patient(
    person: demo.Person, answer: StoredForecast, *, charts: int
) -> Iterator[str]:
    how = "stored answer, equal record and models" if answer.reused else "computed now"
    yield f"{person.label}, as of {person.as_of} ({how})"
    if answer.refused:
        refused = ", ".join(f"{n} {why}" for why, n in answer.refused.items())
        yield f"  not used: {refused}"
    for line in _unsaid(answer):
        yield from textwrap.wrap(
            line, WIDTH, initial_indent=" " * 2, subsequent_indent=" " * 4
        )
    for number, item in enumerate(answer.instruments):
        yield from _full(item) if number < charts else _line(item)


def _unsaid(answer: StoredForecast) -> Iterator[str]:
    """Notices, and urgent findings of scales without a forecast to say them below."""
    below = {item.forecast.scale.key for item in answer.instruments}
    for finding in answer.urgent_findings:
        if finding.scale not in below:
            yield f"urgent: {finding.text}"
    for notice in answer.notices:
        yield f"notice: {notice}"
    for one in answer.no_longer_standing:
        yield f"notice: forecast {one} in the EHR used an entry that was taken back"


def _full(item: Instrument) -> Iterator[str]:
    forecast = item.forecast
    yield f"  {_title(forecast)}"
    yield from chart(forecast)
    yield from _reliability(forecast)
    for use in forecast.models:
        yield (
            f"    model {use.model} version {use.version} "
            f"(sha256 {use.sha256[:12]}, weight {use.weight:g})"
        )
    yield from _advice(item)
    for said in warning_words(forecast):
        yield from _wrapped(said)


def _line(item: Instrument) -> Iterator[str]:
    forecast = item.forecast
    (low, high), middle = forecast.interval(0.80)[-1], forecast.median()[-1]
    yield (
        f"  {_title(forecast)}: day 14 {middle:.1f}, 80 % {low:.1f} to {high:.1f}; "
        f"{forecast.method}, reliability {forecast.grade}"
    )
    yield from _advice(item)


def _title(forecast: Forecast) -> str:
    scale = forecast.scale
    return f"{scale.title} ({scale.low:g} to {scale.high:g})"


def _reliability(forecast: Forecast) -> Iterator[str]:
    yield f"  {forecast.method}, reliability {forecast.grade}:"
    for reason in forecast.reasons:
        yield f"    - {reason}"


def _advice(item: Instrument) -> Iterator[str]:
    for one in item.recommendations:
        if one.code == "NO_RECOMMENDATION":
            said = f"no recommendation: {one.reason}"
        else:
            said = f"{one.code}: {one.text}"
        yield from _wrapped(said)


def _wrapped(said: str) -> list[str]:
    return textwrap.wrap(said, WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 6)
