"""A chart as SVG, built up from a frame with two axes.

Drawn by hand rather than by a plotting library, so that it takes the page's colours in light, dark
and print (its shapes have classes and no colours), scales with its column, and costs no import.
``sheet`` gives it colours of its own, for a PDF.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

Point = tuple[float, float]

# On white paper, legible to any colour vision; the same as in report.css.
SHEET = """\
text{font:12px "Libertinus Serif",serif;fill:#56606d}
.grid{stroke:#d8dde4;stroke-width:1}
.frame{fill:none;stroke:#56606d;stroke-width:1}
.diagonal{stroke:#56606d;stroke-width:1.25;stroke-dasharray:5 4;fill:none}
.band{fill:#0072b2;fill-opacity:.17}
.curve{fill:none;stroke:#0072b2;stroke-width:2.25;stroke-linejoin:round}
.whisker{stroke:#c64f00;stroke-width:1.5}
.dot{fill:#ffffff;fill-opacity:.75;stroke:#c64f00;stroke-width:2}
.bar{fill:#8d99a8}
.reach{stroke:#0072b2;stroke-width:2.5}
.mean{fill:#0072b2}
.promised{fill:#ffffff;stroke:#c64f00;stroke-width:2}
.coin{stroke:#56606d;stroke-dasharray:2 2}
"""


@dataclass
class Chart:
    """A chart in the making, in the units of its view box.

    The plot lies at ``left``, ``top``, ``width`` by ``height``, and shows ``x`` and ``y``, each
    from its lowest to its highest value.
    """

    size: tuple[float, float]
    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float] = (0.0, 1.0)
    y: tuple[float, float] = (0.0, 1.0)
    shapes: list[str] = field(default_factory=list)

    def x_of(self, value: float) -> float:
        """Return where a value of the horizontal axis stands."""
        return self.left + self.width * (value - self.x[0]) / (self.x[1] - self.x[0])

    def y_of(self, value: float) -> float:
        """Return where a value of the vertical axis stands."""
        return self.top + self.height * (1 - (value - self.y[0]) / (self.y[1] - self.y[0]))

    def line(self, kind: str, start: Point, end: Point) -> None:
        """Draw a line between two places of the view box."""
        self.shapes.append(
            f'<line class="{kind}" x1="{_n(start[0])}" x2="{_n(end[0])}" '
            f'y1="{_n(start[1])}" y2="{_n(end[1])}"/>'
        )

    def path(self, kind: str, points: Iterable[Point], *, closed: bool = False) -> None:
        """Draw a path through values of the axes."""
        steps = [f"{_n(self.x_of(x))} {_n(self.y_of(y))}" for x, y in points]
        if steps:
            d = f"M{'L'.join(steps)}{'Z' if closed else ''}"
            self.shapes.append(f'<path class="{kind}" d="{d}"/>')

    def circle(self, kind: str, x: float, y: float, radius: float) -> None:
        """Draw a circle about values of the axes."""
        self.shapes.append(
            f'<circle class="{kind}" cx="{_n(self.x_of(x))}" cy="{_n(self.y_of(y))}" '
            f'r="{_n(radius)}"/>'
        )

    def rectangle(self, kind: str, x: float, y: float, width: float, height: float) -> None:
        """Draw a rectangle in the view box."""
        self.shapes.append(
            f'<rect class="{kind}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" '
            f'height="{_n(height)}"/>'
        )

    def text(self, x: float, y: float, words: str, anchor: str = "middle") -> None:
        """Write words at a place of the view box."""
        self.shapes.append(
            f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">{escape(words)}</text>'
        )

    def axis_title(self, words: str, *, below: float | None = None) -> None:
        """Write what an axis shows: ``below`` the plot at that height, else beside it."""
        if below is not None:
            self.text(self.left + self.width / 2, below, words)
            return
        middle = self.top + self.height / 2
        self.shapes.append(
            f'<text transform="translate(12 {_n(middle)}) rotate(-90)" text-anchor="middle">'
            f"{escape(words)}</text>"
        )

    def rows(self, ticks: Sequence[float], said: Callable[[float], str]) -> None:
        """Draw a horizontal line at each of these values, and write it beside."""
        for tick in ticks:
            y = self.y_of(tick)
            self.line("grid", (self.left, y), (self.left + self.width, y))
            self.text(self.left - 7, y + 4, said(tick), "end")

    def columns(
        self, ticks: Sequence[float], said: Callable[[float], str], *, below: float
    ) -> None:
        """Draw a vertical line at each of these values, and write it ``below``."""
        for tick in ticks:
            x = self.x_of(tick)
            self.line("grid", (x, self.top), (x, self.top + self.height))
            self.text(x, below, said(tick))

    def markup(self, title: str, id_: str) -> str:
        """Return the SVG for a page, whose element ``{id_}-words`` says in words what it shows."""
        return (
            f'<svg viewBox="0 0 {_n(self.size[0])} {_n(self.size[1])}" role="img" '
            f'aria-labelledby="{id_}-title {id_}-words">'
            f'<title id="{id_}-title">{escape(title)}</title>{"".join(self.shapes)}</svg>'
        )

    def sheet(self) -> str:
        """Return the SVG as a picture by itself, with colours for white paper."""
        width, height = (_n(side) for side in self.size)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}"><style>{SHEET}</style>{"".join(self.shapes)}</svg>'
        )


def _n(value: float) -> str:
    """Return a coordinate to a tenth of a unit."""
    return f"{value:.1f}".removesuffix(".0")
