"""Resolver kind ``outcomes_file``: somebody keeps a file of outcomes; questions look in it.

CSV with a header, or JSON (a list of objects), with the columns ``question`` (the slug),
``outcome``, ``known_at`` (a time with an offset, or a day: its first instant, so that no forecast
made that day counts), and optionally ``source``, ``note``.
A question that is not in the file, or whose outcome is blank there, is not known yet. So is one
whose ``known_at`` lies ahead. Settings: ``path``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from forecasts.errors import BadInput
from forecasts.resolvers import Finding, Read
from forecasts.times import read_time


def check(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with an absolute path; BadInput without one or with others."""
    path = settings.get("path")
    if not isinstance(path, str) or not path.strip() or set(settings) != {"path"}:
        raise BadInput(
            f"The settings {dict(settings)!r} are not those of an outcomes_file.",
            remedy="It has one setting: path, the CSV or JSON file with the outcomes.",
        )
    return {"path": str(Path(path).expanduser().absolute())}


def look(slug: str, settings: Mapping[str, Any], now: datetime, read: Read) -> Finding | None:
    """Return what the file says of the question; None when it says nothing yet.

    BadInput when the file cannot be read or gives the question two different outcomes.
    """
    path = settings["path"]
    found = None
    for place, row in _by_question(path, read(path)).get(slug, []):
        if not row.get("outcome", "").strip():
            continue
        if not row.get("known_at", "").strip():
            raise BadInput(f"{place}: the outcome has no known_at.")
        finding = Finding(
            outcome=row["outcome"].strip(),
            known_at=read_time(row["known_at"]),
            source=row.get("source", "").strip(),
            note=row.get("note", "").strip(),
        )
        if found is not None and (found.outcome, found.known_at) != (
            finding.outcome,
            finding.known_at,
        ):
            raise BadInput(
                f"{place}: {slug!r} stands there twice, as {found.outcome!r} and as "
                f"{finding.outcome!r}.",
                remedy="Leave one of the two rows.",
            )
        found = finding
    return None if found is None or found.known_at > now else found


@lru_cache(maxsize=4)
def _by_question(path: str, content: bytes) -> dict[str, list[tuple[str, dict[str, str]]]]:
    """Return the rows of each question; parsed once, however many questions look in the file."""
    rows: dict[str, list[tuple[str, dict[str, str]]]] = {}
    for place, row in _rows(path, content):
        rows.setdefault(row.get("question", "").strip(), []).append((place, row))
    return rows


def _rows(path: str, content: bytes) -> list[tuple[str, dict[str, str]]]:
    """Return the rows of the file as texts, each with the words that say where it stands."""
    name = Path(path).name
    try:
        text = content.decode("utf-8-sig")
        if text.lstrip()[:1] in ("[", "{"):
            items = json.loads(text)
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise BadInput(f"{name} is not a list of objects.")
            return [
                (
                    f"{name}, entry {number}",
                    {key: "" if value is None else str(value) for key, value in item.items()},
                )
                for number, item in enumerate(items, 1)
            ]
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        missing = {"question", "outcome", "known_at"} - set(reader.fieldnames or ())
        if missing:
            raise BadInput(f"{name} has no column {sorted(missing)[0]!r}.")
        return [
            (
                f"{name}, line {reader.line_num}",
                {key: value or "" for key, value in row.items() if isinstance(key, str)},
            )
            for row in reader
        ]
    except (UnicodeDecodeError, json.JSONDecodeError, csv.Error, RecursionError) as error:
        raise BadInput(
            f"{name} cannot be read: {error}.",
            remedy="It must be UTF-8 CSV with a header, or a JSON list of objects.",
        ) from None
