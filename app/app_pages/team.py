"""Team: who is here and in which role, the teams, tokens, calendar, channels, and what runs."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import streamlit as st

from app.forms.channels import where_you_are_told
from app.markdown_text import as_text, counted, day, when
from app.session import (
    act,
    address_of_app,
    current_member,
    form_key,
    memory,
    now,
    reading,
    rights_here,
)
from forecasts.access import members as access_members
from forecasts.access import teams, tokens
from forecasts.access.roles import Action
from forecasts.access.teams import Person, Roster
from forecasts.access.tokens import Listed
from forecasts.agenda import calendar_feed
from forecasts.ledger.models import Role, RunState, Token
from forecasts.resolution import assignments
from forecasts.resolution.assignments import Watched

PER_PAGE = 50
FEW = 6  # teams that stand below one another; of more, one is picked
SHOWN = 20  # runs of resolvers; the Resolve page has them all
# The usual one first.
GIVEN = sorted(Role, key=lambda role: role is not Role.forecaster)
LOOKED = {
    RunState.confirmed: "confirmed an outcome",
    RunState.proposed: "proposed an outcome",
    RunState.not_yet: "not known yet",
    RunState.failed: "**failed**, and is tried again",
    RunState.parked: "**failed**, and waits for a person",
}

moment = now()
remembered = memory()


def secret() -> None:
    """Show what is shown once, until its reader says that they have it."""
    if remembered.secret is None:
        return
    about, words = remembered.secret
    with st.container(border=True):
        st.markdown(f"**{as_text(about)}** It is shown this once: copy it now.")
        st.code(words, language=None, wrap_lines=True)
        if st.button("I have copied it", key="copied", type="primary"):
            remembered.secret = None
            st.rerun()


def who_am_i() -> None:
    """Say in a sentence what the reader may do here."""
    if rights.own:
        st.caption(
            "This ledger is your own: whoever opens it may do everything in it. Whoever makes the "
            "first team becomes its admin, and from then on roles hold."
        )
    elif rights.free:
        st.caption("You are an admin of this ledger.")
    else:
        st.caption(f"In this ledger you are a {rights.general}, but for the teams that say more.")


def members() -> None:
    """Show who there is, a page at a time; who may, appoints."""
    words = st.text_input(
        "Search members",
        key="member",
        type="search",
        placeholder="Part of a handle",
        bind="query-params",
    )
    place = int(st.session_state.get("people") or 1)
    with reading() as ledger:
        found, total = teams.members_page(
            ledger, now=moment, words=words or "", place=place, size=PER_PAGE
        )
    pages = max(1, -(-total // PER_PAGE))
    st.caption(counted(total, "member"))
    if pages > 1:
        st.pagination(pages, key="people")
    if found:
        st.table(
            {
                "Member": [as_text(one.member.handle) for one in found],
                "Kind": [str(one.member.kind) for one in found],
                "In the whole ledger": [_general(one) for one in found],
                "Teams": [_teams(one) for one in found],
            },
            hide_index=True,
            border="horizontal",
        )
    if rights.free:
        appoint(found)


def _general(one: Person) -> str:
    return "–" if one.appointed is None else str(one.appointed)


def _teams(one: Person) -> str:
    return as_text("; ".join(f"{name}, {role}" for name, role in one.teams)) or "–"


def appoint(found: list[Person]) -> None:
    """Show the form that gives somebody a role in the whole ledger."""
    if not found:
        return
    key = form_key("appoint")
    with st.expander("Appoint somebody to a role in the whole ledger"), st.form(key, border=False):
        left, right = st.columns(2)
        who = left.selectbox(
            "Member", [one.member.handle for one in found], format_func=as_text, key=f"{key}-who"
        )
        role = right.selectbox("Role", GIVEN, key=f"{key}-role")
        st.caption("An admin may do everything, and sees every question.")
        if st.form_submit_button("Appoint", key=f"{key}-go"):
            with act(key) as doing:
                other = access_members.member_named(doing.ledger, who)
                teams.appoint(doing.ledger, other, role, member=doing.member, now=doing.now)
                doing.say(f"{who} is a {role} in this ledger now.")


def picked() -> list[Roster]:
    """Return the teams to show: all where they are few, else the one that is picked."""
    if len(rosters) <= FEW:
        return rosters
    of = {one.team.name: one for one in rosters}
    mine = [name for name, one in of.items() if one.team.id in rights.teams]
    name = st.selectbox(
        "Team",
        list(of),
        index=list(of).index(mine[0]) if mine else 0,
        format_func=as_text,
        key="team",
        bind="query-params",
    )
    return [of[name]]


def roster(one: Roster) -> None:
    """Show a team: who is in it, its rule; and to who may, the forms that change it."""
    name, key = one.team.name, f"team-{one.team.id}"
    st.subheader(as_text(name), anchor=False)
    st.caption(
        "Nobody resolves one of its questions alone on which they have forecast."
        if one.second_resolver
        else "Whoever may decide on its questions does so alone."
    )
    if one.members:
        # Each with the columns of the others.
        st.container(key=f"roster-{key}").table(
            {
                "Member": [as_text(handle) for handle, _ in one.members],
                "Role": [str(stay.role) for _, stay in one.members],
                "Since": [
                    "the beginning" if stay.joined_at is None else day(stay.joined_at)
                    for _, stay in one.members
                ],
            },
            hide_index=True,
            border="horizontal",
        )
    else:
        st.caption("Nobody is in it now.")
    mine = rights.teams.get(one.team.id or 0)
    if not (rights.free or mine is Role.admin):
        return
    with st.expander(f"Change who is in {as_text(name)}"):
        place(key, one)
        remove(key, one)
        rule(key, one)


def place(name: str, one: Roster) -> None:
    """Show the form that adds somebody to the team, or gives them another role in it."""
    key = form_key(f"{name}-place")
    with st.form(key, border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        who = st.text_input("Handle", key=f"{key}-who", placeholder="bob")
        role = st.selectbox("Role", GIVEN, key=f"{key}-role", width=160)
        go = st.form_submit_button("Add, or change the role", key=f"{key}-go")
    if go:
        with act(key) as doing:
            other = access_members.member_or_new(doing.ledger, who or "", now=doing.now)
            teams.set_role(doing.ledger, one.team, other, role, member=doing.member, now=doing.now)
            doing.say(f"{other.handle} is a {role} in {one.team.name} now.")


def remove(name: str, one: Roster) -> None:
    """Show the form that ends somebody's stay; what they did in the team stays."""
    if not one.members:
        return
    key = form_key(f"{name}-remove")
    with st.form(key, border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        who = st.selectbox(
            "Member", [handle for handle, _ in one.members], format_func=as_text, key=f"{key}-who"
        )
        sure = st.checkbox("They leave now; what they did stays", key=f"{key}-sure")
        go = st.form_submit_button("Remove from the team", key=f"{key}-go")
    if go and not sure:
        st.warning(f"Tick the box to say that {as_text(who)} leaves.")
    elif go:
        with act(key) as doing:
            other = access_members.member_named(doing.ledger, who)
            teams.remove(doing.ledger, one.team, other, member=doing.member, now=doing.now)
            doing.say(f"{who} has left {one.team.name}.")


def rule(name: str, one: Roster) -> None:
    """Show the button that turns the rule of the second resolver on or off."""
    key = form_key(f"{name}-rule")
    label = "Let resolvers decide alone" if one.second_resolver else "Ask for a second resolver"
    if st.button(
        label,
        key=f"{key}-go",
        help="With a second resolver, nobody resolves a question alone on which they forecast.",
    ):
        with act(key) as doing:
            agreed = not one.second_resolver
            teams.set_rule(
                doing.ledger, one.team, second_resolver=agreed, member=doing.member, now=doing.now
            )
            doing.say(f"Stored what {one.team.name} has agreed on.")


def create() -> None:
    """Show the form that makes a team."""
    if not rights.free:
        return
    key = form_key("create-team")
    with st.form(key), st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("New team", key=f"{key}-name", placeholder="Name")
        go = st.form_submit_button("Make the team", key=f"{key}-go")
    if rights.own:
        st.caption("You become the admin of it and of this ledger, and roles hold from then on.")
    if go:
        with act(key) as doing:
            team = teams.create(doing.ledger, name or "", member=doing.member, now=doing.now)
            doing.say(f"Made the team {team.name}; you are its admin.")


def all_tokens(there: list[Listed]) -> None:
    """Show the tokens of scripts, and the forms that make and revoke them."""
    st.caption(
        "A script shows a token to say who it is, in FORECASTS_TOKEN. The ledger keeps a hash of "
        "it alone, so it is shown once, when it is made."
    )
    if there:
        st.table(
            {
                "Member": [as_text(one.handle) for one in there],
                "Key": [as_text(one.token.key) for one in there],
                "Made": [day(one.token.recorded_at) for one in there],
                "Expires": [
                    "never" if one.token.expires_at is None else day(one.token.expires_at)
                    for one in there
                ],
                "State": [one.state(moment) for one in there],
            },
            hide_index=True,
            border="horizontal",
        )
    key = form_key("token")
    with st.form(key), st.container(horizontal=True, vertical_alignment="bottom"):
        handle = st.text_input("Name of the script", key=f"{key}-who", placeholder="resolver-bot")
        until = st.date_input(
            "Expires after", value=None, min_value=moment.date(), max_value=date.max,
            key=f"{key}-until", format="YYYY-MM-DD", help="Blank: it holds until it is revoked.",
        )  # fmt: skip
        go = st.form_submit_button("Make a token", key=f"{key}-go")
    if go:
        ends = None if until is None else datetime.combine(until, time.max, UTC)
        with act(key) as doing:
            made = tokens.create(
                doing.ledger, handle or "", member=doing.member, now=doing.now, expires_at=ends
            )
            remembered.secret = (f"The token of {made.member.handle}.", made.shown)
    in_force = [one for one in there if one.state(moment) == "in force"]
    if in_force:
        revoke([f"{one.token.key} ({one.handle})" for one in in_force])


def revoke(named: list[str]) -> None:
    """Show the form that revokes a token."""
    key = form_key("revoke")
    with st.form(key), st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Token in force", named, format_func=as_text, key=f"{key}-key")
        sure = st.checkbox("Whatever uses it is refused from now on", key=f"{key}-sure")
        go = st.form_submit_button("Revoke", key=f"{key}-go")
    if go and not sure:
        st.warning("Tick the box to say so: a token that is revoked stays so.")
    elif go:
        with act(key) as doing:
            tokens.revoke(doing.ledger, chosen.split(" ")[0], member=doing.member, now=doing.now)
            doing.say(f"Revoked {chosen}.")


def calendar(there: Token | None) -> None:
    """Show the reader's own calendar: whether it has an address; make one, or revoke it."""
    st.caption(
        "A calendar program can show when the questions that you see close and are to be resolved. "
        "It reads them from an address of your own; whoever has that reads them too."
    )
    if there is not None:
        st.markdown(f"There is an address, made on {day(there.recorded_at)}.")
    key = form_key("calendar")
    with st.container(horizontal=True):
        label = "Make another address" if there else "Make an address"
        if st.button(label, key=f"{key}-make", help="An earlier one is revoked with that."):
            with act(key) as doing:
                made = calendar_feed.create(doing.ledger, member=doing.member, now=doing.now)
                remembered.secret = (
                    "The address of your calendar.",
                    calendar_feed.address(address_of_app(), made.shown),
                )
        if there is not None and st.button("Revoke it", key=f"{key}-revoke"):
            with act(key) as doing:
                calendar_feed.revoke(doing.ledger, member=doing.member, now=doing.now)
                doing.say("Your calendar has no address any more.")


def status(there: list[Watched]) -> None:
    """Show when outcomes were looked for last, and which resolvers failed or have yet to look."""
    if not there:
        st.caption(
            "No question has a resolver, so nothing runs by itself. One is given by a command: "
            "`forecasts resolver set QUESTION KIND`; the kinds: `forecasts resolver kinds`."
        )
        return
    wrong = (RunState.failed, RunState.parked)
    failed = sum(one.look is not None and one.look.state in wrong for one in there)
    st.caption(
        f"{counted(len(there), 'question')} looked up by a resolver, "
        + (f"{failed:,} of which failed last time" if failed else "none of which failed last time")
    )
    last = max((one.look.started_at for one in there if one.look is not None), default=None)
    if last is not None:
        st.caption(f"The last one looked {when(last)}.")
    told = [one for one in there if one.look is None or one.look.state in wrong]
    for one in told[:SHOWN]:
        said = "has not looked yet"
        if one.look is not None:
            said = f"{LOOKED[RunState(one.look.state)]} · {when(one.look.started_at)}"
            if one.look.message:
                said += f" · {as_text(one.look.message)}"
        st.markdown(f"**{as_text(one.slug)}** ({as_text(one.resolver.kind)}): {said}")
    if len(there) > len(told[:SHOWN]):
        st.page_link("app_pages/resolve.py", label=f"All {len(there):,} on the Resolve page")


st.title("Team", anchor=False)
with reading() as ledger:
    rights, me = rights_here(ledger), current_member(ledger)
    rosters = teams.listing(ledger, now=moment)
    issued = tokens.listing(ledger) if rights.allow(Action.administer) else []
    address = None if me is None else calendar_feed.in_force(ledger, me)
    watched = assignments.watched(ledger)
secret()
who_am_i()
st.header("Members", anchor=False)
members()
st.header("Teams", anchor=False)
for one in picked():
    roster(one)
if not rosters:
    st.caption("There is no team yet.")
create()
if rights.allow(Action.administer):
    st.header("Tokens", anchor=False)
    all_tokens(issued)
st.header("Your calendar", anchor=False)
calendar(address)
st.header("Where you are told", anchor=False)
where_you_are_told()
st.header("Runs", anchor=False)
status(watched)
