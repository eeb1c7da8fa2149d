"""A document as a PDF, ready to be printed or sent.

Typst sets a template, which reads the document as JSON, so that nobody's words are read as markup.
The fonts are those in the typst wheel and no clock is read, so that a document always gives the
same bytes. The machine's fonts are used only for characters that those lack, such as Chinese ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from forecasts.common.text import printable
from forecasts.documents import svg
from forecasts.documents.document import (
    Block,
    Bullets,
    Document,
    Facts,
    Figure,
    Quote,
    Table,
    on_two_lines,
)

_TEMPLATE = Path(__file__).with_name("templates") / "document.typ"
_MOST_BESIDE_A_PLOT = 8  # columns; the paper has no room for more
# The wheel's fonts have the scripts below; East Asian ones and emoji are above.
_COVERED = 0x2E80


def as_pdf(document: Document) -> bytes:
    """Return the PDF."""
    # Imported here: typst takes 50 MB and only a PDF needs it.
    import typst

    data = {
        "title": document.title,
        "scope": document.scope,
        "sections": [
            {
                "title": section.title,
                "findings": [asdict(finding) for finding in section.findings],
                "blocks": [_block(block) for block in section.blocks],
            }
            for section in document.sections
        ],
        "notes": document.notes,
        "terms": [{"title": term.title, "sentence": term.sentence} for term in document.terms],
        "footer": document.footer,
    }
    text = json.dumps(_printable(data), ensure_ascii=False)
    made: bytes = typst.compile(
        _TEMPLATE,
        root=_TEMPLATE.parent,
        ignore_system_fonts=max(map(ord, text)) < _COVERED,
        font_paths=[],
        sys_inputs={"data": text},
        timestamp=0,
    )
    return made


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Table():
            return _table(block)
        case Figure():
            return {
                "kind": "figure",
                "title": block.title,
                "caption": block.caption,
                "picture": svg.picture(block.charts),
                "table": _table(block.table) if block.listed and block.table else None,
            }
        case str():
            return {"kind": "paragraph", "text": block}
        case Facts():
            return {"kind": "facts", "rows": block.rows}
        case Quote():
            return {"kind": "quote", "text": block.text.strip()}
        case Bullets():
            return {"kind": "bullets", "items": [asdict(item) for item in block.entries]}
        case _:
            return {"kind": "beside", "blocks": [_block(one) for one in block.blocks]}


def _table(table: Table) -> dict[str, Any]:
    plot = table.plot if len(table.head) <= _MOST_BESIDE_A_PLOT else None
    return {
        "kind": "table",
        "caption": table.caption,
        "head": [
            name if place < table.text_columns else on_two_lines(name)
            for place, name in enumerate(table.head)
        ],
        "rows": table.rows,
        "text_columns": table.text_columns,
        "note": table.note,
        "plot_heading": table.plot_heading,
        "plot": None
        if plot is None
        else ["" if row is None else svg.picture_row(plot, row) for row in plot.rows],
    }


def _printable(data: Any) -> Any:
    """Return the same data, every text in it without invisible control characters."""
    if isinstance(data, Mapping):
        return {name: _printable(item) for name, item in data.items()}
    if isinstance(data, list | tuple):
        return [_printable(item) for item in data]
    return printable(data) if isinstance(data, str) else data
