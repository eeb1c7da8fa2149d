"""The commands that score: score, crowd, attribute."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from forecasts.cli.console import emit, time_of
from forecasts.cli.options import Database
from forecasts.cli.root import app
from forecasts.cli.table_output import (
    Folder,
    Format,
    Output,
    format_of,
    frames_of,
    table_text,
)
from forecasts.common.errors import BadInput


@app.command()
def score(
    folder: Folder = None,
    protocol: Annotated[
        list[str] | None,
        Option(metavar="NAME", help="Scoring protocol; repeat for more. [default: brier]"),
    ] = None,
    format_: Format = None,
    output: Output = None,
    database: Database = None,
) -> None:
    """Score each forecaster on each resolved question."""
    import scoring
    from scoring.protocols import get_protocol

    protocols = list(dict.fromkeys(protocol or ["brier"]))
    for name in protocols:
        try:
            get_protocol(name)
        except scoring.InputError:
            raise BadInput(
                f"There is no protocol {name!r}.",
                remedy=f"Use one of {', '.join(sorted(scoring.PROTOCOLS))}, or a rule at "
                "0.000001 to 3,650,000 days before the scheduled close, such as brier_lead(30).",
            ) from None
    chosen = format_of(format_, output)
    frames = frames_of(folder, database, rationales=False)
    emit(table_text(scoring.score(frames.questions, frames.forecasts, protocols), chosen), output)


@app.command()
def crowd(
    folder: Folder = None,
    method: Annotated[
        str,
        Option(
            metavar="NAME",
            help="Aggregate by mean, median, recency_weighted, geometric_odds or extremized.",
        ),
    ] = "recency_weighted",
    at: Annotated[
        str | None,
        Option(metavar="TIME", help="Time of the forecast. [default: just before each close]"),
    ] = None,
    format_: Format = None,
    output: Output = None,
    database: Database = None,
) -> None:
    """Print the crowd's forecast on each question."""
    import scoring

    chosen, moment = format_of(format_, output), time_of(at)
    frames = frames_of(folder, database, rationales=False)
    table = scoring.crowd(frames.questions, frames.forecasts, method, moment)
    emit(table_text(table, chosen), output)


@app.command()
def attribute(
    folder: Folder = None,
    by: Annotated[
        str, Option(metavar="update|evidence|publisher|kind", help="Sum by one of these.")
    ] = "update",
    protocol: Annotated[
        str, Option(metavar="NAME", help="Scoring protocol for the units.")
    ] = "brier",
    format_: Format = None,
    output: Output = None,
    database: Database = None,
) -> None:
    """Attribute scores to updates, evidence, publishers or kinds.

    This is bookkeeping, not causation: the last member to move gets the credit.
    """
    from forecasts.scores.attribution import attribute as attribute_frames

    chosen = format_of(format_, output)
    frames = frames_of(folder, database)
    emit(table_text(attribute_frames(frames, by, protocol), chosen), output)
