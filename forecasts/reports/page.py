"""What the HTML pages of reports and comparisons share: how their templates are read."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from forecasts.reports.wording import tied

_TEMPLATES = Path(__file__).with_name("templates")


def page_template(path: Path, **known: ModuleType) -> Template:
    """Return the template at ``path``, which knows those modules by name and escapes every text.

    It may include what lies beside it, and the style and the head of reports.
    """
    environment = Environment(
        loader=FileSystemLoader([path.parent, _TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["tied"] = tied
    environment.globals |= known
    return environment.get_template(path.name)
