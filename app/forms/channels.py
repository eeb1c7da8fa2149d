"""Where the reader is told of what: their channels, a part of the page Team."""

from __future__ import annotations

import streamlit as st

from app.markdown_text import as_text, counted
from app.session import (
    Act,
    act,
    current_member,
    form_key,
    now,
    reading,
    settings,
    shown_errors,
)
from forecasts.agenda import revisits
from forecasts.agenda.notifications import channels, outbox
from forecasts.agenda.notifications.apprise_gateway import Sent
from forecasts.agenda.notifications.channels import SAYS, Listed
from forecasts.ledger.models import Event


def where_you_are_told() -> None:
    """Show the reader's channels, each with its settings, and the form that adds one."""
    with reading() as ledger:
        me = current_member(ledger)
        listed = channels.listing(ledger, member=me, now=now())
        usual = revisits.intervals(ledger, me).usual
    st.caption(
        "At the end of each scheduled run you are told what concerns you, where you want to be: by "
        "mail, on your phone, in a chat. An address is one of Apprise, whose wiki describes them "
        "all (`github.com/caronc/apprise/wiki`); it is not shown again."
    )
    for channel in listed:
        with st.container(border=True, gap="xsmall"):
            _channel(channel)
    with st.expander("Add a channel", expanded=not listed):
        _add(float(usual.days))


def _channel(channel: Listed) -> None:
    """Show one channel, what has become of its notices, and what can be done with it."""
    said = [f"**{as_text(channel.name)}** {as_text(channel.service)}", f"{channel.sent:,} sent"]
    if channel.waiting:
        said.append(f"{channel.waiting:,} to be sent")
    if channel.unsure:
        said.append(f"{channel.unsure:,} may not have arrived")
    if channel.failed:
        said.append(f"{channel.failed:,} given up")
    st.caption(" · ".join(said))
    if channel.reason:
        st.caption(f"Last: {as_text(channel.reason)}")
    key = form_key(f"channel-{channel.name}")
    with st.form(key, border=False):
        chosen = _settings(key, channel.events, channel.days_before_close, channel.days_until_stale)
        with st.container(horizontal=True):
            saved = st.form_submit_button("Save", key=f"{key}-save")
            tried = st.form_submit_button("Send a test", key=f"{key}-test")
            lost = channel.unsure or channel.failed
            again = lost and st.form_submit_button("Send again", key=f"{key}-again")
            removed = st.form_submit_button("Remove", key=f"{key}-remove")
    if tried:
        _try(channel.name)
    if saved or again or removed:
        with act(key) as doing:
            if removed:
                channels.remove(doing.ledger, channel.name, member=doing.member, now=doing.now)
                doing.say(f"Removed the channel {channel.name}; its address is forgotten.")
            elif again:
                _again(doing, channel.name)
            else:
                events, before, after = chosen
                channels.change(
                    doing.ledger,
                    channel.name,
                    member=doing.member,
                    events=events,
                    days_before_close=before,
                    days_until_stale=after,
                )
                doing.say(f"Saved what {channel.name} is told of.")


def _again(doing: Act, name: str) -> None:
    count = outbox.again(doing.ledger, name, member=doing.member, now=doing.now)
    doing.say(f"{counted(count, 'notice')} will be sent again with the next run.")


def _try(name: str) -> None:
    """Send a message that says no more than that it came, and show what became of it."""
    with shown_errors():
        with reading() as ledger:
            channel = channels.find(ledger, name, member=current_member(ledger))
        with st.spinner("Sending …"):
            sent, reason = outbox.greet(channel, allow_private=settings().allow_private_addresses)
        if sent == Sent.sent:
            st.success("Sent.")
        else:
            st.warning(f"Not sent: {as_text(reason)}")


def _add(until_stale: float) -> None:
    key = form_key("channel")
    with st.form(key, border=False):
        left, right = st.columns([1, 3])
        name = left.text_input("New channel", key=f"{key}-name", placeholder="phone")
        address = right.text_input(
            "Address", key=f"{key}-address", type="password", placeholder="ntfys://TOPIC"
        )
        events, before, after = _settings(
            key, tuple(Event), channels.DAYS_BEFORE_CLOSE, until_stale
        )
        submitted = st.form_submit_button("Add the channel", key=f"{key}-add")
    if submitted:
        with act(key) as doing:
            channel = channels.add(
                doing.ledger,
                name or "",
                address or "",
                member=doing.member,
                now=doing.now,
                events=events,
                days_before_close=before,
                days_until_stale=after,
                allow_private=settings().allow_private_addresses,
            )
            doing.say(f"Added the channel {channel.name}. Send a test to see that it works.")


def _settings(
    key: str, events: tuple[Event, ...], before: float, after: float
) -> tuple[list[Event], float, float]:
    """Show what a channel is told of, and return it as it is chosen."""
    chosen = st.multiselect(
        "Told when",
        list(Event),
        default=list(events),
        format_func=lambda event: SAYS[event],
        key=f"{key}-events",
    )
    left, right = st.columns(2)
    days_before = left.number_input(
        "Days before a close",
        min_value=0.1,
        value=before,
        step=1.0,
        format="%g",
        key=f"{key}-before",
    )
    days_after = right.number_input(
        "Days until a forecast is old",
        min_value=0.1,
        value=after,
        step=1.0,
        format="%g",
        key=f"{key}-after",
        help="Where you have said for a question when you look again, that counts instead.",
    )
    return chosen, days_before, days_after
