"""A forecast as a value: fourteen days, eleven quantiles each, and why to trust it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from backend.twin.early_warning import EarlyWarning
from backend.twin.scales import Scale

HORIZON = 14
LEVELS = (0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975)
INTERVALS = {0.80: (1, 9), 0.95: (0, 10)}  # level -> positions of its ends in LEVELS
MEDIAN = 5  # position of the median in LEVELS

# ensemble: the models, blended. climatology: the person's own recent days, weighted.
# irregular: two or more scores at their own days, returning to the person's own level.
# prior: the same formula with one score, whose spread is wholly assumed.
Method = Literal["ensemble", "climatology", "irregular", "prior"]


class Grade(StrEnum):
    """How far to rely on a forecast."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class ModelUse:
    """One model version that contributed, exactly enough to reproduce it."""

    model: str
    version: int
    sha256: str
    channel: str
    weight: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """One instrument's trajectory over the fourteen days after its last entry.

    `quantiles` has one row per day and one column per level of `LEVELS`, in score
    units, ordered and inside the scale; `fortnight` has the same of the mean of all
    fourteen days. `models` is empty where no model answered. A forecast stored
    before there were fortnights and warnings has () and None.
    """

    scale: Scale
    days: tuple[date, ...]
    quantiles: tuple[tuple[float, ...], ...]
    method: Method
    grade: Grade
    reasons: tuple[str, ...]
    models: tuple[ModelUse, ...]
    entries: int
    last_entry: date
    historical: bool
    sources: tuple[str, ...]
    fortnight: tuple[float, ...]
    warning: EarlyWarning | None

    def median(self) -> tuple[float, ...]:
        """The point forecast of each day, score units."""
        return tuple(row[MEDIAN] for row in self.quantiles)

    def interval(self, level: float) -> tuple[tuple[float, float], ...]:
        """Lower and upper end of each day; `level` is a key of `INTERVALS`."""
        low, high = INTERVALS[level]
        return tuple((row[low], row[high]) for row in self.quantiles)
