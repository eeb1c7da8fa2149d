"""A document as Markdown (GitHub's tables), with members' words escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from forecasts.common.text import on_one_line, printable
from forecasts.documents.document import (
    HOW_WE_KNOW,
    Block,
    Bullets,
    Document,
    Facts,
    Figure,
    Quote,
    Table,
)

_MARKUP = re.compile(
    r"[\\`*_{}\[\]<>#|~&!@$^]"  # emphasis, code, links, HTML, tables, entities, mentions, LaTeX
    r"|:(?=//)|(?<=www)\."  # the beginning of a bare address
    r"|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]"  # lists and underlines, at the start of a line
)
# GitHub replaces emoji names after it has read the Markdown, so an escape does not help.
_EMOJI = re.compile(r"(?<!\d):(?=[\w+-]+:)")  # and not a time of day
_IN_ADDRESS = "%/:?#[]@!$&'()*+,;=~"
_JOINER = "\u2060"  # invisible, and not a letter


def as_markdown(document: Document) -> str:
    """Return the document as Markdown: every section with its findings and blocks, and notes."""
    parts = [f"# {escaped(document.title)}", escaped(document.scope)]
    for section in document.sections:
        if section.title:
            parts.append(f"## {escaped(section.title)}")
        for finding in section.findings:
            parts += [f"**{escaped(finding.text)}**", escaped(finding.detail)]
        parts += [part for block in section.blocks for part in _block(block)]
        if section.basis:
            basis = [part for block in section.basis for part in _block(block)]
            parts += [f"### {HOW_WE_KNOW}", *basis]
    if document.notes:
        parts += ["## Notes", _bullets(document.notes)]
    if document.terms:
        terms = (f"- **{escaped(term.title)}**: {escaped(term.meaning)}" for term in document.terms)
        parts += ["## Terms", "\n".join(terms)]
    return "\n\n".join(filter(None, [*parts, escaped(document.footer)])) + "\n"


def _block(block: Block) -> list[str]:
    match block:
        case Table():
            return _table(block)
        case Figure():
            table = _table(block.table) if block.listed and block.table else []
            return [f"### {escaped(block.title)}", escaped(block.caption), *table]
        case str():
            return [escaped(block)]
        case Facts():
            rows = zip(block.rows, block.addresses, strict=True)
            lines = (f"- {escaped(name)}: {_linked(value, link)}" for (name, value), link in rows)
            return ["\n".join(lines)]
        case Quote():
            # Every line is quoted, so that nobody's words end their quotation.
            said = printable(block.text).strip().splitlines()
            return ["\n".join(f"> {escaped(line)}".rstrip() for line in said)]
        case Bullets():
            return [_bullets(block.items)]
        case _:
            return [part for one in block.blocks for part in _block(one)]


def _table(table: Table) -> list[str]:
    numbers = len(table.head) - table.text_columns
    rule = [":--"] * table.text_columns + ["--:"] * numbers
    head = [escaped(cell) for cell in table.head]
    rows = [
        [_linked(first, link), *map(escaped, cells)]
        for (first, *cells), link in zip(table.rows, table.addresses, strict=True)
    ]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))
    caption = [f"### {escaped(table.caption)}"] if table.caption else []
    return [*caption, lines, *([escaped(table.note)] if table.note else [])]


def _bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {escaped(item)}" for item in items)


def _linked(text: str, link: str) -> str:
    """Return the text as a link, if the address leads to another page."""
    if not link or link.startswith("#"):
        return escaped(text)
    return f"[{escaped(text)}](<{quote(link, safe=_IN_ADDRESS)}>)"


def escaped(text: str) -> str:
    """Return ``text`` on one line, with every character escaped that Markdown reads as markup.

    Control characters are dropped: in a printed file they would control the terminal.
    """
    line = _EMOJI.sub(":" + _JOINER, on_one_line(text))
    return _MARKUP.sub(lambda found: "\\" + found[0], line)
