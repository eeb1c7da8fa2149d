"""The commands on a ledger folder or the database: score, crowd, attribute, import, export."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecasts.cli import app
from forecasts.cli.console import (
    Database,
    Member,
    emit,
    json_text,
    ledger,
    messages,
    now,
    out,
    plain,
    settings,
)
from forecasts.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

    from forecasts.frames import Frames

Folder = Annotated[
    Path | None,
    typer.Argument(help="A ledger folder. [default: the database]", show_default=False),
]
Format = Annotated[
    str, typer.Option("--format", metavar="csv|json|parquet", help="How to print it.")
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="PATH", help="[default: standard output]"),
]


def frames_of(folder: Path | None, database: str | None, *, words: bool = True) -> Frames:
    """Return the frames of the folder, or of the configured database without one."""
    if folder is not None:
        from forecasts.exchange.folder import read_folder

        return read_folder(folder, warn=lambda text: messages().print(plain(f"Warning: {text}")))
    from forecasts.database import reading
    from forecasts.frames import ledger_frames

    with reading(ledger(settings(database))) as session:
        return ledger_frames(session, words=words)


@app.command()
def score(
    folder: Folder = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option("--protocol", metavar="NAME", help="Repeat it for several. [default: brier]"),
    ] = None,
    format_: Format = "csv",
    output: Output = None,
    database: Database = None,
) -> None:
    """Score every forecaster on every resolved question, of a folder or of the ledger."""
    from forecasts.scores import score_frames
    from scoring import PROTOCOLS

    protocols = list(dict.fromkeys(protocol or ["brier"]))
    for name in protocols:
        if name not in PROTOCOLS:
            raise BadInput(
                f"There is no protocol {name!r}.",
                remedy="There are: " + ", ".join(sorted(PROTOCOLS)) + ".",
            )
    _known_format(format_)
    frames = frames_of(folder, database, words=False)
    emit(_rendered(score_frames(frames.questions, frames.forecasts, protocols), format_), output)


@app.command()
def crowd(
    folder: Folder = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="NAME",
            help="mean, median, recency_weighted, geometric_odds or extremized.",
        ),
    ] = "recency_weighted",
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="[default: just before each question's close]"),
    ] = None,
    format_: Format = "csv",
    output: Output = None,
    database: Database = None,
) -> None:
    """Print the crowd's forecast on every question: one forecast made of everybody's."""
    import scoring
    from forecasts.times import read_time

    _known_format(format_)
    moment = None if at is None else read_time(at)
    frames = frames_of(folder, database, words=False)
    emit(
        _rendered(scoring.crowd(frames.questions, frames.forecasts, method, moment), format_),
        output,
    )


@app.command()
def attribute(
    folder: Folder = None,
    by: Annotated[
        str, typer.Option("--by", metavar="update|evidence|publisher|kind", help="What to sum by.")
    ] = "update",
    protocol: Annotated[
        str, typer.Option("--protocol", metavar="NAME", help="In whose units.")
    ] = "brier",
    format_: Format = "csv",
    output: Output = None,
    database: Database = None,
) -> None:
    """Print what each update earned, or each piece of evidence, publisher or kind through them.

    It is bookkeeping, not causation: whoever moved last gets the credit.
    """
    from forecasts.attributions import attribute as attribute_frames

    _known_format(format_)
    frames = frames_of(folder, database)
    emit(_rendered(attribute_frames(frames, by, protocol), format_), output)


def _known_format(format_: str) -> None:
    if format_ not in ("csv", "json", "parquet"):
        raise BadInput(f"{format_!r} is no format here.", remedy="Use csv, json or parquet.")


def _rendered(table: pd.DataFrame, format_: str) -> str | bytes:
    """Return the table in that format, numbers in full precision, times in ISO 8601."""
    if format_ == "parquet":
        buffer = io.BytesIO()
        table.to_parquet(buffer, index=False)
        return buffer.getvalue()
    from forecasts.exchange.tables import time_texts

    for name in table.select_dtypes("datetimetz"):
        table[name] = time_texts(table[name])
    if format_ == "json":
        return json_text(table.to_dict("records"))
    for name in table.select_dtypes("float"):
        table[name] = ["" if value != value else repr(float(value)) for value in table[name]]
    text: str = table.to_csv(index=False, lineterminator="\n")
    return text


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="A ledger folder.")],
    database: Database = None,
    member: Member = None,
) -> None:
    """Take a ledger folder into the ledger, all or nothing; the same twice changes nothing."""
    from forecasts.access import member_or_new
    from forecasts.database import writing
    from forecasts.exchange.importing import import_frames

    chosen, moment = settings(database, member), now()
    frames = frames_of(folder, None)
    with writing(ledger(chosen)) as session:
        who = member_or_new(session, chosen.member, now=moment)
        done = import_frames(session, frames, member=who, now=moment)
    out().print(
        f"{done.questions} new questions, {done.revised} revised, {done.forecasts} forecasts, "
        f"{done.resolutions} resolutions, {done.scores} scores, {done.evidence} pieces of "
        f"evidence, {done.articles} articles"
    )


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where the ledger folder shall be.")],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the ledger that is in the folder.")
    ] = False,
    database: Database = None,
) -> None:
    """Write the ledger as a folder of plain files."""
    from forecasts.exchange.folder import write_folder

    files = write_folder(frames_of(None, database), folder, overwrite=overwrite)
    out().print(plain("\n".join(str(file) for file in files)))
