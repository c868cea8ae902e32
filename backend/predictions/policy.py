"""What an installation may set about its services; made from settings by the joint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePolicy:
    """How long an answer stays fresh; the time a model server has for one batch, s."""

    fresh_hours: float
    timeout_s: float

    @property
    def fresh_for(self) -> timedelta:
        """How long a stored answer is given again for an equal record."""
        return timedelta(hours=self.fresh_hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastPolicy(ServicePolicy):
    """Weights of the ensemble's members, and how far back to read."""

    weights: Mapping[str, float]
    lookback_days: int

    @property
    def lookback(self) -> timedelta:
        """How far before `as_of` the EHR is asked."""
        return timedelta(days=self.lookback_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationPolicy(ServicePolicy):
    """How many days are looked at unless asked for others, and what bounds them.

    `max_samples`: values of wearables that one window may have, beside its symptoms.
    """

    days: int
    max_days: int
    max_samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvicePolicy(ServicePolicy):
    """How far back medicines and laboratory values are read, and how many are asked.

    `max_medications`: that one answer may be asked about. `least_confidence`: from
    which the response model's answer is reported, a share of one.
    """

    lookback_days: int
    max_medications: int
    least_confidence: float

    @property
    def lookback(self) -> timedelta:
        """How far before the day asked for values are looked at."""
        return timedelta(days=self.lookback_days)
