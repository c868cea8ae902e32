"""A forecast as plain JSON values and back, without losing a bit.

The scale is written out whole: a stored forecast stays readable as it was given, also
after the table of scales has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from backend.twin.control_chart import ControlChart
from backend.twin.early_warning import Chance, EarlyWarning
from backend.twin.scales import Band, Scale, safety_item
from backend.twin.trajectory import Forecast, Grade, ModelUse

FORMAT = 1  # raise when a reader of today could not read it


def to_dict(forecast: Forecast) -> dict[str, Any]:
    """The forecast as dicts, lists, strings, numbers, booleans and None only."""
    return {
        "format": FORMAT,
        "scale": _scale_to_dict(forecast.scale),
        "days": [day.isoformat() for day in forecast.days],
        "quantiles": [list(row) for row in forecast.quantiles],
        "method": forecast.method,
        "grade": forecast.grade.value,
        "reasons": list(forecast.reasons),
        "models": [asdict(use) for use in forecast.models],
        "entries": forecast.entries,
        "last_entry": forecast.last_entry.isoformat(),
        "historical": forecast.historical,
        "sources": list(forecast.sources),
        "fortnight": list(forecast.fortnight),
        "warning": forecast.warning and _warning_to_dict(forecast.warning),
    }


def from_dict(data: Mapping[str, Any]) -> Forecast:
    """The forecast that `to_dict` wrote. Raises ValueError for another format.

    What was stored before there were fortnights and warnings has none.
    """
    if data.get("format") != FORMAT:
        raise ValueError(f"not a forecast of format {FORMAT}")
    return Forecast(
        scale=_scale_from_dict(data["scale"]),
        days=tuple(date.fromisoformat(day) for day in data["days"]),
        quantiles=tuple(tuple(row) for row in data["quantiles"]),
        method=data["method"],
        grade=Grade(data["grade"]),
        reasons=tuple(data["reasons"]),
        models=tuple(ModelUse(**use) for use in data["models"]),
        entries=data["entries"],
        last_entry=date.fromisoformat(data["last_entry"]),
        historical=data["historical"],
        sources=tuple(data["sources"]),
        fortnight=tuple(data.get("fortnight", ())),
        warning=_warning_from_dict(data.get("warning")),
    )


def _warning_to_dict(warning: EarlyWarning) -> dict[str, Any]:
    made = {**asdict(warning), "chances": [asdict(one) for one in warning.chances]}
    if warning.chart is not None and warning.chart.since is not None:
        made["chart"] = {**made["chart"], "since": warning.chart.since.isoformat()}
    return made


def _warning_from_dict(data: Mapping[str, Any] | None) -> EarlyWarning | None:
    if data is None:
        return None
    chances = tuple(Chance(**one) for one in data["chances"])
    return EarlyWarning(**{**data, "chances": chances, "chart": _chart(data["chart"])})


def _chart(data: Mapping[str, Any] | None) -> ControlChart | None:
    if data is None:
        return None
    since = data["since"] and date.fromisoformat(data["since"])
    return ControlChart(**{**data, "since": since})


def _scale_to_dict(scale: Scale) -> dict[str, Any]:
    made = {**asdict(scale), "bands": [asdict(band) for band in scale.bands]}
    if scale.safety_item is not None:
        answers = list(scale.safety_item.answers)
        made["safety_item"] = {**made["safety_item"], "answers": answers}
    return made


def _scale_from_dict(data: Mapping[str, Any]) -> Scale:
    safety = data["safety_item"]
    return Scale(
        **{
            **data,
            "bands": tuple(Band(**band) for band in data["bands"]),
            "safety_item": safety_item(safety) if safety else None,
        }
    )
