"""The commands that look after history: verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from forecasts.cli import app
from forecasts.cli.console import (
    Database,
    json_text,
    ledger_to_read,
    messages,
    one_of,
    out,
    plain,
    settings,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from forecasts.verifying import Broken, Verified


@app.command()
def verify(
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="DIGEST",
            help="A digest from earlier on: prove that nothing before it has changed.",
        ),
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="text|json", help="How to print it.")
    ] = "text",
    database: Database = None,
) -> None:
    """Prove that history is what it was, and print a digest of it to publish.

    Every row is hashed again and compared with its entry in the chain. Exit code 0: the chain is
    whole; 1: the first entry that was altered, removed, inserted or reordered is named.
    """
    one_of("--format", format_, ("text", "json"))
    found = verified(ledger_to_read(settings(database)), against)
    if format_ == "json":
        out().print(json_text(_as_json(found)), end="")
    elif found.broken is None:
        out().print(plain(_whole(found)))
    if found.broken is not None:
        messages().print(plain(say_broken(found.broken)))
        messages().print(
            f"Up to there all is whole, with the digest {found.digest}\n"
            "Leave the ledger as it is, find out who could write to its database since, and "
            "compare it with the newest backup that forecasts verify finds whole."
        )
        raise typer.Exit(1)


def verified(engine: Engine, against: str | None = None) -> Verified:
    """Return what a walk along the chain found, with progress on standard error meanwhile."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from forecasts.database import reading
    from forecasts.verifying import verify

    console = messages()
    with (
        Progress(
            TextColumn("verify"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("entries"),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        ) as progress,
        reading(engine) as session,
    ):
        bar = progress.add_task("", total=None)
        return verify(
            session,
            against=against,
            tell=lambda done, entries: progress.update(bar, completed=done, total=entries),
        )


def _whole(found: Verified) -> str:
    rows = ", ".join(
        f"{count:,} {kind.replace('_', ' ')}{'' if count == 1 or kind == 'evidence' else 's'}"
        for kind, count in found.rows.items()
    )
    lines = [f"History is whole: {found.entries:,} entries of {rows or 'nothing yet'}."]
    if found.forgotten:
        speaks = "entry speaks" if found.forgotten == 1 else "entries speak"
        lines.append(f"{found.forgotten:,} {speaks} of words that were removed with their member.")
    if found.against is not None:
        lines.append(f"Nothing up to entry {found.against:,} has changed since that digest.")
    return "\n".join([*lines, "", "Digest, to be kept where nobody can change it:", found.digest])


def say_broken(broken: Broken) -> str:
    """Return in a sentence where history is not what it was."""
    where = []
    if broken.entry is not None:
        where.append(f"entry {broken.entry:,}")
    if broken.kind is not None:
        where.append(f"{broken.kind.replace('_', ' ')} {broken.row}")
    if broken.question is not None:
        nth = "" if broken.number is None else f", entry {broken.number:,} of its chain"
        where.append(f"question {broken.question!r}{nth}")
    return f"History was {broken.fault}, first at {'; '.join(where)}: {broken.said}."


def _as_json(found: Verified) -> dict[str, object]:
    from dataclasses import asdict

    return {"whole": found.broken is None, **asdict(found)}
