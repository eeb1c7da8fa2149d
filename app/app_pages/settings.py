"""Settings: review interval, time zone, lowest probability, theme; runs and notifications."""

from __future__ import annotations

import shlex
from zoneinfo import available_timezones

import streamlit as st

from app import session
from app.forms.channels import notifications
from app.forms.first_steps import sample_button, sample_offered
from app.forms.tokens import calendar_form, token_forms
from app.markdown_text import span
from app.times import when
from app.views.widgets import switch
from forecasts.access import tokens
from forecasts.access.preferences import HIGHEST_LOWEST, Preferences, set_preferences
from forecasts.access.roles import Action
from forecasts.agenda import calendar_feed, revisits
from forecasts.common.settings import default_ledger, sqlite_url
from forecasts.ledger.models import Theme
from forecasts.ledger.urls import sqlite_path
from forecasts.resolution.progress import RunTimes, run_times

THEMES = {"Device": None, "Light": Theme.light, "Dark": Theme.dark}

moment = session.now()


def preferences_form(usual_days: int) -> None:
    """Show the member's settings for pages, and the form that changes them."""
    chosen, key = session.my_preferences(), session.form_key("preferences")
    browser = f"Browser’s ({st.context.timezone})" if st.context.timezone else "Browser’s"
    zones = [browser, *sorted(available_timezones())]
    lowest = chosen.lowest_probability
    usual_lowest = session.settings().lowest_probability
    with st.form(key):
        left, right = st.columns(2)
        days = left.number_input(
            "Review forecasts every (days)",
            min_value=1,
            max_value=revisits.MOST_DAYS,
            value=usual_days,
            key=f"{key}-days",
            help="Today then asks whether a forecast is still right.",
        )
        zone = right.selectbox(
            "Time zone",
            zones,
            index=zones.index(chosen.time_zone) if chosen.time_zone in zones else 0,
            key=f"{key}-zone",
            help="Times are shown and typed in it, also on the command line.",
        )
        percent = left.number_input(
            "Lowest probability (%)",
            min_value=0.0,
            max_value=100 * max(HIGHEST_LOWEST, usual_lowest),
            value=100 * (usual_lowest if lowest is None else lowest),
            step=0.1,
            format="%g",
            key=f"{key}-lowest",
            help="Forms refuse probabilities closer to 0% or 100%. 0: accept everything.",
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
        with session.act(key) as doing:
            if wanted != chosen:
                set_preferences(doing.ledger, wanted, **doing.by)
            if days != usual_days:
                revisits.set_interval(doing.ledger, int(days), **doing.by)
            session.memory().preferences = None  # read again by the next run
            doing.say("Saved your settings.")


def schedule(times: RunTimes | None, *, operates: bool) -> None:
    """Show when runs take place, or to a member who ``operates`` them the command to schedule."""
    if times is None:
        without = "**No run so far.** A run checks outcomes and sends your notifications."
        if not operates:
            st.markdown(f"{without} An admin of this ledger can schedule them.")
            return
        st.markdown(f"{without} To start one every 15 minutes, enter this in a terminal:")
        cron = f"(crontab -l; forecasts schedule cron{_named()}) | crontab -"
        st.code(cron, language=None, wrap_lines=True)
        st.caption(f"Without cron, leave this running: `forecasts run --every 15m{_named()}`.")
        return
    ago = f"{when(times.last)}, {span(moment - times.last)} ago"
    if times.every is None:
        st.markdown(
            f"**Last run:** {ago}. **Next:** not known until there have been two scheduled ones."
        )
    elif times.is_overdue(moment):
        remedy = "Check the schedule, for example with `crontab -l`."
        st.warning(
            f"Runs have stopped: the last one was {ago}, {span(times.every)} after the one before. "
            + (remedy if operates else "Tell an admin of this ledger.")
        )
    else:
        st.markdown(f"**Last run:** {ago}. **Next:** about {when(times.last + times.every)}.")
    if operates:
        st.caption("`forecasts run status` lists the results.")


def _named() -> str:
    """Return the option that names this ledger in a command, if it is not the default one."""
    path = sqlite_path(session.engine())
    if path is None or sqlite_url(path) == sqlite_url(default_ledger()):
        return ""
    return f" --database {shlex.quote(str(path))}"


st.title("Settings", anchor=False)
if session.memory().sample:
    st.info("Settings belong to your own ledger. Go back to it to change them.")
    st.stop()
with session.reading() as ledger:
    rights, me = session.rights_here(ledger), session.current_member(ledger)
    usual = revisits.intervals(ledger, me).default
    issued = tokens.listing(ledger) if rights.allows(Action.administer) else []
    address = None if me is None else calendar_feed.current_token(ledger, me)
    runs = run_times(ledger)
preferences_form(usual.days)
st.header("Scheduled runs", anchor=False)
schedule(runs, operates=rights.allows(Action.administer))
st.header("Notifications", anchor=False)
notifications()
st.header("Calendar", anchor=False)
calendar_form(address)
if rights.allows(Action.administer):
    st.header("Tokens", anchor=False)
    token_forms(issued)
if sample_offered():
    st.header("Sample ledger", anchor=False)
    st.caption("See every page with data: simulated teams, and real questions from articles.")
    sample_button()
