"""A document for a terminal: compact tables, no colours."""

from __future__ import annotations

import io
import textwrap

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from forecasts.common.text import on_one_line, printable
from forecasts.reports.render.document import (
    Block,
    Bullets,
    Document,
    Figure,
    Section,
    Table,
    on_two_lines,
)

_LEAST_WIDTH, _MOST_WIDTH = 60, 110


def as_text(document: Document, *, width: int = 100) -> str:
    """Return the document as lines of at most ``width`` characters.

    Of several sections with a summary, the summaries stand for their tables and figures.
    """
    width = max(_LEAST_WIDTH, min(width, _MOST_WIDTH))
    brief = sum(bool(section.summary) for section in document.sections) > 1
    parts = [f"{document.title}\n{_wrapped(document.scope, width)}"]
    for section in document.sections:
        head = _head(section, width, brief=brief)
        shown = () if brief and section.summary else section.blocks
        blocks = [part for block in shown for part in _block(block, width)]
        if section.title and not section.findings and blocks:
            head, blocks = f"{head}\n{blocks[0]}", blocks[1:]
        parts += [head, *blocks]
    last = [*(term.whole for term in document.key_terms), *document.notes]
    parts.append("\n".join(_wrapped(text, width) for text in last))
    parts.append(_wrapped(document.footer, width))
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(section: Section, width: int, *, brief: bool) -> str:
    lines = [section.title] if section.title else []
    texts = [finding.text for finding in section.findings]
    if brief:
        texts += section.summary
    indent = "  " if section.title else ""
    return "\n".join([*lines, *(_wrapped(text, width, indent) for text in texts)])


def _block(block: Block, width: int) -> list[str]:
    match block:
        case Table():
            return [_table(block, width)]
        case Figure():
            table = [_table(block.table, width)] if block.listed else []
            return [f"{block.title}\n{_wrapped(block.caption, width)}", *table]
        case str():
            return [_wrapped(block, width)]
        case Bullets():
            return ["\n".join(_wrapped(item, width) for item in block.items)]
        case _:
            return [part for one in block.blocks for part in _block(one, width)]


def _table(table: Table, width: int) -> str:
    drawn = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    shown = [name not in table.optional for name in table.head]
    for place, heading in enumerate(table.head):
        if not shown[place]:
            continue
        if place < table.text_columns:
            least = 12 if place == 0 else None
            drawn.add_column(heading, overflow="fold", vertical="bottom", min_width=least)
        else:
            drawn.add_column(
                on_two_lines(heading), justify="right", vertical="bottom", no_wrap=True
            )
    for row in table.rows:
        cells = zip(row, shown, strict=True)
        drawn.add_row(*(Text(on_one_line(cell)) for cell, is_shown in cells if is_shown))
    text = io.StringIO()
    Console(file=text, width=width, color_system=None, markup=False, highlight=False).print(drawn)
    lines = [line.rstrip() for line in text.getvalue().rstrip().split("\n")]
    caption, note = table.caption, table.note and _wrapped(table.note, width)
    return "\n".join(part for part in (caption, *lines, note) if part)


def _wrapped(text: str, width: int, indent: str = "") -> str:
    return textwrap.fill(
        printable(text),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
