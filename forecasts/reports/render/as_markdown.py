"""A document as Markdown (GitHub's tables), with members' words escaped."""

from __future__ import annotations

import re

from forecasts.common.text import on_one_line
from forecasts.reports.render.document import Block, Bullets, Document, Figure, Table

_MARKUP = re.compile(
    r"[\\`*_{}\[\]<>#|~&!@$^]"  # emphasis, code, links, HTML, tables, entities, mentions, LaTeX
    r"|:(?=//)|(?<=www)\."  # the beginning of a bare address
    r"|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]"  # lists and underlines, at the start of a line
)
# GitHub replaces emoji names after it has read the Markdown, so an escape does not help.
_EMOJI = re.compile(r"(?<!\d):(?=[\w+-]+:)")  # and not a time of day
_JOINER = "\u2060"  # invisible, and not a letter


def as_markdown(document: Document) -> str:
    """Return the document as Markdown: every section with its findings and tables, and notes."""
    parts = [f"# {document.title}", escaped(document.scope)]
    for section in document.sections:
        if section.title:
            parts.append(f"## {escaped(section.title)}")
        parts += [f"**{escaped(finding.text)}**" for finding in section.findings]
        parts += [part for block in section.blocks for part in _block(block)]
    if document.notes:
        parts += ["## Notes", _bullets(document.notes)]
    terms = (f"- **{term.title}**: {escaped(term.sentence)}" for term in document.terms)
    parts += ["## Terms", "\n".join(terms), escaped(document.footer)]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> list[str]:
    match block:
        case Table():
            return _table(block)
        case Figure():
            table = _table(block.table) if block.listed else []
            return [f"### {escaped(block.title)}", escaped(block.caption), *table]
        case str():
            return [escaped(block)]
        case Bullets():
            return [_bullets(block.items)]
        case _:
            return [part for one in block.blocks for part in _block(one)]


def _table(table: Table) -> list[str]:
    numbers = len(table.head) - table.text_columns
    rule = [":--"] * table.text_columns + ["--:"] * numbers
    head, *rows = ([escaped(cell) for cell in row] for row in (table.head, *table.rows))
    lines = "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))
    caption = [f"### {escaped(table.caption)}"] if table.caption else []
    return [*caption, lines, *([escaped(table.note)] if table.note else [])]


def _bullets(items: tuple[str, ...]) -> str:
    return "\n".join(f"- {escaped(item)}" for item in items)


def escaped(text: str) -> str:
    """Return ``text`` on one line, with every character escaped that Markdown reads as markup.

    Control characters are dropped: in a printed file they would control the terminal.
    """
    line = _EMOJI.sub(":" + _JOINER, on_one_line(text))
    return _MARKUP.sub(lambda found: "\\" + found[0], line)
