"""The commands for the ledger's history: verify, backup, restore."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from forecasts.cli.console import now, print_json, print_line, print_note, progress_bar
from forecasts.cli.options import Database, TextOrJson
from forecasts.cli.root import app
from forecasts.cli.session import ledger, ledger_to_read, opened, settings

if TYPE_CHECKING:
    from forecasts.ledger.verification import Verified


@app.command()
def verify(
    against: Annotated[
        str | None,
        Option(
            metavar="DIGEST",
            help="Compare with an earlier digest: prove that nothing before it has changed.",
        ),
    ] = None,
    format_: TextOrJson = "text",
    database: Database = None,
) -> None:
    """Verify that history is unchanged, and print its digest.

    Every row is hashed again and compared with its entry in the chain. Exit code 0: the chain is
    intact; 1: the first altered, removed, inserted or reordered entry is named.
    """
    from forecasts.ledger.database import reading
    from forecasts.ledger.verification import verify

    with _verify_bar() as tell, reading(ledger_to_read(settings(database))) as session:
        found = verify(session, against=against, tell=tell)
    if format_ == "json":
        print_json({"whole": found.broken is None, **asdict(found)})
    elif found.broken is None:
        print_line(_intact(found))
    _exit_if_broken(found)


def _exit_if_broken(found: Verified) -> None:
    """Print the fault in history, if there is one, and exit with code 1."""
    broken = found.broken
    if broken is None:
        return
    where = []
    if broken.entry is not None:
        where.append(f"entry {broken.entry:,}")
    if broken.kind is not None:
        where.append(f"{broken.kind.replace('_', ' ')} {broken.row}")
    if broken.question is not None:
        number = "" if broken.number is None else f", entry {broken.number:,} of its chain"
        where.append(f"question {broken.question!r}{number}")
    print_note(
        f"History was {broken.fault}, first at {'; '.join(where)}: {broken.said}.\n"
        f"Everything before it is intact, with the digest {found.digest}\n"
        "Do not change the ledger. Find out who could write to its database, and compare it with "
        "the newest backup that forecasts verify finds intact."
    )
    raise typer.Exit(1)


@contextmanager
def _verify_bar() -> Iterator[Callable[[int, int], None]]:
    """Yield a function that shows how many entries of how many were verified."""
    with progress_bar("verify", "entries") as advance_to:
        yield lambda done, entries: advance_to(completed=done, total=entries)


@app.command()
def backup(
    file: Annotated[Path, Argument(metavar="FILE", help="The backup to write.")],
    force: Annotated[bool, Option("--force", help="Replace an existing file.")] = False,
    database: Database = None,
) -> None:
    """Back up a ledger file while it is in use, and verify the copy.

    For a ledger on a server, the command to use instead is printed (exit code 2).
    """
    from forecasts.operations.backup import back_up

    with _verify_bar() as tell:
        found = back_up(ledger(settings(database)), file, force=force, on_progress=tell)
    if found.broken is not None:
        print_note(f"{file} is an exact copy of the ledger, but the ledger's history is broken:")
    _exit_if_broken(found)
    print_line(f"{file} has {_entries(found)}, and its history is intact.")
    print_line(found.digest)


@app.command()
def restore(
    file: Annotated[Path, Argument(metavar="FILE", help="The backup to restore.")],
    database: Database = None,
) -> None:
    """Restore a ledger from a verified backup. The old ledger is kept beside it.

    The ledger must not be open anywhere: stop the app first.
    """
    from forecasts.ledger.urls import place
    from forecasts.operations.backup import restore

    engine = opened(settings(database), begin=True)
    with _verify_bar() as tell:
        done = restore(engine, file, now=now(), on_progress=tell)
    print_line(
        f"Restored {place(engine)} from {file}: {_entries(done.found)}, and its history is intact."
    )
    print_line(done.found.digest)
    if done.aside is not None:
        print_note(f"The old ledger is now at {done.aside}.")


def _entries(found: Verified) -> str:
    return f"{found.entries:,} {'entry' if found.entries == 1 else 'entries'}"


def _intact(found: Verified) -> str:
    plurals = {"evidence": "evidence", "policy": "policies"}
    rows = ", ".join(
        f"{count:,} {kind if count == 1 else plurals.get(kind, f'{kind}s')}".replace("_", " ")
        for kind, count in found.rows.items()
    )
    lines = [f"History is intact: {_entries(found)} for {rows or 'no rows yet'}."]
    if found.forgotten:
        refer = "entry refers" if found.forgotten == 1 else "entries refer"
        lines.append(f"{found.forgotten:,} {refer} to text that was removed with its member.")
    if found.against is not None:
        lines.append(f"Nothing up to entry {found.against:,} has changed since that digest.")
    return "\n".join([*lines, "", "Digest (keep it where nobody can change it):", found.digest])
