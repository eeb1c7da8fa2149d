"""Team: members and roles, teams, and resolver status."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time

import streamlit as st

from app.markdown_text import as_text
from app.session import act, form, form_key, now, reading, rights_here
from app.times import day, local_day, when, zone
from app.views.documents import rows_table
from app.views.empty import empty
from app.views.widgets import page_link, search_field
from forecasts.access import members as access_members
from forecasts.access import teams
from forecasts.access.identities import unknown_note
from forecasts.access.kinds import KIND_WORDS, accounts
from forecasts.common.text import count
from forecasts.documents.numbers import NOTHING
from forecasts.ledger.models import Membership, Role, RunState
from forecasts.resolution import progress

PER_PAGE = 50
FEW = 6  # teams shown in full; with more, the reader picks one
SHOWN = 20  # resolvers shown; the Resolve page has them all
# The most common one first.
ROLES = sorted(Role, key=lambda role: role is not Role.forecaster)
FAILURES = {RunState.failed: "will retry", RunState.parked: "needs attention"}

moment = now()


def own_rights() -> None:
    """Show the reader's rights in a sentence."""
    if rights.unshared:
        st.caption("This is a personal ledger: anyone who opens it can do everything.")
    elif rights.unrestricted:
        st.caption("You are an admin of this ledger.")
    else:
        st.caption(f"Your role: {rights.general}, or higher in some teams.")


