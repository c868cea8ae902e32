"""Which body signal moves with which symptom: every pair of a window, judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backend.twin.correlation.effective_n import effective_reports, scale_error
from backend.twin.correlation.examination import Examination, Fit, examine
from backend.twin.correlation.extremes import calmed, extreme_pairs
from backend.twin.correlation.intervals import Estimate, estimate
from backend.twin.correlation.link import LagUnit, Link
from backend.twin.correlation.selection import BEHIND_WEIGHT, Effect, alone
from backend.twin.correlation.streams import CorrelationWindow
from backend.twin.correlation.tube import Curve, chance, curve, needed_z

NAMED = 0.3  # the coefficient of which it is said how many reports would find it


@dataclass(frozen=True)
class Rule:
    """What is published: a pair's p-value and its posterior must agree.

    `level`: how often a pair without a link may pass, over all lags and both
    directions, whatever else is linked. `least_p`: p(link) at least. `false_share`: of
    the direct links of one window, the share that may be expected to be false by
    p(link), at most.
    """

    level: float = 0.045
    least_p: float = 0.75
    false_share: float = 0.25


@dataclass(frozen=True)
class Opinion:
    """What somebody else says of a pair: p(link), and of the link if there is one."""

    p_link: float
    told: Estimate


_At = tuple[int, int]  # indices of biometric and symptom
_Chances = tuple[float, float]  # p-values: given the others, and without them
_Beside = tuple[Opinion | None, _Chances]  # somebody else's opinion; p-values at least
Opinions = Mapping[_At, Opinion]
_NO_FLOORS: _Chances = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class _Pair:
    """One examined pair: what its symptom's fit holds of this biometric."""

    fit: Fit
    index: int  # of the biometric among the fit's effects
    ahead: int  # index of lag zero
    curves: tuple[Curve, Curve]  # of the lags from zero on, and of the negative ones
    opinion: Opinion | None
    floors: _Chances  # without extremes: p-values are these at least

    @property
    def effect(self) -> Effect:
        return self.fit.effects[self.index]

    @property
    def p_link(self) -> float:
        return self.opinion.p_link if self.opinion else self.effect.p_link

    @property
    def norms(self) -> np.ndarray:
        return np.asarray(self.fit.problem.norms[self.index])

    def p_value(self, effect: Effect) -> float:
        """Over both directions, the rarer one paying most of the price for looking."""
        r = np.abs(effect.dots) / np.sqrt(np.maximum(self.norms, 1e-9) * effect.power)
        sides = r[self.ahead :].max(), r[: self.ahead].max()
        shares = 1 - BEHIND_WEIGHT, BEHIND_WEIGHT
        paid = [
            chance(float(largest), along, effect.freedom) / share
            for largest, along, share in zip(sides, self.curves, shares, strict=True)
        ]
        return min(1.0, *paid)

    def chances(self) -> _Chances:
        """p-values: given the other biometrics, and without them."""
        single = alone(self.fit.problem, self.index)
        given, marginal = self.p_value(self.effect), self.p_value(single)
        return max(given, self.floors[0]), max(marginal, self.floors[1])

    def told(self, association: Effect | None) -> Estimate:
        """Coefficient and lag; those of an association are nobody else's matter.

        Nor is the coefficient where the symptom comes first: who learns from simulated
        people is told no size of such links.
        """
        other = self.opinion.told if self.opinion and not association else None
        if other and other.lag >= self.ahead:
            return other
        problem, fit = self.fit.problem, self.fit
        error = scale_error(fit.counts, fit.whitener.correlation)
        chosen = association or self.effect
        own = estimate(chosen, self.norms, problem.prior, error)
        if other is None:
            return own
        return replace(other, coefficient=own.coefficient, ci=own.ci)

    def reports_needed(self, level: float) -> int:
        """Reports that would make a coefficient of `NAMED` stand out."""
        known = float(np.median(self.norms)) / self.effect.spread
        wanted = (needed_z(self.curves[0], level) / NAMED) ** 2
        return int(np.ceil(len(self.fit.values) * wanted / max(known, 1e-9)))


def find_links(
    window: CorrelationWindow, *, rule: Rule | None = None
) -> tuple[Link, ...]:
    """Every pair of the window, symptom by symptom, published or not."""
    return links(examine(window), rule=rule)


def links(
    found: Examination, *, rule: Rule | None = None, opinions: Opinions | None = None
) -> tuple[Link, ...]:
    """Every pair of an examination; `Link` says what each says.

    p-values are the engine's; where there is an opinion, p(link) and the link's
    coefficient and lag are the opinion's. Where something would be published, p-values
    of a pair with extreme values on both sides are those without them, if larger.
    """
    by, others = rule or Rule(), opinions or {}
    pairs = _pairs(found, by, others, {})
    if any(one.published for one in pairs) and extreme_pairs(found.window):
        pairs = _pairs(found, by, others, _floors(found.window))
    return tuple(_with_false_discoveries(pairs, by))


def _pairs(
    found: Examination, rule: Rule, others: Opinions, floors: Mapping[_At, _Chances]
) -> list[Link]:
    """Every pair; `floors` are p-values that none may be below."""
    return [
        _link(found, (b, s), rule, (others.get((b, s)), floors.get((b, s), _NO_FLOORS)))
        for s in range(len(found.fits))
        for b in range(len(found.window.biometrics))
    ]


