"""What the commands share that read a ledger folder or the ledger and print a table."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecasts.cli.console import (
    json_text,
    messages,
    one_of,
    plain,
    reading_as,
    settings,
)
from forecasts.common.errors import BadInput
from forecasts.common.text import inert

if TYPE_CHECKING:
    import pandas as pd

    from forecasts.scores.frames import Frames

Folder = Annotated[
    Path | None,
    typer.Argument(help="A ledger folder. [default: the database]", show_default=False),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="csv|json|parquet",
        help="[default: by the ending of --output, else csv]",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="PATH", help="[default: standard output]"),
]


# The formats of a table, and the ending of a file that says so.
_TABLE_FORMATS = {"csv": ".csv", "json": ".json", "parquet": ".parquet"}


def frames_of(folder: Path | None, database: str | None, *, words: bool = True) -> Frames:
    """Return the frames of the folder, or of the configured database without one."""
    if folder is not None:
        from forecasts.exchange.folder.folder import read_folder

        return read_folder(folder, warn=lambda text: messages().print(plain(f"Warning: {text}")))
    from forecasts.scores.frames import ledger_frames

    with reading_as(settings(database)) as (session, _):
        return ledger_frames(session, words=words)


def format_of(
    given: str | None, output: Path | None, known: Mapping[str, str], default: str
) -> str:
    """Return the format asked for, or the one that the ending of ``output`` says.

    ``known`` holds the ending of each format.
    """
    if given is not None:
        chosen: str = one_of("--format", given, tuple(known))
        return chosen
    ending = "" if output is None else output.suffix.lower()
    by_ending = {ending: name for name, ending in known.items()}
    if ending and ending not in by_ending:
        raise BadInput(
            f"There is no format for a file that ends in {ending!r}.",
            remedy=f"Name one with --format: {', '.join(known)}.",
        )
    return by_ending.get(ending, default)


def table_format(given: str | None, output: Path | None) -> str:
    """Return the format of a table, as ``format_of`` does."""
    return format_of(given, output, _TABLE_FORMATS, "csv")


def table_text(table: pd.DataFrame, format_: str) -> str | bytes:
    """Return the table in that format, numbers in full precision, times in ISO 8601.

    In CSV, words that a spreadsheet would take for a formula have an apostrophe put before them;
    JSON and Parquet hold them exactly.
    """
    if format_ == "parquet":
        buffer = io.BytesIO()
        table.to_parquet(buffer, index=False)
        return buffer.getvalue()
    from forecasts.exchange.folder.tables import time_texts

    for name in table.select_dtypes("datetimetz"):
        table[name] = time_texts(table[name])
    if format_ == "json":
        return json_text(table.to_dict("records"))
    for name in [name for name in table if table[name].dtype == "str"]:
        table[name] = [inert(text) for text in table[name].fillna("")]
    for name in table.select_dtypes("float"):
        table[name] = ["" if value != value else repr(float(value)) for value in table[name]]
    text: str = table.to_csv(index=False, lineterminator="\n")
    return text
