"""Settings: the member's preferences, runs, notification channels, calendar, scripts' tokens."""

from __future__ import annotations

import os
import shlex
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

import streamlit as st

from app import session
from app.forms.first_steps import sample_button, sample_offered
from app.forms.model_calls import model_calls
from app.forms.tokens import calendar_form, token_forms
from app.markdown_text import as_text, span
from app.session import act, current_member, form, reading
from app.times import when
from app.views.widgets import switch
from forecasts.access import tokens
from forecasts.access.preferences import HIGHEST_LOWEST, Preferences, set_preferences
from forecasts.access.roles import Action
from forecasts.agenda import calendar_feed, revisits
from forecasts.agenda.notifications import channels, sender
from forecasts.agenda.notifications.apprise_adapter import Delivery
from forecasts.common.settings import default_ledger, sqlite_url
from forecasts.common.text import count
from forecasts.ledger.models import Event, Theme
from forecasts.ledger.urls import sqlite_path
from forecasts.operations.schedules import OWN_EVERY, RUNS_STARTED, next_time, read_every
from forecasts.resolution.progress import (
    RunTimes,
    interval_in_words,
    last_check,
    last_lookups,
    left_to_others,
    run_times,
)

THEMES = {"Device": None, "Light": Theme.light, "Dark": Theme.dark}

moment = session.now()


def preferences_form(usual_days: int) -> None:
    """Show the member's settings for pages, and the form that changes them."""
    chosen = session.my_preferences()
    browser = f"Browser’s ({st.context.timezone})" if st.context.timezone else "Browser’s"
    zones = [browser, *sorted(available_timezones())]
    at = zones.index(chosen.time_zone) if chosen.time_zone in zones else 0
    lowest, usual_lowest = chosen.lowest_probability, session.settings().lowest_probability
    with form("preferences", border=True) as key:
        left, right = st.columns(2)
        days = left.number_input(
            label="Review forecasts every (days)",
            help="Today then asks whether a forecast is still right.",
            key=f"{key}-days",
            min_value=1,
            max_value=revisits.MOST_DAYS,
            value=usual_days,
        )
        zone = right.selectbox(
            label="Time zone",
            help="Times are shown and typed in it, also on the command line.",
            key=f"{key}-zone",
            options=zones,
            index=at,
        )
        percent = left.number_input(
            label="Lowest probability (%)",
            help="Forms refuse probabilities closer to 0% or 100% than this. 0: accept all.",
            min_value=0.0,
            step=0.1,
            format="%g",
            key=f"{key}-lowest",
            max_value=100 * max(HIGHEST_LOWEST, usual_lowest),
            value=100 * (usual_lowest if lowest is None else lowest),
        )
        now_chosen = next(name for name, theme in THEMES.items() if theme is chosen.theme)
        with right:
            theme = switch("Theme", list(THEMES), f"{key}-theme", default=now_chosen, bind=None)
        submitted = st.form_submit_button("Save", key=f"{key}-save", type="primary")
    if submitted:
        entered = percent / 100
        wanted = Preferences(
            None if zone == browser else zone,
            # Unchanged, it goes on following the server's.
            None if lowest is None and abs(entered - usual_lowest) < 1e-9 else entered,
            THEMES[theme],
        )
        with act(key, "Saved your settings.") as doing:
            if wanted != chosen:
                set_preferences(doing.ledger, wanted, **doing.by)
            if days != usual_days:
                revisits.set_interval(doing.ledger, int(days), **doing.by)
            session.memory().preferences = None  # read again by the next run


def schedule(times: RunTimes | None, checked: datetime | None, *, operates: bool) -> None:
    """Show when runs take place, or to a member who ``operates`` them the command to schedule."""
    own = os.environ.get(RUNS_STARTED)
    every = read_every(own, OWN_EVERY) if own else None
    if times is None and every is None:
        st.markdown(
            ("**No run so far.**" if checked is None else "**No scheduled run so far.**")
            + " A run checks outcomes and sends your notifications. "
            + (f"Outcomes were last checked {when(checked)}. " if checked else "")
            + (
                "To start one every 15 minutes, enter this in a terminal:"
                if operates
                else "An admin of this ledger can schedule them."
            )
        )
        if operates:
            cron = f"(crontab -l; forecasts schedule cron{_named()}) | crontab -"
            st.code(cron, language=None, wrap_lines=True)
            without = f"Without cron, leave this running: `forecasts run --every 15m{_named()}`."
            st.caption(without)
        return
    ago = "none so far" if times is None else f"{when(times.last)}, {span(moment - times.last)} ago"
    if times is not None and times.every is not None and times.is_overdue(moment):
        if not operates:
            remedy = "Tell an admin of this ledger."
        elif every is None:
            remedy = "Check the schedule, for example with `crontab -l`."
        else:
            remedy = "If this app has been running since then, see its log."
        before = f"{span(times.every)} after the one before"
        st.warning(f"Runs have stopped: the last one was {ago}, {before}. {remedy}")
    else:
        estimated = None if times is None else times.next
        following = estimated if every is None else next_time(moment, every)
        about = (
            "not known until there have been two scheduled ones"
            if following is None
            else f"about {when(following)}"
        )
        st.markdown(f"**Last run:** {ago}. **Next:** {about}.")
    starts = (
        "This app leaves runs to another scheduler."
        if every is None
        else f"While this app is running, it checks outcomes {interval_in_words(every)} and sends "
        "notifications."
    )
    st.caption(f"{starts} To see the results: `forecasts run status`." if operates else starts)
    for reason, many in left.items() if every is not None else ():
        st.caption(f"{count(many, 'resolver')} left to another run: {reason} here.")


