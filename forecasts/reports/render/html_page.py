"""What the HTML pages of reports and comparisons share: how their templates are read."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from forecasts.common.text import plain
from forecasts.reports.render.wording import tied

_TEMPLATES = Path(__file__).with_name("templates")


def _seen(value: object) -> object:
    """Return a text that is put into a page without the signs that act unseen."""
    # A Markup comes from the templates and the charts, which are not anyone's words.
    return plain(value) if type(value) is str else value


def page_template(path: Path, **known: ModuleType) -> Template:
    """Return the template at ``path``, which knows those modules by name and escapes every text.

    It may include what lies beside it, and the style and the head of reports.
    """
    environment = Environment(
        loader=FileSystemLoader([path.parent, _TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["tied"] = tied
    environment.globals |= known
    return environment.get_template(path.name)
