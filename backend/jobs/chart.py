"""A forecast as text: one line a day, the 80 % interval as a band on the scale."""

from __future__ import annotations

from collections.abc import Iterator

from backend.twin.trajectory import Forecast

COLUMNS = 32


def chart(forecast: Forecast) -> Iterator[str]:
    """Lines to print; the band is the 80 % interval, the mark the median."""
    scale = forecast.scale
    left, right = f"{scale.low:g}", f"{scale.high:g}"
    yield f"  {'':11}{left}{right:>{COLUMNS - len(left)}}   median  80 % interval"
    for day, middle, (low, high) in zip(
        forecast.days, forecast.median(), forecast.interval(0.80), strict=True
    ):
        bar = _bar(forecast, low, middle, high)
        yield f"  {day:%a %d %b} {bar}   {middle:6.1f}  {low:.1f} to {high:.1f}"


def _bar(forecast: Forecast, low: float, middle: float, high: float) -> str:
    start, mark, end = (_column(forecast, score) for score in (low, middle, high))
    cells = ["·"] * COLUMNS
    cells[start : end + 1] = "▒" * (end + 1 - start)
    cells[mark] = "█"
    return "".join(cells)


def _column(forecast: Forecast, score: float) -> int:
    share = (score - forecast.scale.low) / forecast.scale.width
    return min(COLUMNS - 1, int(share * COLUMNS))
