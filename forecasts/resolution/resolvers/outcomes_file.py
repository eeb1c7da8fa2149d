"""Resolver kind ``outcomes_file``: look up the question in a file of outcomes.

The file is CSV with a header, or a JSON list of objects, with the columns ``question`` (the slug),
``outcome``, ``known_at`` (a time with an offset, or a day: its first instant, so that no forecast
made that day counts), and optionally ``source`` and ``note``. The outcome is not known yet if the
question or its outcome is missing, or ``known_at`` is in the future.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from pathlib import Path

from pydantic import Field

from forecasts.common.errors import BadInput, CannotTell
from forecasts.common.times import read_time
from forecasts.resolution.resolvers import parsing, protocol
from forecasts.resolution.resolvers.parsing import Row
from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding, Kind, Seen


class Settings(protocol.Settings):
    """A file with the outcomes of many questions."""

    path: protocol.Source = Field(
        min_length=1, description="the CSV or JSON file, or its https address"
    )


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return the question's outcome in the file; None if it has none yet.

    BadInput if the file cannot be read, has two different outcomes of the question, or a row of it
    with another number of cells than the header.
    """
    slug, found, name = asked.slug, None, Path(settings.path).name
    seen = fetch(settings.path)
    for row in seen.once("outcomes", lambda: _by_question(seen, name)).get(slug, []):
        outcome, known = row.text("outcome"), row.text("known_at")
        if row.unfinished and (row.wrong or outcome):
            raise parsing.unfinished(name, slug)
        if row.wrong:
            remedy = "Correct that row. Text with commas needs quotes."
            raise BadInput(row.wrong.message, remedy=remedy)
        if not outcome:
            continue
        if not known:
            raise BadInput(
                f"{row.place}: the outcome has no known_at.",
                remedy="Add the time when it became known: with an offset, or a day.",
            )
        known_at = read_time(known)
        if found is not None and (found.outcome, found.known_at) != (outcome, known_at):
            raise BadInput(
                f"{row.place}: {slug!r} has two outcomes, {found.outcome!r} and {outcome!r}.",
                remedy="Remove one of the two rows.",
            )
        found = Finding(outcome, known_at, row.text("source"), row.text("note"), (seen,))
    return None if found is None or found.known_at > now else found


def _by_question(seen: Seen, name: str) -> dict[str, list[Row]]:
    """Return the rows of each question.

    In a row with the wrong number of cells, or a stray quote, any cell may be the question: it
    counts for every question named in it.
    """
    found = defaultdict[str, list[Row]](list)
    try:
        columns = ("question", "outcome", "known_at")
        for row in parsing.rows_of(seen, name, columns, header_alone=True):
            cells = row.cells.values() if row.wrong else [row.text("question")]
            for slug in dict.fromkeys(cell.strip(' \t"') for cell in cells):
                found[slug].append(row)
    except CannotTell as error:
        raise BadInput(
            error.message,
            remedy="It must be UTF-8 CSV with a header that has question, outcome and known_at "
            "once each, or a JSON list of such objects.",
        ) from None
    return found


KIND = Kind(Settings, look)
