"""The commands on what is a member's own: member export, member remove."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from forecasts.cli.console import (
    Database,
    Member,
    by,
    json_text,
    ledger,
    messages,
    now,
    out,
    plain,
    settings,
)
from forecasts.cli.root import app
from forecasts.common.errors import BadInput, Refused

Handle = Annotated[str, typer.Argument(metavar="HANDLE", help="Whose.")]

member = typer.Typer(
    name="member",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Hand over all that a ledger knows of a member, or remove who they are from it.",
)
app.add_typer(member)


@member.command("export")
def export(
    handle: Handle,
    folder: Annotated[Path, typer.Argument(help="Where it shall be; a new folder.")],
    database: Database = None,
    acting: Member = None,
) -> None:
    """Write everything about one member: as member.json, and a CSV file a table."""
    from forecasts.ledger.database import reading
    from forecasts.operations.privacy import everything

    chosen, moment = settings(database, acting), now()
    with reading(ledger(chosen)) as session:
        found = everything(session, handle, member=by(session, chosen, moment), now=moment)
    files = _write(folder, _plain(found))
    out().print(plain("\n".join(str(file) for file in files)))


def _plain(value: Any) -> Any:
    """Return the rows as JSON has them: times as text."""
    from datetime import datetime

    from forecasts.common.times import iso

    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return iso(value) if isinstance(value, datetime) else value


def _write(folder: Path, tables: dict[str, list[dict[str, Any]]]) -> list[Path]:
    import csv

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
                writer.writerows(
                    {
                        name: json_text(value).strip() if isinstance(value, list | dict) else value
                        for name, value in row.items()
                    }
                    for row in rows
                )
    except OSError as error:
        raise BadInput(
            f"The folder {str(folder)!r} cannot be written: {error.strerror or error}.",
            remedy="Name a folder that you may write to.",
        ) from error
    return files


@member.command()
def remove(
    handle: Handle,
    confirm: Annotated[
        str | None,
        typer.Option(
            "--confirm", metavar="HANDLE", help="The handle again, instead of being asked for it."
        ),
    ] = None,
    database: Database = None,
    acting: Member = None,
) -> None:
    """Remove who a member is and what they wrote, for good; their forecasts and scores stay.

    A tombstone such as "removed member 7" stands in their place from then on, and history stays
    whole. Backups and copies of the ledger are not changed.
    """
    from forecasts.access.members import member_named
    from forecasts.ledger.database import reading, writing
    from forecasts.operations.privacy import remove, sweep

    chosen, moment = settings(database, acting), now()
    engine = ledger(chosen)
    with reading(engine) as session:
        member_named(session, handle)
    if confirm is None:
        confirm = typer.prompt(
            f"This cannot be undone. To remove who {handle} is and what they wrote, type the "
            "handle again",
            err=True,
        )
    if confirm != handle:
        raise Refused(f"{confirm!r} is not {handle!r}; nothing was removed.")
    with writing(engine) as session:
        done = remove(session, handle, member=by(session, chosen, moment), now=moment)
    sweep(engine)
    rows = ", ".join(f"{count:,} in {name.replace('_', ' ')}" for name, count in done.rows.items())
    out().print(plain(f"{handle} is {done.handle} from now on. Words removed: {rows}."))
    messages().print("Backups and copies of this ledger have them still.")
