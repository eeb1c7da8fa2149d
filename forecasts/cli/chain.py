"""The commands that look after history: verify, backup, restore."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecasts.cli.console import (
    Database,
    json_text,
    ledger,
    ledger_to_read,
    messages,
    now,
    one_of,
    opened,
    out,
    plain,
    settings,
)
from forecasts.cli.root import app

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from forecasts.ledger.verification import Broken, Verified


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
    _end_if_broken(found)


def _end_if_broken(found: Verified) -> None:
    """Say where history is broken, if it is, and end with exit code 1."""
    if found.broken is None:
        return
    messages().print(plain(_say_broken(found.broken)))
    messages().print(
        f"Up to there all is whole, with the digest {found.digest}\n"
        "Leave the ledger as it is, find out who could write to its database since, and "
        "compare it with the newest backup that forecasts verify finds whole."
    )
    raise typer.Exit(1)


def verified(engine: Engine, against: str | None = None) -> Verified:
    """Return what a walk along the chain found, with progress on standard error meanwhile."""
    from forecasts.ledger.database import reading
    from forecasts.ledger.verification import verify

    with walking() as tell, reading(engine) as session:
        return verify(session, against=against, tell=tell)


@contextmanager
def walking() -> Iterator[Callable[[int, int], None]]:
    """Yield what shows on standard error how far a walk along the chain has come."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = messages()
    with Progress(
        TextColumn("verify"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("entries"),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as progress:
        bar = progress.add_task("", total=None)
        yield lambda done, entries: progress.update(bar, completed=done, total=entries)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the backup shall be.")],
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file that is there already.")
    ] = False,
    database: Database = None,
) -> None:
    """Copy a ledger in a file, while others use it, and prove by its chain that the copy is whole.

    Of a ledger on a server the command that does it is printed (exit code 2).
    """
    from forecasts.operations.backup import back_up

    with walking() as tell:
        found = back_up(ledger(settings(database)), file, force=force, tell=tell)
    if found.broken is not None:
        messages().print(plain(f"{file} is a copy of the ledger as it is, which is not whole:"))
    _end_if_broken(found)
    out().print(plain(f"{file} has {_entries(found)}, and its history is whole."))
    out().print(found.digest)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    database: Database = None,
) -> None:
    """Put a backup in the ledger's place, once its history is proven; the ledger is put aside.

    Nobody else may have the ledger open meanwhile: close the app first.
    """
    from forecasts.ledger.urls import place
    from forecasts.operations.backup import restore

    engine = opened(settings(database), begin=True)
    with walking() as tell:
        done = restore(engine, file, now=now(), tell=tell)
    said = f"The ledger {place(engine)} has the {_entries(done.found)} of {file} now"
    out().print(plain(f"{said}, and its history is whole."))
    out().print(done.found.digest)
    if done.aside is not None:
        messages().print(plain(f"What was there before is at {done.aside} now."))


def _entries(found: Verified) -> str:
    return f"{found.entries:,} {'entry' if found.entries == 1 else 'entries'}"


def _whole(found: Verified) -> str:
    many = {"evidence": "evidence", "policy": "policies"}
    rows = ", ".join(
        f"{count:,} {kind if count == 1 else many.get(kind, f'{kind}s')}".replace("_", " ")
        for kind, count in found.rows.items()
    )
    lines = [f"History is whole: {_entries(found)} of {rows or 'nothing yet'}."]
    if found.forgotten:
        speaks = "entry speaks" if found.forgotten == 1 else "entries speak"
        lines.append(f"{found.forgotten:,} {speaks} of words that were removed with their member.")
    if found.against is not None:
        lines.append(f"Nothing up to entry {found.against:,} has changed since that digest.")
    return "\n".join([*lines, "", "Digest, to be kept where nobody can change it:", found.digest])


def _say_broken(broken: Broken) -> str:
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