def members() -> None:
    """Show the members in pages, and the appointment form to an admin."""
    with reading() as ledger:
        kinds = {one.id: one.kind for one in accounts(ledger)}
    if not kinds:
        st.caption("No members yet. You become one with your first act.")
        return
    words = search_field("Search members", "member", "Name")
    place = int(st.session_state.get("people") or 1)
    with reading() as ledger:
        found, total = teams.members_page(
            ledger, now=moment, words=words, page=place, size=PER_PAGE
        )
    pages = max(1, -(-total // PER_PAGE))
    st.caption(count(total, "member"))
    if pages > 1:
        st.pagination(pages, key="people")
    if not found:
        return
    columns: dict[str, Callable[[teams.MemberRoles], str]] = {
        "Member": lambda one: one.member.handle,
        "Kind": lambda one: KIND_WORDS[kinds[one.member.id]],
        "Teams": lambda one: "; ".join(map(", ".join, one.teams)) or NOTHING,
    }
    if any(one.appointed for one in found):
        columns["Ledger role"] = lambda one: str(one.appointed or NOTHING)
    rows_table(found, columns)
    if rights.unrestricted:
        appoint(found)


def appoint(found: list[teams.MemberRoles]) -> None:
    """Show the form that gives a member a role in the whole ledger."""
    with st.expander("Set a ledger role"), form("appoint") as key:
        left, right = st.columns(2)
        who = left.selectbox("Member", [one.member.handle for one in found], key=f"{key}-who")
        role = right.selectbox("Role", ROLES, key=f"{key}-role")
        st.caption("A ledger role applies to all questions. Admins see and may do everything.")
        if st.form_submit_button("Set role", key=f"{key}-go"):
            with act(key, f"{who} is now a {role} in this ledger.") as doing:
                other = access_members.member_named(doing.ledger, who)
                teams.appoint(doing.ledger, other, role, **doing.by)


def picked() -> list[teams.Roster]:
    """Return the teams to show: all if there are few, else the picked one."""
    if len(rosters) <= FEW:
        return rosters
    of = {one.team.name: one for one in rosters}
    mine = next((n for n, one in enumerate(rosters) if one.team.id in rights.teams), 0)
    name = st.selectbox("Team", list(of), index=mine, key="roster", bind="query-params")
    return [of[name]]


def roster(one: teams.Roster) -> None:
    """Show a team's members and rule, and the forms that change them to its admin."""
    name, key = one.team.name, f"team-{one.team.id}"
    st.subheader(as_text(name), anchor=False)
    st.caption(
        "Members who forecast a question need a second resolver to resolve it."
        if one.second_resolver
        else "One resolver is enough."
        if any(stay.role in (Role.resolver, Role.admin) for _, stay in one.members)
        else "No resolver yet: authors and admins resolve the team’s questions."
    )
    if one.members:
        columns: dict[str, Callable[[tuple[str, Membership]], str]] = {
            "Member": lambda row: row[0],
            "Role": lambda row: str(row[1].role),
            "Since": lambda row: since(row[1].joined_at),
        }
        if any(stay.member_id in one.later for _, stay in one.members):
            columns["Forecasts count since"] = lambda row: counted(one, row[1])
        # The key gives all rosters the same column widths.
        with st.container(key=f"roster-{key}"):
            rows_table(one.members, columns)
    else:
        st.caption("No members.")
    if rights.unrestricted or rights.teams.get(one.team.id) is Role.admin:
        with st.expander(f"Manage {as_text(name)}"):
            place(key, one)
            if one.members:
                if rights.unrestricted:
                    count_since(key, one)
                remove(key, one)
            rule(key, one)


def since(moment: datetime | None) -> str:
    """Return the day from which something counts."""
    return "the beginning" if moment is None else day(moment)


def counted(one: teams.Roster, stay: Membership) -> str:
    """Return from when the member's forecasts count, if that was entered later."""
    later = one.later.get(stay.member_id)
    return NOTHING if later is None else f"{since(later.since)} (entered {day(later.entered_at)})"


def place(name: str, one: teams.Roster) -> None:
    """Show the form that adds a member to the team or changes their role."""
    with form(f"{name}-place", row=True) as key:
        who = st.text_input("Handle", key=f"{key}-who")
        role = st.selectbox("Role", ROLES, key=f"{key}-role", width=160)
        go = st.form_submit_button("Add or change role", key=f"{key}-go")
    if go:
        with act(key) as doing:
            unknown = unknown_note(doing.ledger, who)
            other = access_members.member_or_new(doing.ledger, who, now=doing.now)
            teams.set_role(doing.ledger, one.team, other, role, **doing.by)
            undo = f" {unknown} If the name is wrong, remove it here." if unknown else ""
            doing.say(f"{other.handle} is now a {role} in {one.team.name}.{undo}")


def count_since(name: str, one: teams.Roster) -> None:
    """Show the form that counts a member's forecasts from before they joined."""
    with form(f"{name}-since") as key:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            who = st.selectbox("Member", [handle for handle, _ in one.members], key=f"{key}-who")
            latest = local_day(moment)
            chosen = st.date_input(
                label="Count forecasts since", key=f"{key}-day", value=None, max_value=latest
            )
            go = st.form_submit_button("Count earlier forecasts", key=f"{key}-go")
        st.caption("Everyone sees that this was entered later. A later day corrects it.")
    if go and chosen is None:
        st.warning("Choose the day from which the forecasts count.")
    elif go and chosen is not None:
        with act(key) as doing:
            other = access_members.member_named(doing.ledger, who)
            start = datetime.combine(chosen, time(), zone())
            teams.count_since(doing.ledger, one.team, other, start, **doing.by)
            doing.say(f"{who}'s forecasts count in {one.team.name} since {day(start)}.")


def remove(name: str, one: teams.Roster) -> None:
    """Show the form that removes a member from the team."""
    with form(f"{name}-remove", row=True) as key:
        who = st.selectbox("Member", [handle for handle, _ in one.members], key=f"{key}-who")
        sure = st.checkbox("Confirm; their forecasts are kept", key=f"{key}-sure")
        go = st.form_submit_button("Remove member", key=f"{key}-go")
    if go and not sure:
        st.warning(f"Tick the box to confirm that {as_text(who)} leaves.")
    elif go:
        with act(key, f"{who} has left {one.team.name}.") as doing:
            other = access_members.member_named(doing.ledger, who)
            teams.remove(doing.ledger, one.team, other, **doing.by)


def rule(name: str, one: teams.Roster) -> None:
    """Show the button that turns the second-resolver rule on or off."""
    key = form_key(f"{name}-rule")
    label = "Allow a single resolver" if one.second_resolver else "Require a second resolver"
    if st.button(
        label,
        key=f"{key}-go",
        help="A second resolver must agree when the first has forecast the question.",
    ):
        with act(key, f"Saved the rule of {one.team.name}.") as doing:
            agreed = not one.second_resolver
            teams.set_rule(doing.ledger, one.team, second_resolver=agreed, **doing.by)


def create() -> None:
    """Show the form that creates a team."""
    with form("create-team", border=True, row=True) as key:
        name = st.text_input("New team", key=f"{key}-name", placeholder="Name")
        go = st.form_submit_button("Create team", key=f"{key}-go")
    if rights.unshared:
        st.caption("You become the ledger's admin, and roles apply from then on.")
    if go:
        with act(key) as doing:
            team = teams.create(doing.ledger, name, **doing.by)
            doing.say(
                f"Created the team {team.name}. Add its members, and yourself if you "
                "forecast for it."
            )


def status(resolvers: list[progress.LastLookup]) -> None:
    """Show when resolvers last ran, and which of them failed or have not run yet."""
    if not resolvers:
        st.caption(
            "No question has a resolver. To add one, run `forecasts resolver set QUESTION KIND`; "
            "`forecasts resolver kinds` lists the kinds."
        )
        return
    failed = sum(one.lookup is not None and one.lookup.state in FAILURES for one in resolvers)
    fresh = sum(one.lookup is None for one in resolvers)
    st.caption(
        f"{count(len(resolvers), 'question')} with a resolver: {failed:,} failed, {fresh:,} not "
        "checked yet"
    )
    last = progress.last_check(resolvers)
    if last is not None:
        st.caption(f"Last check: {when(last)}.")
    listed = [one for one in resolvers if one.lookup is None or one.lookup.state in FAILURES]
    for one in listed[:SHOWN]:
        result, look = "not checked yet", one.lookup
        if look is not None:
            message = f" · {as_text(look.message)}" if look.message else ""
            then = FAILURES[RunState(look.state)]
            result = f"**failed**, {then} · {when(look.started_at)}{message}"
        st.markdown(
            f"**{as_text(one.slug)}** ({as_text(one.resolver.kind.replace('_', ' '))}): {result}"
        )
    if len(resolvers) > len(listed[:SHOWN]):
        page_link("resolve", f"All {len(resolvers):,} in Resolve")


st.title("Team", anchor=False)
with reading() as ledger:
    rights = rights_here(ledger)
    rosters = teams.listing(ledger, now=moment)
    watched = progress.last_lookups(ledger)
own_rights()
st.header("Members", anchor=False)
members()
st.header("Teams", anchor=False)
for one in picked():
    roster(one)
if not rosters:
    with empty("team", "No teams yet. A team has its own questions and its own record."):
        if rights.unrestricted:
            create()
elif rights.unrestricted:
    create()
st.header("Resolvers", anchor=False)
status(watched)
