"""The commands for a member: member export, member remove, member adopt."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from forecasts.access import tokens
from forecasts.access.members import member_named
from forecasts.cli.console import now, print_line, print_note
from forecasts.cli.options import Handle, OnLedger
from forecasts.cli.root import group
from forecasts.cli.session import by, ledger, settings
from forecasts.cli.tokens import owner_by_name
from forecasts.common.errors import BadInput, Refused
from forecasts.common.json_text import json_ready, json_text
from forecasts.common.text import without_formulas
from forecasts.ledger.clock import act_time
from forecasts.ledger.database import reading, writing
from forecasts.operations import privacy
from forecasts.operations.privacy import everything

member = group("member", help="Export or remove a member's data, or adopt a model as your bot.")

Repeated = Annotated[
    str | None, Option(metavar="HANDLE", help="Repeat the handle instead of being prompted.")
]


@member.command("export")
def export(
    handle: Handle, folder: Annotated[Path, Argument(metavar="FOLDER", help="Folder to create.")]
) -> None:
    """Export everything about a member, as JSON and CSV files.

    In CSV, an apostrophe is put before texts that a spreadsheet would take for formulas.
    """
    chosen, moment = settings(), now()
    with reading(ledger(chosen)) as session:
        found = everything(session, handle, member=by(session, chosen, moment), now=moment)
    for file in _write(folder, json_ready(found)):
        print_line(str(file))


def _cell(value: Any) -> Any:
    text = json_text(value).strip() if isinstance(value, list | dict) else value
    return without_formulas(text) if isinstance(text, str) else text


def _write(folder: Path, tables: dict[str, list[dict[str, Any]]]) -> list[Path]:
    try:
        if folder.exists() and any(folder.iterdir()):
            raise Refused(f"The folder {str(folder)!r} is not empty.", remedy="Name a new one.")
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / "member.json"]
        files[0].write_text(json_text(tables), encoding="utf-8")
        for name, rows in tables.items():
            files.append(folder / f"{name}.csv")
            with files[-1].open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows({column: _cell(row[column]) for column in row} for row in rows)
    except OSError as error:
        raise BadInput(
            f"The folder {str(folder)!r} cannot be written: {error.strerror or error}.",
            remedy="Name a folder that you may write to.",
        ) from error
    return files


def _require_repeated(handle: str, given: str | None, act: str) -> None:
    """Raise Refused unless the handle is repeated, in the option or at the prompt."""
    if given is None:
        given = typer.prompt(f"This cannot be undone. To {act}, type the handle", err=True)
    if given != handle:
        raise Refused(f"{given!r} is not {handle!r}; nothing was changed.")


@member.command(cls=OnLedger)
def adopt(
    handle: Handle,
    confirm: Repeated = None,
) -> None:
    """Make a member who is a model your bot, for good. Past forecasts count as a bot's too.

    For a model that acted under a name before models were bots, or a bot without an owner. Names,
    forecasts and scores stay. Someone who signs in, or has a role in the whole ledger, is a person.
    """
    _require_repeated(handle, confirm, f"make {handle} your bot")
    chosen = settings()
    with writing(ledger(chosen), now) as session:
        at = act_time(session)
        who = by(session, chosen, at)
        owner = who or owner_by_name(session, chosen, at)
        tokens.adopt(session, handle, member=who, owner=owner, now=at)
    print_line(f"{handle} is a bot of {owner.handle if owner else 'nobody'}.")


@member.command()
def remove(
    handle: Handle,
    confirm: Repeated = None,
) -> None:
    """Remove a member's name and texts for good. Their forecasts and scores are kept.

    A tombstone such as "removed member 7" replaces the name, and history stays intact. Backups and
    copies of the ledger are not changed.
    """
    chosen = settings()
    engine = ledger(chosen)
    with reading(engine) as session:
        member_named(session, handle)
    _require_repeated(handle, confirm, f"remove the name and texts of {handle}")
    with writing(engine, now) as session:
        at = act_time(session)
        done = privacy.remove(session, handle, member=by(session, chosen, at), now=at)
    privacy.sweep(engine)
    rows = ", ".join(f"{count:,} in {name.replace('_', ' ')}" for name, count in done.rows.items())
    print_line(f"{handle} is now {done.handle}. Texts removed: {rows}.")
    print_note("Backups and copies of this ledger still contain them.")
