"""What the demo prints of correlations: a link with its numbers, or why none."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from backend.jobs import demo
from backend.predictions.stored import NOT_SENT
from backend.predictions.stored_correlation import StoredCorrelation
from backend.twin.correlation.insights import Insight
from backend.twin.correlation.link import Link
from backend.twin.correlation.report import CorrelationReport
from backend.twin.trajectory import ModelUse

SHOWN = 3  # patients printed one by one
WIDTH = 78  # columns of running text

Found = Sequence[tuple[demo.Person, demo.LinkOutcome]]


def answers(found: Found, *, days: int) -> Iterator[str]:
    """Some patients one by one, those with a link first; the rest counted."""
    if not found:
        yield "   nobody has both symptom entries and wearables"
        yield ""
        return
    for person, answer in sorted(found, key=_is_silent)[:SHOWN]:
        yield ""
        if isinstance(answer, StoredCorrelation):
            yield from _patient(person, answer, days=days)
        else:
            yield f"{person.label}: {answer}"
    rest = sorted(found, key=_is_silent)[SHOWN:]
    if rest:
        silent = sum(map(_is_silent, rest))
        yield ""
        yield (
            f"and {len(rest)} more patients with wearables: "
            f"{len(rest) - silent} with a link, {silent} without"
        )
    yield ""


def sent(found: Found) -> dict[UUID, str]:
    """What the EHR has to hold: the pair of each link in words by its identifier."""
    return {
        identifier: f"{biometric} and {symptom}"
        for _, answer in found
        if isinstance(answer, StoredCorrelation)
        for (biometric, symptom), identifier in answer.identifiers.items()
        if answer.delivery[identifier] != NOT_SENT
    }


def _is_silent(one: tuple[demo.Person, demo.LinkOutcome]) -> bool:
    _, answer = one
    return not (isinstance(answer, StoredCorrelation) and answer.report.insights)


def _patient(
    person: demo.Person, answer: StoredCorrelation, *, days: int
) -> Iterator[str]:
    how = "stored answer, equal record and models" if answer.reused else "computed now"
    yield f"{person.label}, {days} days to {person.as_of} ({how})"
    for insight in answer.report.insights:
        yield from insight_lines(insight)
        yield f"    Observation identifier {answer.identifiers[_pair(insight.link)]}"
    yield from silence_lines(answer.report)
    yield from asked_lines(answer.models, answer.notices)


def asked_lines(models: Iterable[ModelUse], notices: Iterable[str]) -> Iterator[str]:
    """Which models answered, and what else is to be said."""
    for use in models:
        yield (
            f"    model {use.model} version {use.version} (sha256 {use.sha256[:12]})"
        )
    for notice in notices:
        yield from wrapped(f"notice: {notice}", indent=2)


def insight_lines(insight: Insight) -> Iterator[str]:
    """A link in words, with its numbers, reasons and caveat."""
    yield from wrapped(insight.text, indent=2)
    *first, last = numbers_lines(insight.link)
    yield from (*first, f"{last}; reliability {insight.grade}:")
    for reason in insight.reasons:
        yield f"      - {reason}"
    yield from wrapped(insight.caveat, indent=4)
    if insight.advice:
        yield from wrapped(f"{insight.advice} ({insight.source})", indent=4)


def numbers_lines(link: Link) -> Iterator[str]:
    """Size, lag, how probable, and how much it rests on."""
    yield f"    {_coefficient(link)}; {_lag(link)}"
    kind = "direct" if link.direct else "association"
    yield (
        f"    p(link) {link.p_link or 0:.2f}, {kind}; {link.n} reports, "
        f"n_eff {link.n_eff or 0:.1f}"
    )


def _coefficient(link: Link) -> str:
    low, high = link.ci or (0.0, 0.0)
    return f"coefficient {link.coefficient or 0:.2f} (90 % {low:.2f} to {high:.2f})"


def _lag(link: Link) -> str:
    """In hours, or in whole days or nights where no hour can be told."""
    unit = 1 if link.lag_unit == "hours" else 24
    low, high = link.lag_interval or (0.0, 0.0)
    return (
        f"lag {(link.lag_hours or 0) / unit:g} {link.lag_unit} "
        f"(90 % {low / unit:g} to {high / unit:g})"
    )


def silence_lines(report: CorrelationReport) -> Iterator[str]:
    """The message where there is no insight; then why, by how many pairs."""
    if report.message:
        yield from wrapped(report.message, indent=2)
    for why, count in Counter(one.why for one in report.silences).items():
        yield from wrapped(f"{count} pair{'s'[: count - 1]}: {why}", indent=4)


def _pair(link: Link) -> tuple[str, str]:
    return link.biometric, link.symptom


def wrapped(said: str, *, indent: int) -> list[str]:
    """Running text, its further lines two columns in."""
    return textwrap.wrap(
        said,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
    )