def _named() -> str:
    """Return the option that names this ledger in a command, if it is not the default one."""
    path = sqlite_path(session.engine())
    if path is None or sqlite_url(path) == sqlite_url(default_ledger()):
        return ""
    return f" --database {shlex.quote(str(path))}"


def notifications() -> None:
    """Show the reader's channels with their settings, and the form that adds one."""
    st.caption(
        "Each scheduled run can notify you by mail, phone or chat. Enter an Apprise address (see "
        "`github.com/caronc/apprise/wiki`); it is not shown again."
    )
    for channel in listed:
        with st.container(border=True, gap="xsmall"):
            one_channel(channel)
    with st.expander("Add a channel"):
        add_channel(float(usual.days))


def one_channel(channel: channels.ChannelInfo) -> None:
    """Show one channel, its delivery counts, its settings and its buttons."""
    parts = [f"**{as_text(channel.name)}** {as_text(channel.service)}", f"{channel.sent:,} sent"]
    counts = {"waiting": channel.waiting, "unconfirmed": channel.unsure, "failed": channel.failed}
    parts += [f"{count:,} {label}" for label, count in counts.items() if count]
    st.caption(" · ".join(parts))
    if channel.reason:
        st.caption(f"Last error: {as_text(channel.reason)}")
    with form(f"channel-{channel.name}") as key:
        chosen = when_told(key, channel.events, channel.days_before_close, channel.days_until_stale)
        with st.container(horizontal=True):
            saved = st.form_submit_button("Save", key=f"{key}-save")
            tested = st.form_submit_button("Send a test", key=f"{key}-test")
            undelivered = channel.unsure or channel.failed
            resend = undelivered and st.form_submit_button("Send again", key=f"{key}-again")
            removed = st.form_submit_button("Remove", key=f"{key}-remove")
    if tested:
        send_test(channel.name)
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


def send_test(name: str) -> None:
    """Send a test message, and show whether it was sent."""
    with session.shown_errors():
        with reading() as ledger:
            channel = channels.find(ledger, name, member=current_member(ledger))
        allowed = session.settings().allow_private_addresses
        with st.spinner("Sending …"):
            sent, reason = sender.send_test(channel, allow_private=allowed)
        if sent == Delivery.sent:
            session.memory().confirm("Sent the test message.", session.now())
            st.rerun()
        else:
            st.warning(f"Not sent: {as_text(reason)}")


def add_channel(until_stale: float) -> None:
    """Show the form that adds a channel."""
    with form("channel") as key:
        left, right = st.columns([1, 3])
        name = left.text_input(label="New channel", placeholder="phone", key=f"{key}-name")
        address = right.text_input(
            label="Address", type="password", placeholder="ntfys://TOPIC", key=f"{key}-address"
        )
        chosen = when_told(key, tuple(Event), channels.DAYS_BEFORE_CLOSE, until_stale)
        submitted = st.form_submit_button("Add channel", key=f"{key}-add")
    if submitted:
        with act(key) as doing:
            allowed = session.settings().allow_private_addresses
            how = {"allow_private": allowed, **doing.by, **chosen}
            channel = channels.add(doing.ledger, name, address, **how)
            doing.say(f"Added the channel {channel.name}. Send a test to check it.")


def when_told(key: str, events: tuple[Event, ...], before: float, after: float) -> dict[str, Any]:
    """Show the fields of a channel's settings; return their values by name."""
    chosen = st.multiselect(
        "Notify me when",
        list(Event),
        default=list(events),
        format_func=lambda event: channels.DESCRIPTIONS[event],
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


st.title("Settings", anchor=False)
if session.memory().sample:
    st.info("Settings belong to your own ledger. Go back to it to change them.")
    st.stop()
with reading() as ledger:
    rights, me = session.rights_here(ledger), current_member(ledger)
    usual = revisits.intervals(ledger, me).default
    listed = channels.listing(ledger, member=me, now=moment)
    issued = tokens.listing(ledger) if rights.allows(Action.administer) else []
    address = None if me is None else calendar_feed.current_token(ledger, me)
    runs, left = run_times(ledger), left_to_others(ledger)
    checked = None if runs else last_check(last_lookups(ledger))
preferences_form(usual.days)
st.header("Scheduled runs", anchor=False)
schedule(runs, checked, operates=rights.allows(Action.administer))
st.header("Notifications", anchor=False)
notifications()
st.header("Calendar", anchor=False)
calendar_form(address)
if rights.allows(Action.administer):
    st.header("Tokens", anchor=False)
    token_forms(issued)
model_calls()
if sample_offered():
    st.header("Sample ledger", anchor=False)
    st.caption("See every page with data: simulated teams, and real questions from articles.")
    sample_button()
