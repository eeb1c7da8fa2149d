"""Charts drawn as SVG, for HTML and PDF documents.

On a page the shapes have classes and take the page's colours (``css``); a picture has colours of
its own, for white paper, and a sketch those of the scheme, light or dark, of the page around it. A
plot without words (``plot``) is part of a larger picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from html import escape
from pathlib import Path

from forecasts.common.text import printable
from forecasts.documents.charts import STYLES, Axis, Chart, Forest, ForestRow, Point, Series

Charts = tuple[Chart, ...]
Word = tuple[float, float, str, str]  # x and y, the text, its anchor

_LEFT, _TOP, _WIDTH, _RIGHT = 54.0, 12.0, 380.0, 16.0
_GAP, _LINE = 12.0, 19.0
_LEAST_RADIUS, _MOST_RADIUS, _RADIUS = 3.0, 11.0, 5.0
_FOREST_WIDTH, _FOREST_HEIGHT = 200.0, 20.0
# Legible on white paper with any colour vision; the same as in colours.css.
_PALETTE = {
    "curve": "#0072b2",
    "point": "#c64f00",
    "soft": "#56606d",
    "line": "#d8dde4",
    "bar": "#8d99a8",
    "second": "#00785a",
    "third": "#8a4f7d",
    "fourth": "#6b3fd4",
    "page": "#ffffff",
}


@cache
def colours() -> str:
    """Return the style sheet of the colours, light and dark, that ``css`` names."""
    return Path(__file__).with_name("templates").joinpath("colours.css").read_text(encoding="utf-8")


def css(
    colour: Callable[[str], str] = "var(--{})".format, styles: Iterable[str] = tuple(STYLES)
) -> str:
    """Return a CSS class for each style; ``colour`` gives the value for a colour's name."""
    rules = [f"text{{fill:{colour('soft')}}}"]
    for name in styles:
        style = STYLES[name]
        parts = [f"fill:{colour(style.fill) if style.fill else 'none'}"]
        if style.opacity != 1:
            parts.append(f"fill-opacity:{style.opacity:g}")
        if style.stroke:
            parts.append(f"stroke:{colour(style.stroke)};stroke-width:{style.width:g}")
        if style.dash:
            parts.append(f"stroke-dasharray:{' '.join(f'{dash:g}' for dash in style.dash)}")
        rules.append(f".{name}{{{';'.join(parts)}}}")
    return "\n".join(rules)


def inline(charts: Charts, title: str, id_: str) -> str:
    """Return charts as SVG for a page on which the element ``{id_}-words`` describes them."""
    width, height, shapes = _drawn(charts)
    return (
        f'<svg viewBox="0 0 {_n(width)} {_n(height)}" role="img" '
        f'aria-labelledby="{id_}-title {id_}-words">'
        f'<title id="{id_}-title">{_words(title)}</title>{shapes}</svg>'
    )


def picture(charts: Charts) -> str:
    """Return charts as SVG with its own colours."""
    return _picture(*_drawn(charts))


def sketch(chart: Chart, width: float = _WIDTH, words: Iterable[Word] = ()) -> str:
    """Return a chart without axis labels as SVG, for an ``img`` of a page in either scheme.

    The places of ``words`` are shares of the width and, from below, of the height.
    """
    height = width * chart.height / _WIDTH
    style = css(styles=sorted({"grid", *(series.style for series in chart.series)}))
    texts = "".join(_text((width * x, height * (1 - y)), *said) for x, y, *said in words)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}" height="{_n(height)}">'
        f"<style>{colours()}{style}\ntext{{font:13px system-ui,sans-serif}}"
        f"*{{vector-effect:non-scaling-stroke}}</style>{plot(chart, 0, 0, width)}{texts}</svg>"
    )


def medal(place: int) -> str:
    """Return the medal of the first, the second or the third as SVG, alike in either scheme."""
    colour = ("#e6b422", "#b4bcc4", "#c98a4b")[place - 1]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="20">'
        '<path d="M2 0h5l3 9-4 2zM14 0H9L6 9l4 2z" fill="#c64f00"/>'
        f'<circle cx="8" cy="13" r="6" fill="{colour}" stroke="#56606d" stroke-width="1.5"/>'
        "</svg>"
    )


