"""Files of other platforms, written by hand for the tests and read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forecasts.common.errors import BadInput
from forecasts.platforms.formats import FORMATS, recognised
from forecasts.platforms.record import Choices, PlatformRecord, check_record
from forecasts.platforms.source import opened


def read(path: Path, text: str | bytes, *, format_: str, **choices: Any) -> PlatformRecord:
    """Return what a file with this text holds; it is recognised, and a ledger's rules hold."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return parsed(path, format_=format_, **choices)


def parsed(path: Path, *, format_: str, **choices: Any) -> PlatformRecord:
    """Return what a file holds (see ``read``)."""
    with opened(path) as source:
        assert recognised(source)[0] == format_
        record = FORMATS[format_].reader.read(source, Choices(**{"owner": "alice"} | choices))
        check_record(record.frames)
    return record


def as_sheet(path: Path, columns: dict[str, str]) -> PlatformRecord:
    """Return a sheet whose names say too little to recognise it."""
    with opened(path) as source:
        record = FORMATS["pairs"].reader.read(source, Choices(owner="alice", columns=columns))
        check_record(record.frames)
    return record


def refused(path: Path, text: str | bytes, *, format_: str, **choices: Any) -> BadInput:
    """Return the error of reading a file with this text."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(BadInput) as caught, opened(path) as source:
        FORMATS[format_].reader.read(source, Choices(**{"owner": "alice"} | choices))
    return caught.value


def places(error: BadInput) -> list[tuple[str, str]]:
    """Return the place and the value of each problem."""
    return [(one.place, one.value) for one in error.problems]


def table(*rows: dict[str, str]) -> str:
    """Return rows as CSV, in the order of the first one's columns."""
    lines = [",".join(rows[0])]
    lines += [",".join(_cell(row[name]) for name in rows[0]) for row in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text
