"""Predictors of correlations that are easy to score."""

from __future__ import annotations

from typing import Any

Told = list[tuple[Any, ...]]


def told_nothing(patient: Any) -> Told:
    """Every pair, none published."""
    return _told(patient, published=False)


def told_all(patient: Any) -> Told:
    """Every pair, all published."""
    return _told(patient, published=True)


def told_hourly(patient: Any) -> Told:
    """The pairs of hourly signals alone."""
    return [one for one in told_all(patient) if one[0].endswith("_hourly")]


def _told(patient: Any, *, published: bool) -> Told:
    pair = 0.3, (0.1, 0.5), 3.0, (1.0, 5.0), 0.7, published, published
    return [(b, s, *pair) for b in patient.biometrics for s in patient.symptoms]
