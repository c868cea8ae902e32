"""A pharmacogenomic report as plain JSON values and back, without losing a bit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from backend.twin.pharmacogenomics.advice import Advice
from backend.twin.pharmacogenomics.comparison import Comparison, LeftOut
from backend.twin.pharmacogenomics.gene_result import GeneResult, Warned
from backend.twin.pharmacogenomics.phenotype import Refusal, Unused
from backend.twin.pharmacogenomics.quality import GeneState, GeneticQuality
from backend.twin.pharmacogenomics.recommendation import Reason, Recommendation
from backend.twin.pharmacogenomics.report import Report
from backend.twin.pharmacogenomics.response import Response, SideEffect
from backend.twin.pharmacogenomics.safety import Stop

FORMAT = 1  # raise when a reader of today could not read it
T = TypeVar("T")
Data = Mapping[str, Any]  # JSON: typed by the class that reads it


def to_dict(report: Report) -> dict[str, Any]:
    """The report as dicts, lists, strings, numbers, booleans and None only."""
    plain: dict[str, Any] = _plain({"format": FORMAT, **asdict(report)})
    return plain


def from_dict(data: Data) -> Report:
    """The report that `to_dict` wrote. Raises ValueError for another format."""
    if data.get("format") != FORMAT:
        raise ValueError(f"not a pharmacogenomic report of format {FORMAT}")
    return Report(
        genes=_each(_gene, data["genes"]),
        advice=_each(_read(Advice), data["advice"]),
        stops=_each(_read(Stop), data["stops"]),
        recommendations=_each(_recommendation, data["recommendations"]),
        comparison=_comparison(data["comparison"]),
        quality=GeneticQuality(
            level=data["quality"]["level"],
            genes=_each(_read(GeneState), data["quality"]["genes"]),
        ),
        unused=_each(_read(Unused), data["unused"]),
        refused=_each(_read(Refusal), data["refused"]),
        unknown_current=tuple(data["unknown_current"]),
        disclaimer=data["disclaimer"],
    )


def _plain(value: object) -> Any:
    """Tuples as lists, all the way down."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _each(make: Callable[[Data], T], rows: Iterable[Data]) -> tuple[T, ...]:
    return tuple(make(one) for one in rows)


def _read(kind: Callable[..., T]) -> Callable[[Data], T]:
    """A reader of a dataclass without dataclasses inside; its lists are tuples."""
    return lambda row: kind(
        **{name: tuple(v) if isinstance(v, list) else v for name, v in row.items()}
    )


def _gene(row: Data) -> GeneResult:
    made = {**row, "warnings": _each(_read(Warned), row["warnings"])}
    return _read(GeneResult)(made)


def _recommendation(row: Data) -> Recommendation:
    response = row["response"]
    made = {
        **row,
        "reasons": _each(_read(Reason), row["reasons"]),
        "response": response and _response(response),
    }
    return _read(Recommendation)(made)


def _response(row: Data) -> Response:
    made = {**row, "side_effects": _each(_read(SideEffect), row["side_effects"])}
    return Response(**made)


def _comparison(row: Data) -> Comparison:
    made = {**row, "left_out": _each(_read(LeftOut), row["left_out"])}
    return _read(Comparison)(made)
