"""What is said of one pair of a biometric and a symptom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

LagUnit = Literal["hours", "days", "nights"]
Method = Literal["network", "engine"]
_HALF_DAY = 12.0


@dataclass(frozen=True)
class Link:
    """One biometric and one symptom; every pair has one, published or not.

    `coefficient`: standard deviations of the symptom per standard deviation of the
    biometric, both without daily course, weekday and trend, the biometric without its
    measurement noise; `ci` its 90 % interval over every lag it may have. `lag_hours`
    > 0: the symptom follows the biometric; < 0: it precedes it. `lag_interval` 90 %.
    With `lag_unit` days or nights no hour can be told: 0 is the day of the report, or
    the night before it. `p_link`: posterior probability of a direct link. `p_value` of
    the pair given the other biometrics, over all lags and both directions; `q_value` is
    it after Benjamini and Hochberg over the window's examined pairs; `p_marginal` is
    without the other biometrics. These are None where the pair was not examined.

    `direct`: True where the link stands given the others; False where the others
    explain it, an association, whose coefficient and lag are those without the others;
    None where there is neither. `n` reports, `n_eff` independent ones they are worth
    for this pair. `coverage`: share of the biometric's hours or days that was measured.
    `reports_needed`: in all, reported as often as now, to find a coefficient of 0.3
    four times in five. `reasons`: why nothing is published, in words. `method`: whose
    `p_link` it is, and whose coefficient, lag and intervals, but that those of an
    association are always the engine's.
    """

    biometric: str
    symptom: str
    window: tuple[np.datetime64, np.datetime64]
    n: int
    coverage: float
    lag_unit: LagUnit
    reasons: tuple[str, ...] = ()
    coefficient: float | None = None
    ci: tuple[float, float] | None = None
    lag_hours: float | None = None
    lag_interval: tuple[float, float] | None = None
    p_link: float | None = None
    p_value: float | None = None
    q_value: float | None = None
    p_marginal: float | None = None
    n_eff: float | None = None
    reports_needed: int | None = None
    direct: bool | None = None
    published: bool = False
    method: Method = "engine"

    @property
    def examined(self) -> bool:
        """Whether there was enough of both to look at the pair."""
        return self.p_value is not None

    @property
    def follows(self) -> bool | None:
        """True: the symptom follows; False: it precedes; None: the lag does not say.

        Only where the whole interval does: in one hour, or on one day, nobody is first;
        last night (0, where each night reaches half a day beyond its lag) was before.
        """
        if self.lag_hours is None or self.lag_interval is None:
            return None
        low, high = self.lag_interval
        if self.lag_unit == "nights":
            low, high = low + _HALF_DAY, high - _HALF_DAY
        if low > 0 or (low == 0 and self.lag_unit == "nights"):
            return True
        return False if high < 0 else None
