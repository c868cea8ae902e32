"""How far to rely on an insight: by independent reports and the interval's width.

The bounds were chosen on simulated patients and measured on others; what each grade
was worth there is in docs/methods/correlation.md.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from backend.twin.correlation.link import Link
from backend.twin.trajectory import Grade


class Bound(NamedTuple):
    """A grade takes `n_eff` independent reports and an interval this narrow.

    `width` is that of the coefficient's 90 % interval, in shares of the coefficient.
    """

    grade: Grade
    n_eff: float
    width: float


BOUNDS = (
    Bound(Grade.HIGH, 40, 0.56),
    Bound(Grade.MEDIUM, 30, 0.66),
    Bound(Grade.LOW, 20, 0.75),
)


def relative_width(link: Link) -> float:
    """Width of the coefficient's interval over the coefficient; infinite without."""
    if not link.coefficient or link.ci is None:
        return math.inf
    return (link.ci[1] - link.ci[0]) / abs(link.coefficient)


def grade(link: Link) -> tuple[Grade, tuple[str, ...]] | None:
    """The best grade the link reaches, and why; None where it reaches none.

    What other signals explain is low at best: it may be theirs alone.
    """
    n_eff, width = link.n_eff or 0.0, relative_width(link)
    reached = [b for b in BOUNDS if n_eff >= b.n_eff and width <= b.width]
    if not reached:
        return None
    best, why = reached[0], []
    if not link.direct:
        best, why = BOUNDS[-1], ["an association: other signals explain it"]
    better = BOUNDS[: BOUNDS.index(best)][-1:]
    return best.grade, (
        _reports(n_eff, best, better),
        _width(width, best, better),
        *why,
    )


def reports_for(link: Link, bound: Bound = BOUNDS[-1]) -> int | None:
    """Reports in all, as often as now, that would reach the bound; None if unknown.

    Intervals narrow, and independent reports grow, with the root of the reports and
    with the reports.
    """
    width = relative_width(link)
    if not link.n_eff or math.isinf(width):
        return None
    times = max((width / bound.width) ** 2, bound.n_eff / link.n_eff)
    return math.ceil(link.n * times)


def _reports(n_eff: float, of: Bound, better: tuple[Bound, ...]) -> str:
    short = [b for b in better if n_eff < b.n_eff]
    least = f"fewer than {short[0].n_eff:g}" if short else f"{of.n_eff:g} or more"
    return f"worth {math.floor(n_eff)} independent reports ({least})"


def _width(width: float, of: Bound, better: tuple[Bound, ...]) -> str:
    wide = [b for b in better if width > b.width]
    most = (
        f"above {100 * wide[0].width:g} %" if wide else f"at most {100 * of.width:g} %"
    )
    shown = math.ceil(round(100 * width, 6))  # 56.000000001 is 56
    return f"the interval is {shown} % of the coefficient wide ({most})"
