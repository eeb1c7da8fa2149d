"""A document: the sections, tables and figures that every format shows.

``report_document`` makes one of a report, ``comparison.document`` one of a comparison, and
``as_text``, ``as_html``, ``as_pdf`` and ``as_markdown`` each write any of them. All strings are
plain text, with members' words in them: a writer escapes whatever its format would act on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from forecasts.reports.render.charts import Chart, Forest
from forecasts.reports.render.glossary import Statistic

Row = TypeVar("Row")
Columns = Mapping[str, Callable[[Row], str]]


@dataclass(frozen=True)
class Table:
    """A table of texts. The first ``text_columns`` hold words, the others numbers.

    ``note`` is a sentence on how to read it. ``optional`` names the headings left out where room is
    short, in this order. ``plot`` adds a forest plot with a row for each row, under
    ``plot_heading``. ``links`` lead from the rows to the sections with these numbers. ``tiles``:
    the rows (name, value, detail) may be shown as tiles.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int = 1
    note: str = ""
    optional: tuple[str, ...] = ()
    plot: Forest | None = None
    plot_heading: str = ""
    links: tuple[int, ...] = ()
    tiles: bool = False


def table_of(caption: str, rows: Iterable[Row], columns: Columns[Row], **how: Any) -> Table:
    """Return a table with these columns: each heading with a function from a row to its text."""
    cells = (tuple(column(row) for column in columns.values()) for row in rows)
    return Table(caption, tuple(columns), tuple(cells), **how)


@dataclass(frozen=True)
class Figure:
    """Charts one below the other, with a caption that says in words what they show.

    ``alt`` names the picture. ``table`` has its numbers, and is listed in formats that cannot fold
    it only if ``listed``.
    """

    title: str
    alt: str
    caption: str
    charts: tuple[Chart, ...]
    table: Table
    listed: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Beside:
    """Two blocks side by side where there is room."""

    blocks: tuple[Table | Figure, ...]


Block = str | Table | Figure | Bullets | Beside


@dataclass(frozen=True)
class Finding:
    """A sentence that stands out. ``sign`` marks its tone for those who see no colour."""

    text: str
    tone: Literal["good", "fault", "neutral"] = "neutral"
    sign: str = ""


@dataclass(frozen=True)
class Section:
    """A section of a document. ``summary``: what a terminal shows of it among several like it."""

    title: str
    findings: tuple[Finding, ...] = ()
    blocks: tuple[Block, ...] = ()
    summary: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """A whole document. ``scope`` says which questions and forecasts it is about.

    ``key_terms`` are the ``terms`` that even a short document explains. ``about`` says how it was
    made: engine, protocol, cohort, time and input.
    """

    title: str
    scope: str
    sections: tuple[Section, ...]
    notes: tuple[str, ...]
    terms: tuple[Statistic, ...]
    key_terms: tuple[Statistic, ...]
    about: tuple[tuple[str, str], ...]

    @property
    def footer(self) -> str:
        """``about`` in one line."""
        return " · ".join(f"{name} {value}" for name, value in self.about)


_LONG_HEADING = 10


def on_two_lines(heading: str) -> str:
    """Return a heading of more than 10 characters on two lines, as even as its words allow.

    >>> on_two_lines("Share of time").splitlines()
    ['Share', 'of time']
    """
    words = heading.split()
    if len(heading) <= _LONG_HEADING or len(words) < 2:
        return heading
    breaks = [(" ".join(words[:k]), " ".join(words[k:])) for k in range(1, len(words))]
    return "\n".join(min(breaks, key=lambda two: max(map(len, two))))
