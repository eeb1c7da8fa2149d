"""The commands on what a script shows to act: token create, list, revoke."""

from __future__ import annotations

from typing import Annotated

import typer

from forecasts.cli.console import (
    Database,
    by,
    ledger,
    ledger_to_read,
    messages,
    now,
    out,
    plain,
    settings,
)
from forecasts.cli.root import app

token = typer.Typer(
    name="token",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Give scripts a token each, by which they act on a ledger that people sign in to.",
)
app.add_typer(token)


@token.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The script's handle.")],
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="TIME", help="A day or a time. [default: never]"),
    ] = None,
    database: Database = None,
) -> None:
    """Make a token for a script, and print it, once. The script finds it in FORECASTS_TOKEN."""
    from forecasts.access import tokens
    from forecasts.common.times import read_time
    from forecasts.ledger.database import writing

    chosen, moment = settings(database), now()
    until = None if expires is None else read_time(expires, end_of_day=True, now=moment)
    with writing(ledger(chosen, begin=True)) as session:
        who = by(session, chosen, moment)
        issued = tokens.create(session, name, member=who, now=moment, expires_at=until)
        handle, shown, key = issued.member.handle, issued.shown, issued.token.key
    typer.echo(shown)
    messages().print(
        plain(
            f"{handle} acts with this token in FORECASTS_TOKEN. It is shown only now. "
            f"To take it back: forecasts token revoke {key}"
        )
    )


@token.command("list")
def list_(database: Database = None) -> None:
    """List the tokens: whose they are, until when they hold, and which were revoked."""
    from rich.table import Table

    from forecasts.access import tokens
    from forecasts.common.times import to_minute
    from forecasts.ledger.database import reading

    moment = now()
    with reading(ledger_to_read(settings(database))) as session:
        rows = tokens.listing(session)
    if not rows:
        messages().print("There are no tokens. Make one with: forecasts token create NAME")
        return
    table = Table("handle", "key", "made", "expires", "state", box=None, pad_edge=False)
    for one in rows:
        expires = one.token.expires_at
        table.add_row(
            plain(one.handle),
            one.token.key,
            to_minute(one.token.recorded_at),
            "never" if expires is None else to_minute(expires),
            one.state(moment),
        )
    out().print(table)


@token.command()
def revoke(
    named: Annotated[
        str, typer.Argument(metavar="KEY|NAME", help="A token's key, or whose they all are.")
    ],
    database: Database = None,
) -> None:
    """Take tokens back, from this moment on."""
    from forecasts.access import tokens
    from forecasts.ledger.database import writing

    chosen, moment = settings(database), now()
    with writing(ledger(chosen)) as session:
        gone = tokens.revoke(session, named, member=by(session, chosen, moment), now=moment)
    for one in gone:
        again = "" if one.revoked_at is None else " already"
        out().print(plain(f"{one.handle}: {one.token.key} is revoked{again}"))
