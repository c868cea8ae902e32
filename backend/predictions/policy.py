"""What an installation may set about its services; made from settings by the joint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class ForecastPolicy:
    """Weights of the ensemble's members, how far back to read, how long it stays fresh.

    `timeout_s` is the time a model server has for one batch, seconds.
    """

    weights: Mapping[str, float]
    lookback_days: int
    fresh_hours: float
    timeout_s: float

    @property
    def lookback(self) -> timedelta:
        """How far before `as_of` the EHR is asked."""
        return timedelta(days=self.lookback_days)

    @property
    def fresh_for(self) -> timedelta:
        """How long a stored forecast is given again for an equal record."""
        return timedelta(hours=self.fresh_hours)


@dataclass(frozen=True, slots=True)
class CorrelationPolicy:
    """How many days are looked at unless asked for others, and what bounds them.

    `max_samples`: values of wearables that one window may have, beside its symptoms.
    `fresh_hours` and `timeout_s` as for forecasts.
    """

    days: int
    max_days: int
    max_samples: int
    fresh_hours: float
    timeout_s: float

    @property
    def fresh_for(self) -> timedelta:
        """How long a stored answer is given again for an equal record."""
        return timedelta(hours=self.fresh_hours)


@dataclass(frozen=True, slots=True)
class AdvicePolicy:
    """How far back medicines and laboratory values are read, and how many are asked.

    `max_medications`: that one answer may be asked about. `least_confidence`: from
    which the response model's answer is reported, a share of one. `fresh_hours` and
    `timeout_s` as for forecasts.
    """

    lookback_days: int
    max_medications: int
    least_confidence: float
    fresh_hours: float
    timeout_s: float

    @property
    def lookback(self) -> timedelta:
        """How far before the day asked for values are looked at."""
        return timedelta(days=self.lookback_days)

    @property
    def fresh_for(self) -> timedelta:
        """How long a stored answer is given again for an equal record."""
        return timedelta(hours=self.fresh_hours)
