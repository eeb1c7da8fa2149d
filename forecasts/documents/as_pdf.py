"""A document as a PDF, ready to be printed or sent.

Typst sets a template, which reads the document as JSON, so that nobody's words are read as markup.
The fonts are those in the typst wheel and no clock is read, so that a document always gives the
same bytes. The machine's fonts are used only for characters that those lack, such as Chinese ones.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from forecasts.common.text import printable
from forecasts.documents import svg
from forecasts.documents.document import (
    HOW_WE_KNOW,
    IN_SIGHT,
    Document,
    Figure,
    Table,
    Term,
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

    more = {"footer": printable(document.footer), "how_we_know": HOW_WE_KNOW}
    data = _plain(document) | more
    text = json.dumps(data, ensure_ascii=False)
    made: bytes = typst.compile(
        _TEMPLATE,
        root=_TEMPLATE.parent,
        ignore_system_fonts=max(map(ord, text)) < _COVERED,
        font_paths=[],
        sys_inputs={"data": text},
        timestamp=0,
    )
    return made


def _plain(value: Any) -> Any:
    """Return a part of a document as the template reads it: each with the name of its kind.

    Charts are pictures, and no text has invisible control characters.
    """
    match value:
        case str():
            return printable(value)
        case tuple():
            return [_plain(one) for one in value]
        case Table():
            plot = value.plot if len(value.head) <= _MOST_BESIDE_A_PLOT else None
            drawn = plot and [
                "" if row is None else svg.picture_row(plot, row) for row in plot.rows
            ]
            words, kept = value.text_columns, _in_sight(value)
            head = [
                value.head[place] if place < words else on_two_lines(value.head[place])
                for place in kept
            ]
            rows = [[row[place] for place in kept] for row in value.rows]
            return _named(
                value,
                head=_plain(tuple(head)),
                rows=_plain(tuple(map(tuple, rows))),
                text_columns=sum(place < words for place in kept),
                plot=drawn,
            )
        case Figure():
            table = _plain(value.table) if value.listed else None
            return _named(value, table=table, charts=svg.picture(value.charts))
        case Term():
            return {"title": printable(value.title), "meaning": printable(value.meaning)}
        case _ if is_dataclass(value):
            return _named(value)
    return value


def _in_sight(table: Table) -> list[int]:
    """Return the places of the columns that fit the paper, without some of the optional ones."""
    kept = list(range(len(table.head)))
    for name in table.optional if len(kept) > _MOST_BESIDE_A_PLOT else ():
        if name in table.head and len(kept) > IN_SIGHT:
            kept.remove(table.head.index(name))
    return kept


def _named(value: Any, **instead: Any) -> dict[str, Any]:
    """Return the fields of a part by name, ``instead`` in place of some."""
    others = (field.name for field in fields(value) if field.name not in instead)
    plain = {name: _plain(getattr(value, name)) for name in others}
    return {"kind": type(value).__name__, **plain, **instead}