def _floors(window: CorrelationWindow) -> dict[_At, _Chances]:
    """Both p-values without extremes, of the pairs that have them on both sides."""
    calm = examine(calmed(window))
    return {
        (b, s): _pair(calm, fit, b, (None, _NO_FLOORS)).chances()
        for b, s in extreme_pairs(window)
        if b in calm.usable and not isinstance(fit := calm.fits[s], str)
    }


def _link(found: Examination, at: _At, rule: Rule, beside: _Beside) -> Link:
    b, s = at
    window, signal, fit = found.window, found.signals.each[b], found.fits[s]
    bare = Link(
        biometric=window.biometrics[b].name,
        symptom=window.symptoms[s].name,
        window=(window.reports_from, window.until),
        n=len(found.reports[s].at),
        coverage=signal.coverage,
        lag_unit=_lag_unit(signal.step_hours, nightly=window.biometrics[b].nightly),
        reasons=tuple(r for r in (fit, signal.reason) if isinstance(r, str) and r),
    )
    if isinstance(fit, str) or signal.reason:
        return bare
    judged = _judged(bare, _pair(found, fit, b, beside), found.signals.lags, rule)
    n_eff = effective_reports(fit.counts, fit.whitener.correlation, signal.correlation)
    return replace(judged, n_eff=n_eff)


def _pair(found: Examination, fit: Fit, b: int, beside: _Beside) -> _Pair:
    """Of the usable biometric with index `b` in the window."""
    index, ahead = found.usable.index(b), int((found.signals.lags < 0).sum())
    columns, norms = fit.problem.columns[index], fit.problem.norms[index]
    halves = slice(ahead, None), slice(None, ahead)
    curves = [curve(columns[:, half], norms[half]) for half in halves]
    return _Pair(fit, index, ahead, (curves[0], curves[1]), *beside)


def _lag_unit(step_hours: int, *, nightly: bool) -> LagUnit:
    if nightly:
        return "nights"
    return "days" if step_hours == 24 else "hours"


def _judged(bare: Link, pair: _Pair, lags: np.ndarray, rule: Rule) -> Link:
    """The pair's evidence: given the others, or without them for an association."""
    p_value, p_marginal = pair.chances()
    direct = p_value <= rule.level and pair.p_link >= rule.least_p
    associated = not direct and p_marginal <= rule.level
    single = alone(pair.fit.problem, pair.index) if associated else None
    told = pair.told(single)
    lag, ends = _lag(told, lags, bare.lag_unit)
    return replace(
        bare,
        coefficient=told.coefficient,
        ci=told.ci,
        lag_hours=lag,
        lag_interval=ends,
        p_link=pair.p_link,
        p_value=p_value,
        p_marginal=p_marginal,
        reports_needed=pair.reports_needed(rule.level),
        direct=True if direct else (False if associated else None),
        published=direct or associated,
        method="network" if pair.opinion else "engine",
        reasons=() if direct or associated else (_silence(pair, rule.level),),
    )


def _lag(
    told: Estimate, lags: np.ndarray, unit: LagUnit
) -> tuple[float, tuple[float, float]]:
    """Lag and interval in hours; of a daily value never sharper than its day."""
    lag, low, high = (float(lags[i]) for i in (told.lag, *told.lag_ends))
    if unit == "hours":
        return lag, (low, high)
    days = 24.0 * np.floor((np.array([lag, low, high]) + 12) / 24)
    return float(days[0]), (float(days[1]) - 12, float(days[2]) + 12)


def _silence(pair: _Pair, level: float) -> str:
    n, needed = len(pair.fit.values), pair.reports_needed(level)
    if pair.floors[0] > level >= pair.p_value(pair.effect):
        return "what stands out are a few extreme values alone"
    if needed <= n:
        return f"no link stands out; one of {NAMED} or more would probably be found"
    return f"no link stands out; to find one of {NAMED} takes about {needed} reports"


def _with_false_discoveries(pairs: Sequence[Link], rule: Rule) -> list[Link]:
    """q-values over the examined pairs, and the share of false links kept low."""
    examined = [i for i, one in enumerate(pairs) if one.p_value is not None]
    order = sorted(examined, key=lambda i: pairs[i].p_value or 0.0, reverse=True)
    made, least = list(pairs), 1.0
    for rank, i in enumerate(order):
        p_value = pairs[i].p_value or 0.0
        least = min(least, p_value * len(order) / (len(order) - rank))
        made[i] = replace(pairs[i], q_value=least)
    doubt = 0.0
    direct = [i for i in examined if made[i].direct]
    for rank, i in enumerate(sorted(direct, key=lambda i: -(made[i].p_link or 0.0))):
        doubt += 1 - (made[i].p_link or 0.0)
        if doubt > rule.false_share * (rank + 1):
            most = f"over {100 * rule.false_share:g} % of this window's links"
            why = f"too uncertain to be listed: with it {most} may be false"
            made[i] = replace(made[i], published=False, direct=None, reasons=(why,))
    return made
