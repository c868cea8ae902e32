"""A stored correlation on its page: what is said, every pair, and why of silence."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from backend.pages.tables import paragraphs, table
from backend.predictions.correlation_answer import CorrelationAnswer
from backend.twin.correlation.insights import Insight
from backend.twin.correlation.link import Link
from backend.twin.correlation.report import CorrelationReport

DISCLAIMER = (
    "Links are associations, not causes: statistics for research and decision support, "
    "no measurements, no diagnosis. Clinical judgement decides."
)
ENGINE = "Answered by the classical statistics alone (no model)."
_COLUMNS = ("signal", "symptom", "coefficient", "lag", "p(link)", "q", "reports", "")
_DAY_HOURS = 24.0
_NONE = "–"


def correlation_page(answer: CorrelationAnswer) -> SafeString:
    """Sentences first, then tables; numbers with their 90 % intervals and units."""
    report = answer.report
    begin, end = (str(moment.astype("datetime64[m]")) for moment in report.window)
    window = f"Reports from {begin} to {end}, by {report.clock or 'no known clock'}."
    pairs = [_pair(link) for link in report.links]
    return format_html(
        "{}{}{}{}{}",
        paragraphs([DISCLAIMER, window, _who(answer), report.message]),
        format_html_join("", "{}", ((_card(one),) for one in report.insights)),
        table("Every pair, with 90 % intervals", _COLUMNS, pairs),
        table("Not said", ("signal", "symptom", "why"), report.silences),
        _seen(report),
    )


def _card(insight: Insight) -> SafeString:
    reasons = "; ".join(insight.reasons)
    advice = f"{insight.advice} ({insight.source})" if insight.advice else ""
    lines = [
        insight.evidence,
        f"{insight.caveat.rstrip('.')}.",
        f"Reliability {insight.grade}: {reasons}.",
        advice,
    ]
    return format_html(
        "<div><strong>{}</strong>{}</div>", insight.text, paragraphs(lines)
    )


def _seen(report: CorrelationReport) -> SafeString:
    """What was looked at, and what of the record was not."""
    signals = (
        (one.name, one.unit, f"{one.n} values", f"{one.coverage:.0%} measured")
        for one in report.biometrics
    )
    symptoms = (
        (one.name, "", f"{one.n} reports", "days only" if one.by_day else "")
        for one in report.symptoms
    )
    left_out = ((one.name, str(one.count), one.why) for one in report.left_out)
    return format_html(
        "{}{}",
        table("Looked at", ("name", "unit", "n", ""), [*signals, *symptoms]),
        table("Left out", ("name", "values", "why"), left_out),
    )


def _pair(link: Link) -> tuple[str, ...]:
    return (
        link.biometric,
        link.symptom,
        _with_interval(link.coefficient, link.ci, "{:.2f}"),
        _lag(link),
        _number(link.p_link, "{:.3f}"),
        _number(link.q_value, "{:.2g}"),
        f"{link.n}, worth {_number(link.n_eff, '{:.0f}')}",
        _standing(link),
    )


def _standing(link: Link) -> str:
    """Whether it is listed as a link, and by whom it was judged."""
    if not link.published:
        return "; ".join(link.reasons) or "not published"
    return f"{'direct' if link.direct else 'association'} ({link.method})"


def _lag(link: Link) -> str:
    """In its own unit; negative where the symptom is first."""
    if link.lag_hours is None:
        return _NONE
    size = 1.0 if link.lag_unit == "hours" else _DAY_HOURS
    ends = link.lag_interval and tuple(end / size for end in link.lag_interval)
    return f"{_with_interval(link.lag_hours / size, ends, '{:g}')} {link.lag_unit}"


def _with_interval(value: float | None, ends: Sequence[float] | None, form: str) -> str:
    between = f" ({' to '.join(form.format(end) for end in ends)})" if ends else ""
    return f"{_number(value, form)}{between}"


def _number(value: float | None, form: str) -> str:
    """Unknown is a dash and never zero."""
    return _NONE if value is None else form.format(value)


def _who(answer: CorrelationAnswer) -> str:
    named = [f"{use.model} version {use.version}" for use in answer.models]
    return f"Answered by {', '.join(named)}." if named else ENGINE
