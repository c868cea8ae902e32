"""A forecast as a small SVG drawn on the server: median, 80 % and 95 % band."""

from __future__ import annotations

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from backend.twin.trajectory import HORIZON, Forecast

WIDTH, HEIGHT = 560, 220  # pixels
LEFT, RIGHT, TOP, BOTTOM = 40, 8, 8, 24  # margins, pixels


def svg(forecast: Forecast) -> SafeString:
    """The picture, with a text for screen readers; needs no script and no font."""
    scale = forecast.scale
    first, last = forecast.days[0], forecast.days[-1]
    return format_html(
        '<svg viewBox="0 0 {} {}" style="width: 100%; max-width: {}px" role="img" '
        'aria-label="{}">{}{}{}{}</svg>',
        WIDTH,
        HEIGHT,
        WIDTH,
        f"{scale.title}, forecast from {first} to {last}",
        _axis(forecast),
        _band(forecast, 0.95, "#d8e3f0"),
        _band(forecast, 0.80, "#a9c3e0"),
        format_html(
            '<polyline points="{}" fill="none" stroke="#1d4f86" stroke-width="2"/>',
            _points(forecast, forecast.median()),
        ),
    )


def _axis(forecast: Forecast) -> SafeString:
    scale = forecast.scale
    scores = [scale.low, (scale.low + scale.high) / 2, scale.high]
    lines = format_html_join(
        "",
        '<line x1="{}" x2="{}" y1="{}" y2="{}" stroke="#ccc"/>'
        '<text x="{}" y="{}" font-size="11" text-anchor="end">{}</text>',
        (
            (LEFT, WIDTH - RIGHT, y, y, LEFT - 4, y + 4, f"{score:g}")
            for score in scores
            for y in [_y(forecast, score)]
        ),
    )
    days = format_html_join(
        "",
        '<text x="{}" y="{}" font-size="11" text-anchor="{}">{}</text>',
        (
            (LEFT, HEIGHT - 6, "start", forecast.days[0].isoformat()),
            (WIDTH - RIGHT, HEIGHT - 6, "end", forecast.days[-1].isoformat()),
        ),
    )
    return format_html("{}{}", lines, days)


def _band(forecast: Forecast, level: float, colour: str) -> SafeString:
    ends = forecast.interval(level)
    upper = _points(forecast, tuple(high for _, high in ends))
    lower = _points(forecast, tuple(low for low, _ in ends)).split(" ")[::-1]
    return format_html(
        '<polygon points="{} {}" fill="{}"/>', upper, " ".join(lower), colour
    )


def _points(forecast: Forecast, scores: tuple[float, ...]) -> str:
    step = (WIDTH - LEFT - RIGHT) / (HORIZON - 1)
    return " ".join(
        f"{LEFT + day * step:.1f},{_y(forecast, score):.1f}"
        for day, score in enumerate(scores)
    )


def _y(forecast: Forecast, score: float) -> float:
    share = (score - forecast.scale.low) / forecast.scale.width
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
