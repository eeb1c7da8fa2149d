"""A document as one HTML page: no script, no network, light and dark, printable."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from forecasts.common.text import printable
from forecasts.documents import svg
from forecasts.documents.document import HOW_WE_KNOW, Document, Table

if TYPE_CHECKING:
    from jinja2 import Environment, Template

_TEMPLATES = Path(__file__).with_name("templates")
_WIDE = 50  # characters; on a phone, a wider table becomes a card for each row


def as_html(document: Document) -> str:
    """Return the page. Every text is escaped: names are members' words."""
    return _template().render(document=document)


def _is_wide(table: Table) -> bool:
    columns = zip(table.head, *table.rows, strict=True)
    # A heading may break between its words.
    widths = (max(map(len, [*head.split(), *cells]), default=0) for head, *cells in columns)
    return table.plot is not None or sum(widths) > _WIDE


def _visible(value: object) -> object:
    """Return a text that is put into the page without invisible control characters."""
    # A Markup comes from the template and the charts, which hold no member's words.
    return printable(value) if type(value) is str else value


@cache
def _template() -> Template:
    return environment().get_template("document.html")


def environment(*folders: Path) -> Environment:
    """Return the environment of pages that look like a document; ``folders`` have their templates.

    All text is escaped. ``blocks.html`` draws the blocks of a document, ``document.css`` styles
    them.
    """
    # Imported here: jinja2 takes time, and only HTML needs it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader([_TEMPLATES, *folders]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    kind = {"kind_of": lambda block: type(block).__name__}
    made.globals |= {"svg": svg, "is_wide": _is_wide, "how_we_know": HOW_WE_KNOW, **kind}
    return made
