"""The commands for notifications: notify add, list, set, remove, test, send."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer
from sqlalchemy import Engine

from forecasts.agenda.notifications import channels, sender
from forecasts.agenda.notifications.apprise_adapter import Delivery
from forecasts.cli.console import now
from forecasts.cli.options import TextOrJson, argument, option
from forecasts.cli.printing import print_line, print_note, printed_json
from forecasts.cli.root import group
from forecasts.cli.session import acting, ledger, reading_as, settings
from forecasts.common.errors import command
from forecasts.common.settings import Settings
from forecasts.common.text import count
from forecasts.ledger.clock import ledger_clock

notify = group("notify", help="Manage your notifications. See docs/notifications.md.")

Name = Annotated[str, argument("NAME", "The channel's name.")]
Events = Annotated[
    list[str] | None,
    option(
        "EVENT",
        "Event to notify about; repeat for each: resolved, decision, disputed, parked, "
        "awaiting, closing, stale, news or closed. [default: all]",
        "--on",
    ),
]
BeforeClose = Annotated[
    float | None, option("DAYS", "Send closing this long before the close. [default: 2]")
]
UntilStale = Annotated[
    float | None,
    option(
        "DAYS",
        "Send stale after this long, unless the question has its own review interval. "
        "[default: your review interval, 14]",
    ),
]


@notify.command()
def add(
    name: Annotated[str, argument("NAME", "A name for the channel, such as phone.")],
    address: Annotated[
        str,
        argument(
            "ADDRESS",
            "An Apprise address, such as ntfys://TOPIC; - reads it from standard input, which "
            "keeps it out of the shell's history.",
        ),
    ],
    on: Events = None,
    days_before_close: BeforeClose = None,
    days_until_stale: UntilStale = None,
) -> None:
    """Add a channel. Notifications about new events are sent at the end of forecasts run."""
    secret = sys.stdin.readline() if address == "-" else address
    with acting(begin=True) as (session, who, now):
        channel = channels.add(
            session,
            name,
            secret,
            member=who,
            now=now,
            events=on,
            days_before_close=days_before_close,
            days_until_stale=days_until_stale,
            allow_private=settings().allow_private_addresses,
        )
        name, events = channel.name, ", ".join(channel.events)
    print_line(f"{name} is notified of: {events}")
    print_note(f"Its address is not shown again. To test it: {command('notify test', name)}")


@notify.command("list")
def list_(format_: TextOrJson = "text") -> None:
    """List your channels, their events and failed deliveries."""
    with reading_as() as (session, who, now):
        listed = channels.listing(session, member=who, now=now)
    if printed_json(format_, listed):
        return
    if not listed:
        print_note("You have no channels. Add one: forecasts notify add NAME ADDRESS")
    for one in listed:
        print_line(f"{one.name} ({one.service}): {', '.join(one.events)}")
        stale = f"stale: after {one.days_until_stale:g} days"
        print_line(f"  closing: {one.days_before_close:g} days before; {stale}")
        counts = {"sent": one.sent, "to be sent": one.waiting, "given up": one.failed}
        states = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)
        print_line(f"  {states or 'nothing sent yet'}")
        if one.unsure:
            print_line(f"  {one.unsure:,} may not have arrived")
        if one.unsure or one.failed:
            print_line(f"  To send them again: {command('notify send', again=one.name)}")
        if one.reason:
            print_line(f"  Last: {one.reason}")


@notify.command("set")
def set_(
    name: Name,
    on: Events = None,
    days_before_close: BeforeClose = None,
    days_until_stale: UntilStale = None,
) -> None:
    """Change a channel's events and timing.

    To change its address, remove it and add it again.
    """
    with acting() as (session, who, _):
        channel = channels.change(
            session,
            name,
            member=who,
            events=on,
            days_before_close=days_before_close,
            days_until_stale=days_until_stale,
        )
        events = ", ".join(channel.events)
    print_line(f"{name} is notified of: {events}")


@notify.command()
def remove(name: Name) -> None:
    """Remove a channel and its address."""
    with acting() as (session, who, now):
        channels.remove(session, name, member=who, now=now)
    print_line(f"{name} removed")


@notify.command("test")
def greet(name: Name) -> None:
    """Send a test message to a channel. Exit code 1 if it could not be sent."""
    with reading_as() as (session, who, _):
        channel = channels.find(session, name, member=who)
    sent, reason = sender.send_test(channel, allow_private=settings().allow_private_addresses)
    if sent != Delivery.sent:
        print_note(f"{name}: not sent: {reason}")
        raise typer.Exit(1)
    print_line(f"{name}: sent")


@notify.command()
def send(
    again: Annotated[
        str | None,
        option(
            "NAME",
            "Resend your channel's notifications that may not have arrived or were given up.",
        ),
    ] = None,
) -> None:
    """Send everyone's due notifications now.

    A forecasts run does so at its end.
    """
    if again is not None:
        with acting() as (session, who, now):
            waiting = sender.resend(session, again, member=who, now=now)
        print_note(f"{again}: {waiting:,} to be sent again")
    chosen = settings()
    notify_members(ledger(chosen), chosen)


def notify_members(
    engine: Engine, chosen: Settings, stop: Callable[[], bool] = lambda: False
) -> None:
    """Send everyone's due notifications and print the results, if any, to standard error.

    No message is begun once ``stop`` returns true.
    """
    if stop():
        return
    moment, private = ledger_clock(engine, now)(), chosen.allow_private_addresses
    results = sender.send(engine, now=moment, allow_private=private, stop=stop)
    if sent := results.count(Delivery.sent):
        print_note(f"{count(sent, 'message')} sent")
    failures = {Delivery.failed: "not sent to", Delivery.unknown: "may not have arrived on"}
    for one in results.messages:
        if failed := failures.get(one.delivery):
            print_note(f"{failed} {one.handle}'s channel {one.channel}: {one.reason}")
    if results.left:
        print_note(f"{results.left:,} channels left for the next run")
