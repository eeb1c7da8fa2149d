"""PDF from data: typst sets a template, and is handed everything that anybody wrote as JSON.

So nobody's words are ever read as markup. The fonts are those inside the typst wheel and no clock
is read, so that the same data give the same bytes. Only for signs that those fonts lack, such as
Chinese ones, are the machine's fonts used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forecasts.common.text import plain

# The scripts that the wheel's fonts have lie below; above are those of East Asia, and emoji.
_COVERED = 0x2E80


def typeset(template: Path, data: Mapping[str, Any]) -> bytes:
    """Return the PDF that ``template`` makes of ``data``, which it reads from ``sys.inputs.data``.

    The template may import others inside ``reports``, such as ``render/templates/page.typ``.
    """
    # Imported here: only who wants a PDF shall wait for it.
    import typst

    text = json.dumps(_seen(data), ensure_ascii=False)
    made: bytes = typst.compile(
        template,
        root=Path(__file__).parents[1],
        ignore_system_fonts=max(map(ord, text)) < _COVERED,
        font_paths=[],
        sys_inputs={"data": text},
        timestamp=0,
    )
    return made


def _seen(data: Any) -> Any:
    """Return the same data, every text in it without the signs that act unseen."""
    if isinstance(data, Mapping):
        return {name: _seen(item) for name, item in data.items()}
    if isinstance(data, list | tuple):
        return [_seen(item) for item in data]
    return plain(data) if isinstance(data, str) else data
