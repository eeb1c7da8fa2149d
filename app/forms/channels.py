"""The reader's notification channels, a part of the Team page."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.markdown_text import as_text
from app.session import act, current_member, form_key, now, reading, settings, shown_errors
from forecasts.agenda import revisits
from forecasts.agenda.notifications import channels, sender
from forecasts.agenda.notifications.apprise_adapter import Delivery
from forecasts.agenda.notifications.channels import DESCRIPTIONS, ChannelInfo
from forecasts.common.text import count
from forecasts.ledger.models import Event


def notifications() -> None:
    """Show the reader's channels with their settings, and the form that adds one."""
    with reading() as ledger:
        me = current_member(ledger)
        listed = channels.listing(ledger, member=me, now=now())
        usual = revisits.intervals(ledger, me).default
    st.caption(
        "Each scheduled run can notify you by mail, phone or chat. Enter an Apprise address (see "
        "`github.com/caronc/apprise/wiki`); it is not shown again."
    )
    for channel in listed:
        with st.container(border=True, gap="xsmall"):
            _channel(channel)
    with st.expander("Add a channel"):
        _add(float(usual.days))


def _channel(channel: ChannelInfo) -> None:
    """Show one channel, its delivery counts, its settings and its buttons."""
    parts = [f"**{as_text(channel.name)}** {as_text(channel.service)}", f"{channel.sent:,} sent"]
    counts = {"waiting": channel.waiting, "unconfirmed": channel.unsure, "failed": channel.failed}
    parts += [f"{count:,} {label}" for label, count in counts.items() if count]
    st.caption(" · ".join(parts))
    if channel.reason:
        st.caption(f"Last error: {as_text(channel.reason)}")
    key = form_key(f"channel-{channel.name}")
    with st.form(key, border=False):
        chosen = _settings(key, channel.events, channel.days_before_close, channel.days_until_stale)
        with st.container(horizontal=True):
            saved = st.form_submit_button("Save", key=f"{key}-save")
            tested = st.form_submit_button("Send a test", key=f"{key}-test")
            undelivered = channel.unsure or channel.failed
            resend = undelivered and st.form_submit_button("Send again", key=f"{key}-again")
            removed = st.form_submit_button("Remove", key=f"{key}-remove")
    if tested:
        _test(channel.name)
    if saved or resend or removed:
        with act(key) as doing:
            if removed:
                channels.remove(doing.ledger, channel.name, **doing.by)
                doing.say(f"Removed the channel {channel.name}; its address is deleted.")
            elif resend:
                notices = sender.resend(doing.ledger, channel.name, **doing.by)
                doing.say(f"The next run sends {count(notices, 'notice')} again.")
            else:
                channels.change(doing.ledger, channel.name, member=doing.member, **chosen)
                doing.say(f"Saved the settings of {channel.name}.")


def _test(name: str) -> None:
    """Send a test message, and show whether it was sent."""
    with shown_errors():
        with reading() as ledger:
            channel = channels.find(ledger, name, member=current_member(ledger))
        allowed = settings().allow_private_addresses
        with st.spinner("Sending …"):
            sent, reason = sender.send_test(channel, allow_private=allowed)
        if sent == Delivery.sent:
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
        chosen = _settings(key, tuple(Event), channels.DAYS_BEFORE_CLOSE, until_stale)
        submitted = st.form_submit_button("Add channel", key=f"{key}-add")
    if submitted:
        with act(key) as doing:
            how = {"allow_private": settings().allow_private_addresses, **doing.by, **chosen}
            channel = channels.add(doing.ledger, name, address, **how)
            doing.say(f"Added the channel {channel.name}. Send a test to check it.")


def _settings(key: str, events: tuple[Event, ...], before: float, after: float) -> dict[str, Any]:
    """Show the fields of a channel's settings; return their values by name."""
    chosen = st.multiselect(
        "Notify me when",
        list(Event),
        default=list(events),
        format_func=lambda event: DESCRIPTIONS[event],
        key=f"{key}-events",
    )
    left, right = st.columns(2)
    how: Any = {"min_value": 0.1, "step": 1.0, "format": "%g"}
    label = "Notify before close (days)"
    return {
        "events": chosen,
        "days_before_close": left.number_input(label, value=before, key=f"{key}-before", **how),
        "days_until_stale": right.number_input(
            "Review after (days)", value=after, key=f"{key}-after", **how
        ),
    }
