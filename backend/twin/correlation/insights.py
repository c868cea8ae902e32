"""What may be said of a window's links in words: fewer than are published.

Of every other pair it is said why there are no words, and what would be needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from backend.twin.correlation.insight_grade import grade, reports_for
from backend.twin.correlation.insight_table import InsightTable, insight_table
from backend.twin.correlation.insight_words import (
    Direction,
    Order,
    caveat,
    evidence,
    headline,
    order_of,
    symptom_words,
)
from backend.twin.correlation.link import Link
from backend.twin.correlation.streams import SymptomStream, WorseWhen
from backend.twin.trajectory import Grade

Polarity = Mapping[str, WorseWhen | None]
_ASKABLE = 1200  # reports: ten a day for 120 days; more is nothing to ask of anybody


@dataclass(frozen=True)
class InsightRule:
    """What a published link must also be, to be put into words.

    `false_share`: Benjamini and Hochberg's q over the examined pairs of the window, or
    for an association its p-value times their number, at most. `least_p`: p(link) of a
    direct one, at least. `most` insights of one window, the strongest.
    """

    false_share: float = 0.01
    least_p: float = 0.95
    most: int = 5


@dataclass(frozen=True)
class Insight:
    """A link in words. `link` has n, n_eff, window, coefficient, lag, p(link).

    `direction`: what the symptom does where there is more of the biometric. `order`:
    what the biometric does to the symptom in time. `text` is the sentence, `evidence`
    its numbers, `caveat` what it is not; `advice` may be empty, `source` is the
    advice's. `others`: biometrics that are published with the same symptom.
    """

    link: Link
    direction: Direction
    order: Order
    grade: Grade
    reasons: tuple[str, ...]
    text: str
    evidence: str
    caveat: str
    others: tuple[str, ...] = ()
    advice: str = ""
    source: str = ""


class Silence(NamedTuple):
    """A pair of which nothing is said, and why."""

    biometric: str
    symptom: str
    why: str


def polarity(symptoms: Iterable[SymptomStream]) -> dict[str, WorseWhen | None]:
    """Which end of each symptom's scale is bad, by its name."""
    return {one.name: one.worse_when for one in symptoms}


def insights(
    links: Sequence[Link],
    worse_when: Polarity,
    *,
    rule: InsightRule | None = None,
    table: InsightTable | None = None,
) -> tuple[Insight, ...]:
    """The window's insights, strongest first. `links`: all of them, every pair."""
    return said(links, worse_when, rule=rule, table=table)[0]


def said(
    links: Sequence[Link],
    worse_when: Polarity,
    *,
    rule: InsightRule | None = None,
    table: InsightTable | None = None,
) -> tuple[tuple[Insight, ...], tuple[Silence, ...]]:
    """The insights, strongest first, and every other pair with its reason."""
    by, words = rule or InsightRule(), table or insight_table()
    pairs = sum(link.examined for link in links)
    made: list[Insight] = []
    silent: list[Silence] = []
    for link in sorted(links, key=lambda one: -abs(one.coefficient or 0.0)):
        one = _why_not(link, by, pairs) or _insight(link, links, worse_when, words)
        if isinstance(one, Insight) and len(made) == by.most:
            one = f"{by.most} stronger ones are said"
        if isinstance(one, Insight):
            made.append(one)
        else:
            silent.append(Silence(link.biometric, link.symptom, one))
    return tuple(made), tuple(silent)


def _why_not(link: Link, rule: InsightRule, pairs: int) -> str:
    """What the link lacks, and how many reports would bring it; empty for nothing."""
    if not link.published:
        return "; ".join(link.reasons) or "not published"
    lacks = _lacks(link, rule, pairs)
    if not lacks:
        return ""
    return f"listed as a link, not sure enough for words: {lacks}{_more(link)}"


def _more(link: Link) -> str:
    """How many reports would show it; a size near zero takes more than there can be."""
    needed = reports_for(link) or 0
    if needed > _ASKABLE:
        return "; at this size no number of reports that can be asked for shows it"
    return f"; if it is real, about {needed} reports show it" * (needed > link.n)


def _lacks(link: Link, rule: InsightRule, pairs: int) -> str:
    if link.direct:
        chance = link.q_value
        if (link.p_link or 0.0) < rule.least_p:
            return "the probability of a direct link is too low"
    else:
        chance = None if link.p_marginal is None else link.p_marginal * pairs
    if chance is None or chance > rule.false_share:
        return f"among {pairs} pairs chance may have brought it"
    return "" if grade(link) else "too wide an interval or too few independent reports"


def _insight(
    link: Link, links: Sequence[Link], worse_when: Polarity, table: InsightTable
) -> Insight | str:
    """The insight, or why the link cannot be put into words."""
    graded = grade(link)
    signal, worse = table.biometrics.get(link.biometric), worse_when.get(link.symptom)
    if signal is None:
        return "listed as a link: there are no words for this signal"
    if worse is None:
        return "listed as a link: which end of the symptom's scale is worse is unknown"
    up: Direction = "worsens" if worse == "high" else "improves"
    down: Direction = "improves" if worse == "high" else "worsens"
    direction = up if (link.coefficient or 0.0) > 0 else down
    others = _others(link, links)
    advice = table.advice(link.biometric, link.symptom)
    if not (link.direct and link.follows and direction == "improves"):
        advice = None
    level, reasons = graded or (Grade.LOW, ())
    return Insight(
        link=link,
        direction=direction,
        order=order_of(link),
        grade=level,
        reasons=reasons,
        text=headline(link, signal, symptom_words(table, link.symptom), direction),
        evidence=evidence(link, direction),
        caveat=caveat(link, [_named(table, name) for name in others]),
        others=others,
        advice=advice.advice if advice else "",
        source=advice.source if advice else "",
    )


def _others(link: Link, links: Sequence[Link]) -> tuple[str, ...]:
    """Biometrics that go with the same symptom directly, beside the link's own."""
    return tuple(
        one.biometric
        for one in links
        if one.symptom == link.symptom
        and one.biometric != link.biometric
        and one.published
        and one.direct
    )


def _named(table: InsightTable, biometric: str) -> str:
    words = table.biometrics.get(biometric)
    return words.more if words else f"“{biometric}”"
