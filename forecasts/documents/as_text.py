"""A document for a terminal: compact tables, no colours."""

from __future__ import annotations

import io
import textwrap

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from forecasts.common.text import on_one_line, printable
from forecasts.documents.document import (
    HOW_WE_KNOW,
    IN_SIGHT,
    Block,
    Bullets,
    Document,
    Facts,
    Figure,
    Quote,
    Section,
    Table,
    on_two_lines,
)

_LEAST_WIDTH, _MOST_WIDTH = 60, 110
_GAP = 2  # between columns
_NAME, _SHORTEST = 24, 12  # the longest name kept on one line; the shortest line of a broken one


def as_text(document: Document, *, width: int = 100) -> str:
    """Return the document as lines of at most ``width`` characters.

    Of several sections with a summary, the summaries stand for their tables and figures.
    """
    width = max(_LEAST_WIDTH, min(width, _MOST_WIDTH))
    brief = sum(bool(section.summary) for section in document.sections) > 1
    parts = [
        "\n".join(filter(None, [_wrapped(document.title, width), _wrapped(document.scope, width)]))
    ]
    for section in document.sections:
        head = _head(section, width, brief=brief)
        if brief and section.summary:
            parts.append(head)
            continue
        blocks = [part for block in section.blocks for part in _block(block, width)]
        if section.basis:
            blocks.append(HOW_WE_KNOW)
            blocks += [part for block in section.basis for part in _block(block, width)]
        if section.title and not section.findings and blocks:
            head, blocks = f"{head}\n{blocks[0]}", blocks[1:]
        parts += [head, *blocks]
    last = [*(term.whole for term in document.key_terms), *document.notes]
    if len(document.terms) > len(document.key_terms):
        last.append("The other terms are explained in the report as HTML, PDF or Markdown.")
    parts.append("\n".join(_wrapped(text, width) for text in last))
    parts.append(_wrapped(document.footer, width))
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(section: Section, width: int, *, brief: bool) -> str:
    lines = [on_one_line(section.title)] if section.title else []
    texts = [text for one in section.findings for text in (one.text, one.detail) if text]
    if brief:
        texts += section.summary
    indent = "  " if section.title else ""
    return "\n".join([*lines, *(_wrapped(text, width, indent) for text in texts)])


def _block(block: Block, width: int) -> list[str]:
    match block:
        case Table():
            return [_table(block, width)]
        case Figure():
            table = [_table(block.table, width)] if block.listed and block.table else []
            return [f"{on_one_line(block.title)}\n{_wrapped(block.caption, width)}", *table]
        case str():
            return [_wrapped(block, width)]
        case Facts():
            rows = zip(block.rows, block.addresses, strict=True)
            lines = [f"{name}: {_linked(value, link)}" for (name, value), link in rows]
            return ["\n".join(_wrapped(line, width) for line in lines)]
        case Quote():
            lines = printable(block.text).strip().splitlines()
            return ["\n".join(_wrapped(line, width, "  ") for line in lines)]
        case Bullets():
            return ["\n".join(_wrapped(item, width) for item in block.items)]
        case _:
            return [part for one in block.blocks for part in _block(one, width)]


def _linked(text: str, link: str) -> str:
    return f"{text} ({link})" if link and link != text else text


def _table(table: Table, width: int) -> str:
    shown, left_out = _fitting(table, width)
    drawn = RichTable(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for place in shown:
        heading = on_one_line(table.head[place])
        if place < table.text_columns:
            least = _least(table, place, _SHORTEST) if place == 0 else None
            drawn.add_column(heading, overflow="fold", vertical="bottom", min_width=least)
        else:
            drawn.add_column(
                on_two_lines(heading), justify="right", vertical="bottom", no_wrap=True
            )
    for row in table.rows:
        drawn.add_row(*(Text(on_one_line(row[place])) for place in shown))
    text = io.StringIO()
    Console(file=text, width=width, color_system=None, markup=False, highlight=False).print(drawn)
    lines = [line.rstrip() for line in text.getvalue().rstrip().split("\n")]
    notes = [table.note, f"Left out here: {'; '.join(left_out)}." if left_out else ""]
    note = _wrapped(" ".join(filter(None, notes)), width)
    return "\n".join(part for part in (on_one_line(table.caption), *lines, note) if part)


def _fitting(table: Table, width: int) -> tuple[list[int], list[str]]:
    """Return the columns that fit the width, none of them cut, and the headings of the others.

    Optional columns are left out until ``IN_SIGHT`` are left and names of up to ``_NAME``
    characters stay on one line. Then names are broken, and columns of numbers are left out from the
    right.
    """
    shown, left_out = list(range(len(table.head))), []
    optional = [table.head.index(name) for name in table.optional if name in table.head]
    others = [place for place in reversed(shown[table.text_columns :]) if place not in optional]
    for go, most, columns in (
        (optional, _NAME, IN_SIGHT),
        (others[:-1], _SHORTEST, len(shown)),
    ):
        for place in go:
            needed = sum(_least(table, one, most) + _GAP for one in shown) - _GAP
            if needed <= width and len(shown) <= columns:
                break
            shown.remove(place)
            left_out.append(table.head[place])
    return shown, left_out


def _least(table: Table, place: int, most: int) -> int:
    """Return the width that a column needs: of words, no more than ``most``; of numbers, all."""
    is_words = place < table.text_columns
    heading = on_one_line(table.head[place])
    heading = heading if is_words else on_two_lines(heading)
    cells = [*heading.split("\n"), *(on_one_line(row[place]) for row in table.rows)]
    widest = max(map(cell_len, cells))
    return min(widest, most) if is_words else widest


def _wrapped(text: str, width: int, indent: str = "") -> str:
    return textwrap.fill(
        printable(text),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
