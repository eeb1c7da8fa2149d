"""The commands for scripts' tokens: token create, list, revoke."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated

import typer
from sqlmodel import Session
from typer import Argument, Option

from forecasts.access import tokens
from forecasts.cli.console import (
    WRAPPED,
    now,
    print_json,
    print_line,
    print_note,
    print_table,
    when,
)
from forecasts.cli.dates import time_of
from forecasts.cli.options import OnLedger, TextOrJson
from forecasts.cli.root import group
from forecasts.cli.session import by, ledger, ledger_to_read, settings, use_own_zone
from forecasts.common.errors import Forbidden
from forecasts.common.settings import Settings
from forecasts.ledger.clock import act_time
from forecasts.ledger.database import reading, writing
from forecasts.ledger.models import Member
from forecasts.views.members import Token

token = group("token", help="Manage tokens, by which bots and scripts act.")


@token.command(cls=OnLedger)
def create(
    name: Annotated[
        str, Argument(metavar="NAME", help="The bot's handle; a new one becomes your bot.")
    ],
    scope: Annotated[
        list[str] | None,
        Option(
            metavar="read|forecast|ask|resolve|admin",
            help="Allow only this; repeat for more. forecast includes proposing outcomes, resolve "
            "deciding them. [default: read, forecast and ask]",
        ),
    ] = None,
    expires: Annotated[
        str | None, Option(metavar="TIME", help="Last day or time. [default: never]")
    ] = None,
) -> None:
    """Create a token for a bot or script, and print it once.

    Send it with each request to the API, or pass it to a script in FORECASTS_TOKEN.
    """
    use_own_zone()
    chosen, moment = settings(), now()
    until = time_of(expires, end_of_day=True, moment=moment)
    with writing(ledger(chosen, begin=True), now) as session:
        at = act_time(session)
        who = by(session, chosen, at)
        issued = tokens.create(
            session,
            name,
            member=who,
            owner=who or owner_by_name(session, chosen, at),
            now=at,
            expires_at=until,
            scopes=scope or tokens.USUAL_SCOPES,
        )
        handle, secret, key = issued.member.handle, issued.secret, issued.token.key
    typer.echo(secret)
    print_note(
        f"{handle} acts with this token (scopes: {', '.join(issued.token.scopes or ())}). It is "
        "not shown again. "
        f"To revoke it: forecasts token revoke {key}"
    )


def owner_by_name(session: Session, chosen: Settings, at: datetime) -> Member | None:
    """Return the member of the settings, None if a name alone proves nothing."""
    with suppress(Forbidden):
        return tokens.acting_member(session, chosen, now=at)
    return None


@token.command("list", cls=OnLedger)
def list_(format_: TextOrJson = "text") -> None:
    """List tokens with their holders, expiry and state."""
    moment = now()
    with reading(ledger_to_read(settings())) as session:
        rows = tokens.listing(session)
    if format_ == "json":
        print_json(
            [
                Token.of(one.token, handle=one.handle, made_at=one.token.recorded_at, state=state)
                for one in rows
                for state in [one.state(moment)]
            ]
        )
        return
    if not rows:
        print_note("There are no tokens. Create one with: forecasts token create NAME")
        return
    columns = {"handle": {}, "key": {}, "expires": {}, "scopes": WRAPPED, "state": {}}
    cells = (
        (
            one.handle,
            one.token.key,
            "never" if one.token.expires_at is None else when(one.token.expires_at),
            "all" if one.token.scopes is None else ", ".join(one.token.scopes),
            one.state(moment),
        )
        for one in rows
    )
    print_table(columns, cells)


@token.command(cls=OnLedger)
def revoke(
    named: Annotated[
        str, Argument(metavar="KEY|NAME", help="A token's key, or a script with all its tokens.")
    ],
) -> None:
    """Revoke tokens from now on."""
    chosen = settings()
    with writing(ledger(chosen), now) as session:
        at = act_time(session)
        revoked = tokens.revoke(session, named, member=by(session, chosen, at), now=at)
    for one in revoked:
        already = "" if one.revoked_at is None else "already "
        print_line(f"{one.handle}: {one.token.key} {already}revoked")
