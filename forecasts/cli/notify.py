"""The commands on where a member is told of what: notify add, list, set, remove, test, send."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from forecasts.cli.console import (
    Database,
    Member,
    acting,
    ledger,
    messages,
    now,
    out,
    plain,
    reading_as,
    settings,
)
from forecasts.cli.root import app

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from forecasts.common.settings import Settings

notify = typer.Typer(
    name="notify",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Say where you are told of what: by mail, in a chat … (docs/notifications.md).",
)
app.add_typer(notify)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The channel's name.")]
Events = Annotated[
    list[str] | None,
    typer.Option(
        "--on",
        metavar="EVENT",
        help="What it is told of: resolved, decision, disputed, parked, awaiting, closing, stale "
        "or closed; once an event. [default: all]",
        show_default=False,
    ),
]
BeforeClose = Annotated[
    float | None,
    typer.Option(
        "--days-before-close", metavar="DAYS", help="closing: so long before. [default: 2]"
    ),
]
UntilStale = Annotated[
    float | None,
    typer.Option(
        "--days-until-stale",
        metavar="DAYS",
        help="stale: after so long, where you have not said for the question when you look again. "
        "[default: your usual, 14]",
    ),
]


@notify.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call it, such as phone.")],
    address: Annotated[
        str,
        typer.Argument(
            metavar="ADDRESS",
            help="An address of Apprise, such as ntfys://TOPIC; - reads it from standard input, "
            "so that it stands in no history.",
        ),
    ],
    on: Events = None,
    days_before_close: BeforeClose = None,
    days_until_stale: UntilStale = None,
    database: Database = None,
    member: Member = None,
) -> None:
    """Add a channel: what happens from now on is told there, at the end of forecasts run."""
    from forecasts.agenda.notifications import channels
    from forecasts.ledger.database import writing
    from forecasts.ledger.models import Event

    chosen, moment = settings(database, member), now()
    secret = sys.stdin.readline() if address == "-" else address
    with writing(ledger(chosen, begin=True)) as session:
        channel = channels.add(
            session,
            name,
            secret,
            member=acting(session, chosen, now=moment),
            now=moment,
            events=tuple(Event) if on is None else on,
            days_before_close=_or(days_before_close, channels.DAYS_BEFORE_CLOSE),
            days_until_stale=days_until_stale,
            allow_private=chosen.allow_private_addresses,
        )
        said, events = channel.name, ", ".join(channel.events)
    out().print(plain(f"{said} is told of: {events}"))
    messages().print(plain(f"Its address is not shown again. Try it: forecasts notify test {said}"))


def _or(given: float | None, usual: float) -> float:
    return usual if given is None else given


@notify.command("list")
def list_(database: Database = None, member: Member = None) -> None:
    """List your channels, what each is told of, and what may not have arrived."""
    from forecasts.agenda.notifications import channels

    with reading_as(settings(database, member)) as (session, who):
        listed = channels.listing(session, member=who, now=now())
    if not listed:
        messages().print("You have no channels. Add one: forecasts notify add NAME ADDRESS")
    for one in listed:
        out().print(plain(f"{one.name} ({one.service}): {', '.join(one.events)}"))
        out().print(
            f"  closing: {one.days_before_close:g} days before; "
            f"stale: after {one.days_until_stale:g} days"
        )
        counts = {"sent": one.sent, "to be sent": one.waiting, "given up": one.failed}
        said = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
        out().print(f"  {said or 'nothing sent yet'}")
        if one.unsure:
            out().print(f"  {one.unsure:,} may not have arrived")
        if one.unsure or one.failed:
            out().print(plain(f"  To send them again: forecasts notify send --again {one.name}"))
        if one.reason:
            out().print(plain(f"  Last: {one.reason}"))


@notify.command("set")
def set_(
    name: Name,
    on: Events = None,
    days_before_close: BeforeClose = None,
    days_until_stale: UntilStale = None,
    database: Database = None,
    member: Member = None,
) -> None:
    """Change what a channel is told of. For another address, remove it and add it anew."""
    from forecasts.agenda.notifications import channels
    from forecasts.ledger.database import writing

    chosen, moment = settings(database, member), now()
    with writing(ledger(chosen)) as session:
        channel = channels.change(
            session,
            name,
            member=acting(session, chosen, now=moment),
            events=on,
            days_before_close=days_before_close,
            days_until_stale=days_until_stale,
        )
        events = ", ".join(channel.events)
    out().print(plain(f"{name} is told of: {events}"))


@notify.command()
def remove(name: Name, database: Database = None, member: Member = None) -> None:
    """Remove a channel; its address is forgotten."""
    from forecasts.agenda.notifications import channels
    from forecasts.ledger.database import writing

    chosen, moment = settings(database, member), now()
    with writing(ledger(chosen)) as session:
        channels.remove(session, name, member=acting(session, chosen, now=moment), now=moment)
    out().print(plain(f"{name} is removed"))


@notify.command("test")
def greet(name: Name, database: Database = None, member: Member = None) -> None:
    """Send a message to a channel that says no more than that it came. Exit code 1: it did not."""
    from forecasts.agenda.notifications import channels, outbox
    from forecasts.agenda.notifications.apprise_gateway import Sent

    chosen = settings(database, member)
    with reading_as(chosen) as (session, who):
        channel = channels.find(session, name, member=who)
    sent, reason = outbox.greet(channel, allow_private=chosen.allow_private_addresses)
    if sent != Sent.sent:
        messages().print(plain(f"{name}: not sent: {reason}"))
        raise typer.Exit(1)
    out().print(plain(f"{name}: sent"))


@notify.command()
def send(
    again: Annotated[
        str | None,
        typer.Option(
            "--again",
            metavar="NAME",
            help="Send again what may not have arrived on your channel, and what was given up.",
        ),
    ] = None,
    database: Database = None,
    member: Member = None,
) -> None:
    """Tell everybody what is due now, as the end of forecasts run does."""
    from forecasts.agenda.notifications import outbox
    from forecasts.ledger.database import writing

    chosen, moment = settings(database, member), now()
    engine = ledger(chosen)
    if again is not None:
        with writing(engine) as session:
            who = acting(session, chosen, now=moment)
            count = outbox.again(session, again, member=who, now=moment)
        messages().print(plain(f"{again}: {count:,} to be sent again"))
    tell(engine, chosen)


def tell(engine: Engine, chosen: Settings) -> None:
    """Send what is due to everybody, and say to standard error what became of it, if anything."""
    from forecasts.agenda.notifications import outbox
    from forecasts.agenda.notifications.apprise_gateway import Sent

    came_to = outbox.send(engine, now=now(), allow_private=chosen.allow_private_addresses)
    if sent := came_to.count(Sent.sent):
        messages().print(f"{sent:,} {'message' if sent == 1 else 'messages'} sent")
    for one in came_to.told:
        if one.sent == Sent.failed:
            said = f"not sent to {one.handle}'s channel {one.channel}: {one.reason}"
            messages().print(plain(said))
        elif one.sent == Sent.unknown:
            said = f"may not have arrived on {one.handle}'s channel {one.channel}: {one.reason}"
            messages().print(plain(said))
    if came_to.left:
        messages().print(f"{came_to.left:,} channels are left to the next run")
