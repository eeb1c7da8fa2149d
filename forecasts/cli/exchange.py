"""The commands on a ledger folder or the database: score, import, export."""

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
    format_: Annotated[str, typer.Option("--format", metavar="csv|json|parquet")] = "csv",
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
    if format_ not in ("csv", "json", "parquet"):
        raise BadInput(f"{format_!r} is no format here.", remedy="Use csv, json or parquet.")
    frames = frames_of(folder, database, words=False)
    emit(_rendered(score_frames(frames.questions, frames.forecasts, protocols), format_), output)


def _rendered(table: pd.DataFrame, format_: str) -> str | bytes:
    if format_ == "json":
        return json_text(table.to_dict("records"))
    if format_ == "parquet":
        buffer = io.BytesIO()
        table.to_parquet(buffer, index=False)
        return buffer.getvalue()
    for name in ("score", "coverage"):
        table[name] = [repr(float(value)) for value in table[name]]
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
