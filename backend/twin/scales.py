"""Symptom scales: what a score means, where it comes from and how it may be read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from backend.twin.errors import UnknownScale

Cadence = Literal["daily", "questionnaire"]


@dataclass(frozen=True, slots=True)
class Band:
    """A named severity range, both ends included, in score units; rank 0 is mildest."""

    name: str
    low: float
    high: float
    rank: int
    severe: bool = False


@dataclass(frozen=True, slots=True)
class SafetyItem:
    """One item of a questionnaire whose answer above `above` calls for a human at once."""

    code: str
    title: str
    above: float


@dataclass(frozen=True, slots=True)
class Scale:
    """One instrument: code, range in score units, direction, bands, and their source.

    `higher_is_worse` is None where the direction is unknown: then no text may say
    better or worse. `important_change` is the smallest change (score units) that the
    source calls clinically important; None where no source was found.
    """

    key: str
    title: str
    system: str
    code: str
    unit: str
    low: float
    high: float
    higher_is_worse: bool | None
    cadence: Cadence
    source: str
    step: float | None = None
    bands: tuple[Band, ...] = ()
    important_change: float | None = None
    change_source: str | None = None
    safety_item: SafetyItem | None = None

    @property
    def width(self) -> float:
        """High end minus low end, score units."""
        return self.high - self.low

    def band(self, score: float) -> Band | None:
        """The band that `score` lies in; a score between two bands takes the lower."""
        inside = [band for band in self.bands if score >= band.low]
        return max(inside, key=lambda band: band.low, default=None)


def local_scale(code: str, *, system: str, low: float, high: float) -> Scale:
    """A diary item that no table knows, with the bounds that came with its data.

    Its direction is unknown and it has no bands, so it gets a forecast and no advice.
    """
    return Scale(
        key=f"diary:{code}",
        title=f"Diary item {code}",
        system=system,
        code=code,
        unit="{score}",
        low=low,
        high=high,
        higher_is_worse=None,
        cadence="daily",
        source="bounds sent with the data",
    )