def plot(chart: Chart, x: float, y: float, width: float) -> str:
    """Return a chart without axis labels and legend, at that place of a larger SVG.

    Lines keep their width where the picture's style has ``vector-effect: non-scaling-stroke``.
    """
    unlabelled = replace(
        chart,
        x=replace(chart.x, title="", labels=("",) * len(chart.x.ticks)),
        y=replace(chart.y, title="", labels=("",) * len(chart.y.ticks)),
    )
    height = width * chart.height / _WIDTH
    return (
        f'<svg x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" '
        f'viewBox="{_n(_LEFT)} 0 {_n(_WIDTH)} {_n(chart.height)}" overflow="visible">'
        f"{''.join(_plot(unlabelled, 0.0))}</svg>"
    )


def inline_row(forest: Forest, row: ForestRow) -> str:
    """Return one row of a forest plot as SVG for a page."""
    return (
        f'<svg viewBox="0 0 {_n(_FOREST_WIDTH)} {_n(_FOREST_HEIGHT)}" role="img" '
        f'aria-label="{_words(row.text)}">{_forest_row(forest, row)}</svg>'
    )


def picture_row(forest: Forest, row: ForestRow) -> str:
    """Return one row of a forest plot as SVG with its own colours."""
    return _picture(_FOREST_WIDTH, _FOREST_HEIGHT, _forest_row(forest, row))


def _picture(width: float, height: float, shapes: str) -> str:
    wide, high = _n(width), _n(height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" '
        f'height="{high}"><style>text{{font:12px "Libertinus Serif",serif}}\n'
        f"{css(_PALETTE.__getitem__)}</style>{shapes}</svg>"
    )


def _forest_row(forest: Forest, row: ForestRow) -> str:
    scale = (_FOREST_WIDTH - 12) / (forest.high - forest.low)
    middle, kind = _FOREST_HEIGHT / 2, "" if row.firm else "open-"

    def x_of(value: float) -> float:
        return 6 + scale * (value - forest.low)

    shapes = []
    if forest.reference is not None:
        x = x_of(forest.reference)
        shapes.append(_line("reference", (x, 0), (x, _FOREST_HEIGHT)))
    if row.interval is not None:
        low, high = map(x_of, row.interval)
        shapes.append(_line(f"{kind}interval", (low, middle), (high, middle)))
    shapes += [_circle(f"{kind}mean", (x_of(dot), middle), 4.5) for dot in row.dots]
    return "".join(shapes)


