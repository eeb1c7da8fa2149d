"""A document: the sections, facts, tables and figures that every format shows.

All strings are plain text, with members' words in them: a writer escapes whatever its format would
act on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from forecasts.documents.charts import Chart, Forest

HOW_WE_KNOW = "How we know"  # the heading of the basis of a section
IN_SIGHT = 7  # columns, beyond which a table is hard to read

Row = TypeVar("Row")
Columns = Mapping[str, Callable[[Row], str]]


@dataclass(frozen=True)
class Term:
    """A word of the field: its ``title``, its meaning in one ``sentence``, an ``example``.

    ``page`` is its page in docs, and ``name`` its anchor in a document.
    """

    title: str
    sentence: str
    page: str = ""
    example: str = ""
    name: str = ""

    @property
    def meaning(self) -> str:
        """The sentence with the example."""
        return f"{self.sentence} Example: {self.example}" if self.example else self.sentence

    @property
    def whole(self) -> str:
        """The title with the meaning."""
        return f"{self.title}: {self.meaning}"

    @property
    def help(self) -> str:
        """The meaning alone, as the help beside the title."""
        return self.meaning[0].upper() + self.meaning[1:]


@dataclass(frozen=True)
class Table:
    """A table of texts. The first ``text_columns`` hold words, the others numbers.

    ``note`` is a sentence on how to read it. ``optional`` names the headings left out where room is
    short, in this order: a terminal shows at most ``IN_SIGHT`` columns if it can leave some out,
    and a page folds them all in a wider table. ``plot`` adds a forest plot with a row for each row,
    under ``plot_heading``. ``links`` are the addresses of the rows, in a page also ``#group-2`` for
    the second titled section. ``tiles``: the rows (name, value, detail) may be shown as tiles.
    ``terms`` explain the optional columns, where a page folds them, ``term`` the table, and
    ``helps`` each row.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int = 1
    note: str = ""
    optional: tuple[str, ...] = ()
    plot: Forest | None = None
    plot_heading: str = ""
    links: tuple[str, ...] = ()
    tiles: bool = False
    terms: tuple[Term, ...] = ()
    term: Term | None = None
    helps: tuple[Term | None, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The address of each row, or ''."""
        return self.links or ("",) * len(self.rows)

    @property
    def in_words(self) -> tuple[str, ...]:
        """Each row in words: every heading with its cell."""
        return tuple(
            "; ".join(f"{name}: {cell}" for name, cell in zip(self.head, row, strict=True))
            for row in self.rows
        )

    def thinned(self, every: int) -> Table:
        """Return the table with one of ``every`` rows, and the last."""
        last = len(self.rows) - 1
        kept = (row for at, row in enumerate(self.rows) if at % every == 0 or at == last)
        return replace(self, rows=tuple(kept))


def table_of(caption: str, rows: Iterable[Row], columns: Columns[Row], **how: Any) -> Table:
    """Return a table with these columns: each heading with a function from a row to its text."""
    cells = (tuple(column(row) for column in columns.values()) for row in rows)
    return Table(caption, tuple(columns), tuple(cells), **how)


@dataclass(frozen=True)
class Figure:
    """Charts one below the other, with a caption that says in words what they show.

    ``alt`` names the picture. ``table`` has its numbers, and is listed in formats that cannot fold
    it only if ``listed``. ``term`` explains it.
    """

    title: str
    alt: str
    caption: str
    charts: tuple[Chart, ...]
    table: Table | None = None
    listed: bool = False
    term: Term | None = None


@dataclass(frozen=True)
class Facts:
    """Names with their values, and for each an address, or '' for none."""

    rows: tuple[tuple[str, str], ...]
    links: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The address of each value, or ''."""
        return self.links or ("",) * len(self.rows)


@dataclass(frozen=True)
class Quote:
    """Someone's own words, which keep their line ends."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Beside:
    """Blocks side by side where there is room."""

    blocks: tuple[Table | Figure, ...]


Tone = Literal["good", "fault", "neutral"]
Block = str | Table | Figure | Facts | Quote | Bullets | Beside


@dataclass(frozen=True)
class Finding:
    """A sentence that stands out, and a line of ``detail`` below it.

    ``sign`` marks its tone for those who see no colour.
    """

    text: str
    tone: Tone = "neutral"
    sign: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Section:
    """A section of a document.

    ``basis``: the blocks for a reader who asks how it is known, folded on a page and after a page
    break on paper. ``summary``: what a terminal shows of it among several like it.
    """

    title: str
    findings: tuple[Finding, ...] = ()
    blocks: tuple[Block, ...] = ()
    summary: tuple[str, ...] = ()
    basis: tuple[Block, ...] = ()


@dataclass(frozen=True)
class Document:
    """A whole document. ``scope``: its subject, in sentences.

    ``key_terms`` are the ``terms`` that even a short document explains. ``about`` says how it was
    made, as names and values.
    """

    title: str
    sections: tuple[Section, ...]
    scope: str = ""
    notes: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()
    key_terms: tuple[Term, ...] = ()
    about: tuple[tuple[str, str], ...] = ()

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
