"""The commands that score a ledger folder or the ledger: score, crowd, attribute."""

from __future__ import annotations

from typing import Annotated

import typer

from forecasts.cli.console import Database, emit, now
from forecasts.cli.root import app
from forecasts.cli.table_output import (
    Folder,
    Format,
    Output,
    frames_of,
    table_format,
    table_text,
)
from forecasts.common.errors import BadInput


@app.command()
def score(
    folder: Folder = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option("--protocol", metavar="NAME", help="Repeat it for several. [default: brier]"),
    ] = None,
    format_: Format = None,
    output: Output = None,
    database: Database = None,
) -> None:
    """Score every forecaster on every resolved question, of a folder or of the ledger."""
    from forecasts.scores.scores import score_frames
    from scoring import PROTOCOLS, InputError
    from scoring.protocols import get_protocol

    protocols = list(dict.fromkeys(protocol or ["brier"]))
    for name in protocols:
        try:
            get_protocol(name)
        except InputError:
            raise BadInput(
                f"There is no protocol {name!r}.",
                remedy=f"There are: {', '.join(sorted(PROTOCOLS))}, and a rule at "
                "0.000001 to 3,650,000 days before the scheduled close, such as brier_lead(30).",
            ) from None
    chosen = table_format(format_, output)
    frames = frames_of(folder, database, words=False)
    emit(table_text(score_frames(frames.questions, frames.forecasts, protocols), chosen), output)


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
    format_: Format = None,
    output: Output = None,
    database: Database = None,
) -> None:
    """Print the crowd's forecast on every question: one forecast made of everybody's."""
    import scoring
    from forecasts.common.times import read_time

    chosen = table_format(format_, output)
    moment = None if at is None else read_time(at, now=now())
    frames = frames_of(folder, database, words=False)
    emit(
        table_text(scoring.crowd(frames.questions, frames.forecasts, method, moment), chosen),
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
    format_: Format = None,
    output: Output = None,
    database: Database = None,
) -> None:
    """Print what each update earned, or each piece of evidence, publisher or kind through them.

    It is bookkeeping, not causation: whoever moved last gets the credit.
    """
    from forecasts.scores.attribution import attribute as attribute_frames

    chosen = table_format(format_, output)
    frames = frames_of(folder, database)
    emit(table_text(attribute_frames(frames, by, protocol), chosen), output)
