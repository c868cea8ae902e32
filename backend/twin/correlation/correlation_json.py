"""A correlation report as plain JSON values and back, without losing a bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from backend.twin.correlation.insights import Insight, Silence
from backend.twin.correlation.link import Link
from backend.twin.correlation.record_streams import LeftOut
from backend.twin.correlation.report import (
    CorrelationReport,
    SignalSeen,
    SymptomSeen,
)
from backend.twin.trajectory import Grade

FORMAT = 1  # raise when a reader of today could not read it


def to_dict(report: CorrelationReport) -> dict[str, Any]:
    """The report as dicts, lists, strings, numbers, booleans and None only.

    Moments are local and without an offset, as the window's are.
    """
    return {
        "format": FORMAT,
        "window": _moments(report.window),
        "max_lag_hours": report.max_lag_hours,
        "clock": report.clock,
        "biometrics": [asdict(one) for one in report.biometrics],
        "symptoms": [asdict(one) for one in report.symptoms],
        "links": [link_to_dict(one) for one in report.links],
        "insights": [_insight_to_dict(one) for one in report.insights],
        "silences": [one._asdict() for one in report.silences],
        "left_out": [asdict(one) for one in report.left_out],
        "message": report.message,
    }


def from_dict(data: Mapping[str, Any]) -> CorrelationReport:
    """The report that `to_dict` wrote. Raises ValueError for another format."""
    if data.get("format") != FORMAT:
        raise ValueError(f"not a correlation report of format {FORMAT}")
    return CorrelationReport(
        window=_window(data["window"]),
        max_lag_hours=data["max_lag_hours"],
        clock=data["clock"],
        biometrics=tuple(SignalSeen(**one) for one in data["biometrics"]),
        symptoms=tuple(SymptomSeen(**one) for one in data["symptoms"]),
        links=tuple(link_from_dict(one) for one in data["links"]),
        insights=tuple(_insight_from_dict(one) for one in data["insights"]),
        silences=tuple(Silence(**one) for one in data["silences"]),
        left_out=tuple(LeftOut(**one) for one in data["left_out"]),
        message=data["message"],
    )


def link_to_dict(link: Link) -> dict[str, Any]:
    """One pair as plain JSON values."""
    return {
        **vars(link),
        "window": _moments(link.window),
        "reasons": list(link.reasons),
        "ci": link.ci and list(link.ci),
        "lag_interval": link.lag_interval and list(link.lag_interval),
    }


def link_from_dict(data: Mapping[str, Any]) -> Link:
    """The pair that `link_to_dict` wrote."""
    made = {
        **data,
        "window": _window(data["window"]),
        "reasons": tuple(data["reasons"]),
        "ci": data["ci"] and tuple(data["ci"]),
        "lag_interval": data["lag_interval"] and tuple(data["lag_interval"]),
    }
    return Link(**made)


def _insight_to_dict(insight: Insight) -> dict[str, Any]:
    return {
        **vars(insight),
        "link": link_to_dict(insight.link),
        "grade": insight.grade.value,
        "reasons": list(insight.reasons),
        "others": list(insight.others),
    }


def _insight_from_dict(data: Mapping[str, Any]) -> Insight:
    made = {
        **data,
        "link": link_from_dict(data["link"]),
        "grade": Grade(data["grade"]),
        "reasons": tuple(data["reasons"]),
        "others": tuple(data["others"]),
    }
    return Insight(**made)


def _moments(window: tuple[np.datetime64, np.datetime64]) -> list[str]:
    return [str(moment) for moment in window]


def _window(texts: Sequence[str]) -> tuple[np.datetime64, np.datetime64]:
    begin, end = (np.datetime64(text, "s") for text in texts)
    return begin, end