def _drawn(charts: Charts) -> tuple[float, float, str]:
    """Return width, height and shapes of charts one below the other on one horizontal axis."""
    shapes: list[str] = []
    top = _TOP
    for chart in charts:
        shapes += _plot(chart, top)
        top += chart.height + _GAP
    foot = top - _GAP
    x_axis = charts[-1].x
    for tick, label in zip(x_axis.ticks, x_axis.labels, strict=True):
        # The two ends of a time axis are long: they end where the axis ends.
        anchor = "middle"
        if x_axis.scale == "dates":
            anchor = "start" if tick == x_axis.low else "end"
        shapes.append(_text((_LEFT + _WIDTH * _share(x_axis, tick), foot + 17), label, anchor))
    if x_axis.title:
        shapes.append(_text((_LEFT + _WIDTH / 2, foot + 36), x_axis.title))
    bottom = foot + (44 if x_axis.title else 26)
    labelled = [series for chart in charts for series in chart.series if series.label]
    for place, series in enumerate(labelled):
        at = (_LEFT + _WIDTH / 2 * (place % 2), bottom + _LINE * (place // 2) + 9)
        shapes.append(_legend(series, at))
    bottom += _LINE * math.ceil(len(labelled) / 2)
    return _LEFT + _WIDTH + _RIGHT, bottom, "".join(shapes)


def _plot(chart: Chart, top: float) -> list[str]:
    """Return grid, axis and series of one chart, in the units of the view box."""
    left, foot, right = _LEFT, top + chart.height, _LEFT + _WIDTH

    def at(x: float, y: float) -> Point:
        share = _share(chart.y, y)
        return _LEFT + _WIDTH * _share(chart.x, x), top + chart.height * (1 - share)

    shapes = []
    for tick, label in zip(chart.y.ticks, chart.y.labels, strict=True):
        y = at(chart.x.low, tick)[1]
        shapes.append(_line("grid", (left, y), (right, y)))
        if label:
            shapes.append(_text((left - 7, y + 4), label, "end"))
    if chart.x.scale == "linear":
        for tick in chart.x.ticks:
            x = at(tick, chart.y.low)[0]
            shapes.append(_line("grid", (x, top), (x, foot)))
    if chart.y.title:
        shapes.append(
            f'<text transform="translate(12 {_n(top + chart.height / 2)}) rotate(-90)" '
            f'text-anchor="middle">{_words(chart.y.title)}</text>'
        )
    if chart.framed:
        shapes.append(_bar("frame", (left, top), (right, foot)))
    return [*shapes, *(shape for series in chart.series for shape in _series(series, chart, at))]


def _series(series: Series, chart: Chart, at: Callable[..., Point]) -> list[str]:
    """Return the shapes of one series; ``at`` gives the place of two values."""
    style, points, low = series.style, series.points, chart.y.low
    match series.shape:
        case "line":
            return [_path(style, [at(x, y) for x, y in points])]
        case "steps":
            corners = [
                corner
                for (_, before), (x, y) in zip([points[0], *points], points, strict=False)
                for corner in ((x, before), (x, y))
            ]
            return [_path(style, [at(*corner) for corner in corners])]
        case "band":
            edge = [(x, high) for x, _, high in points]
            edge += [(x, lowest) for x, lowest, _ in reversed(points)]
            return [_path(style, [at(*corner) for corner in edge], closed=True)]
        case "interval":
            return [_line(style, at(x, a), at(x, b)) for x, a, b in points]
        case "level":
            return [_line(style, at(chart.x.low, y), at(chart.x.high, y)) for (y,) in points]
        case "points":
            radii = [_radius(size) for size in series.sizes] or [_RADIUS] * len(points)
            return [
                _mark(style, at(*point), radius)
                for point, radius in zip(points, radii, strict=True)
            ]
        case "bars":
            return [_bar(style, at(a, high), at(b, low)) for a, b, high in points]


def _legend(series: Series, at: Point) -> str:
    """Return the entry of a series in the legend, left and middle ``at``."""
    x, y = at
    match series.shape:
        case "band":
            symbol = _bar(series.style, (x, y - 6), (x + 24, y + 6))
        case "points":
            symbol = _mark(series.style, (x + 12, y), 4)
        case _:
            symbol = _line(series.style, (x, y), (x + 24, y))
    return symbol + _text((x + 31, y + 4), series.label, "start")


def _share(axis: Axis, value: float) -> float:
    """Return how far along the axis a value lies, from 0 to 1."""
    low, high = axis.low, axis.high
    if axis.scale == "log":
        low, high, value = math.log10(low), math.log10(high), math.log10(value)
    return (value - low) / (high - low)


def _radius(size: float) -> float:
    return max(_LEAST_RADIUS, _MOST_RADIUS * math.sqrt(size))


def _element(name: str, style: str, **numbers: float) -> str:
    attributes = " ".join(f'{key}="{_n(number)}"' for key, number in numbers.items())
    return f'<{name} class="{style}" {attributes}/>'


def _line(style: str, start: Point, end: Point) -> str:
    return _element("line", style, x1=start[0], x2=end[0], y1=start[1], y2=end[1])


def _path(style: str, points: Sequence[Point], *, closed: bool = False) -> str:
    if not points:
        return ""
    steps = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
    return f'<path class="{style}" d="M{steps}{"Z" if closed else ""}"/>'


def _mark(style: str, at: Point, radius: float) -> str:
    """Return a circle, or a triangle that points as its style says."""
    if STYLES[style].mark == "circle":
        return _circle(style, at, radius)
    (x, y), tip = at, radius if STYLES[style].mark == "triangle-down" else -radius
    return _path(style, [(x - radius, y - tip), (x + radius, y - tip), (x, y + tip)], closed=True)


def _circle(style: str, at: Point, radius: float) -> str:
    return _element("circle", style, cx=at[0], cy=at[1], r=radius)


def _bar(style: str, corner: Point, opposite: Point) -> str:
    (x, y), (right, foot) = corner, opposite
    return _element("rect", style, x=x, y=y, width=right - x, height=foot - y)


def _text(at: Point, text: str, anchor: str = "middle") -> str:
    return f'<text x="{_n(at[0])}" y="{_n(at[1])}" text-anchor="{anchor}">{_words(text)}</text>'


def _words(text: str) -> str:
    return escape(printable(text))


def _n(value: float) -> str:
    """Return a coordinate to a tenth of a unit."""
    return f"{value:.1f}".removesuffix(".0")
