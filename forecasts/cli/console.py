"""Shared by the commands: printing, questions to the user, the clock and the zone."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from tzlocal import get_localzone

from forecasts.common.errors import BadInput, LedgerError
from forecasts.common.json_text import json_text
from forecasts.common.text import on_one_line, printable
from forecasts.common.times import local_day, to_minute

# Further problems are counted, not listed.
_MAX_PROBLEMS = 20
# The time zone of the acting or reading member's settings.
_ZONE: ContextVar[tzinfo | None] = ContextVar("_ZONE", default=None)
# Columns of a table: of numbers, and that of words which takes the width that is left.
NUMBER = {"justify": "right"}
REST = {"ratio": 1}
WRAPPED = {"ratio": 1, "no_wrap": False, "overflow": "fold"}
# Closed when the command ends: the ledgers that it opened, and the member's zone.
ENDING = ExitStack()


def out() -> Console:
    """Return standard output. Text is printed as it is, never read as markup."""
    return Console(markup=False, highlight=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def messages() -> Console:
    """Return standard error, for progress and messages."""
    return Console(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)


def print_line(text: str, *, style: str | None = None) -> None:
    """Print a line to standard output, without control characters."""
    out().print(printable(text), style=style)


def print_lines(lines: Iterable[str], *, style: str | None = None) -> None:
    """Print each line as ``print_line`` does."""
    for line in lines:
        print_line(line, style=style)


def print_json(value: Any) -> None:
    """Print ``json_ready(value)`` to standard output as one JSON document."""
    typer.echo(json_text(value), nl=False)


def print_table(columns: Mapping[str, Any], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of texts under these headings, each with how ``rich`` lays it out.

    Cells keep to one line; a column with a ``ratio`` takes the width that is left.
    """
    table = Table(box=None, pad_edge=False, expand=any("ratio" in how for how in columns.values()))
    for name, how in columns.items():
        table.add_column(name, **{"no_wrap": True, "overflow": "ellipsis", **how})
    for row in rows:
        table.add_row(*(printable(on_one_line(cell)) for cell in row))
    out().print(table)


def fitted(text: str, *, lines: int = 1, indent: str = "") -> list[str]:
    """Return the text on at most so many lines of the screen's width, cut with an ellipsis."""
    if not text.strip():
        return []
    console = out()
    width = console.width - len(indent)
    wrapped = [line.plain.rstrip() for line in Text(on_one_line(text)).wrap(console, width)]
    rest = Text(" ".join(wrapped[lines - 1 :]))
    rest.truncate(width, overflow="ellipsis")
    return [indent + line for line in (*wrapped[: lines - 1], rest.plain) if line]


def print_note(text: str) -> None:
    """Print a message to standard error, without control characters."""
    messages().print(printable(text))


def now() -> datetime:
    """Return the current time. The command line reads the clock only here."""
    return clock()


def clock() -> datetime:
    """Return the time of this machine; a test sets another."""
    return datetime.now(UTC)


def use_zone(name: str | None) -> None:
    """Read and print times in this zone from now on; None, or one that is unknown here: not set."""
    _ZONE.set(None)
    if name is not None:
        with suppress(ZoneInfoNotFoundError):
            _ZONE.set(ZoneInfo(name))


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone with this name; BadInput if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(
            f"{name!r} is not a time zone.",
            remedy="Name one such as Europe/Paris or America/New_York.",
        ) from None


def zone() -> tzinfo:
    """Return the zone of the member's settings, else that of the computer; UTC if it has none."""
    if (chosen := _ZONE.get()) is not None:
        return chosen
    with warnings.catch_warnings():  # of a computer without a zone
        warnings.simplefilter("ignore")
        try:
            return get_localzone()
        except (ZoneInfoNotFoundError, ValueError):
            return UTC


def when(moment: datetime) -> str:
    """Return a time to the minute in the member's zone: 2026-11-24 14:00 EST."""
    return to_minute(moment, zone())


def day(moment: datetime) -> str:
    """Return a time's day in the member's zone: 2026-11-24."""
    return local_day(moment, zone()).isoformat()


def one_of(option: str, value: str, known: Sequence[str]) -> Any:
    """Return ``value``; raise BadInput unless it is one of the ``known`` values of ``option``."""
    if value not in known:
        names = f"{', '.join(known[:-1])} or {known[-1]}"
        near = get_close_matches(value, known, n=1)
        meant = f"Did you mean {near[0]}? " if near else ""
        raise BadInput(f"{option} {value!r} is not known.", remedy=f"{meant}Use {names}.")
    return value


def confirm(question: str, *, yes: bool) -> None:
    """Ask the question on a terminal and end the command unless the answer is yes.

    Elsewhere nobody can answer: BadInput without the option ``--yes``.
    """
    if yes:
        return
    if not on_terminal():
        raise BadInput(f"{question} There is no terminal to answer on.", remedy="Add --yes.")
    if not typer.confirm(question, err=True):
        print_note("Nothing was changed.")
        raise typer.Exit(1)


def ask_secret(label: str) -> str:
    """Return a secret typed on the terminal, which does not show it. BadInput without one."""
    if not on_terminal():
        raise BadInput(
            f"{label} cannot be asked for: there is no terminal to type it on.",
            remedy="Set it in the environment instead.",
        )
    return str(typer.prompt(label, hide_input=True, err=True)).strip()


def on_terminal() -> bool:
    """Return whether someone can answer a question here."""
    return sys.stdin is not None and sys.stdin.isatty()


def print_now_shared(handle: str) -> None:
    """Tell the member that the ledger is shared from now on, with them as its admin."""
    print_note(
        f"{handle} is now this ledger's admin, and roles apply in it (docs/teams.md). Everyone in "
        "it may see its earlier questions, also those without resolution criteria. To hide one: "
        "forecasts revise QUESTION --visible-to me. "
        "To appoint another admin: forecasts team appoint HANDLE admin"
    )


def print_error(error: LedgerError) -> None:
    """Print an error to standard error: its sentence, the problems of a bad input, the remedy."""
    print_note(error.message)
    problems = getattr(error, "problems", ())
    for problem in problems[:_MAX_PROBLEMS]:
        print_note(f"  {problem}")
    if len(problems) > _MAX_PROBLEMS:
        print_note(f"  … and {len(problems) - _MAX_PROBLEMS} more.")
    if error.remedy:
        print_note(error.remedy)


@contextmanager
def ignoring_closed_pipe() -> Iterator[None]:
    """End quietly if the reader of standard output has gone, as in ``| head``."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
