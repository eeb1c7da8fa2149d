"""Printing: results to standard output, messages to standard error, as the text that it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from forecasts.common.errors import LedgerError
from forecasts.common.json_text import json_text
from forecasts.common.text import on_one_line, printable

# Further problems are counted, not listed.
_MAX_PROBLEMS = 20
# Columns of a table: of numbers, and that of words which takes the width that is left.
NUMBER = {"justify": "right"}
REST = {"ratio": 1}
WRAPPED = {"ratio": 1, "no_wrap": False, "overflow": "fold"}


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


def listed(
    things: Sequence[object], most: int, *, of: int | None = None, indent: str = "  "
) -> list[str]:
    """Return a line for each of the first things, and one with the number of the others.

    ``of``: how many there are, if not all of them are given.
    """
    lines = [f"{indent}{one}" for one in things[:most]]
    left = (len(things) if of is None else of) - len(lines)
    return [*lines, f"{indent}… and {left:,} more."] if left > 0 else lines


def print_note(*texts: str) -> None:
    """Print messages to standard error, without control characters."""
    for text in texts:
        messages().print(printable(text))


def printed_json(format_: str, document: Any) -> bool:
    """Return whether JSON is asked for; if so, the document is printed.

    It may be a function or an iterator, so that it is only made if it is printed.
    """
    if format_ != "json":
        return False
    made = document() if callable(document) else document
    typer.echo(json_text(list(made) if isinstance(made, Iterator) else made), nl=False)
    return True


def rows_of_a_screen(others: int) -> int:
    """Return the number of rows that fit on the screen beside so many other lines."""
    return max(10, out().height - others)


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


def fitted(*texts: str, lines: int = 1, indent: str = "") -> list[str]:
    """Return each text on at most so many lines of the screen's width, cut with an ellipsis."""
    console, fitting = out(), []
    width = console.width - len(indent)
    for text in texts:
        wrapped = [line.plain.rstrip() for line in Text(on_one_line(text)).wrap(console, width)]
        rest = Text(" ".join(wrapped[lines - 1 :]))
        rest.truncate(width, overflow="ellipsis")
        fitting += [indent + line for line in (*wrapped[: lines - 1], rest.plain) if line]
    return fitting


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
    print_note(error.message, *listed(getattr(error, "problems", ()), _MAX_PROBLEMS))
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
