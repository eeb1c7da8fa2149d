"""A group's members in one table; the conditionals and links of a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import streamlit as st
from sqlmodel import Session

from app.forms.coherence import offer_all, save_all
from app.forms.forecast_value import read_field
from app.forms.question import implied_words
from app.markdown_text import as_text, dotted, page_reference, quoted
from app.session import Undo, act, form, form_key, lowest_probability, now, shown_errors
from app.times import when
from app.views.documents import chart
from app.views.widgets import question_line
from forecasts.access import visibility
from forecasts.common.vocabulary import LinkKind, LinkStrength
from forecasts.ledger.models import Forecast, QuestionType
from forecasts.questions import links, registry, standing
from forecasts.questions.conditions import Branch
from forecasts.questions.groups import Group
from forecasts.questions.registry import question_text
from forecasts.questions.standing import QuestionState
from forecasts.scores.paths import paths
from forecasts.updates.conditionals import Implied
from forecasts.updates.look_again import Linked
from forecasts.updates.typed_values import require_offered_range
from forecasts.values.value import Value, format_probability, value_of
from forecasts.views import question_charts
from forecasts.views.ties import LATE

KINDS = {
    "nested": "each yes makes the later ones yes",
    "exclusive": "at most one is yes",
    "exhaustive": "exactly one is yes",
    "independent": "each by itself",
}
_LINKS = {
    LinkKind.implies: "If this is yes, that is yes",
    LinkKind.excludes: "At most one is yes",
    LinkKind.equivalent: "Both have the same answer",
    LinkKind.causes: "This changes the chance of that",
}
_BACK = {
    **_LINKS,
    LinkKind.implies: "If that is yes, this is yes",
    LinkKind.causes: "That changes the chance of this",
}
_NEAR = 0.005  # half a point
_DRAWN, _HEIGHT = 12, 260  # members with a line; pixels


@st.fragment
def group_form(group: Group, current: Mapping[int, Forecast]) -> None:
    """Show a field for the forecast on each open member; all are saved in one act.

    ``current``: the member's current forecasts by question id.
    """
    key = form_key(f"group-{group.slug}")
    members = [one.state for one in group.members if one.state.accepts_forecasts(now())]
    labels = {one.state.id: one.label for one in group.members}
    texts = dict[int, str]()
    with st.container(key=f"{key}-fields", horizontal=True, gap="small"):
        for state in members:
            mine = current.get(state.id)
            texts[state.id] = st.text_input(
                as_text(labels[state.id]),
                value="" if mine is None or mine.probability is None else _percent(mine),
                placeholder="%" if state.text.type == QuestionType.binary else "10%=…, 50%=…",
                width=130,
                key=f"{key}-{state.id}",
            )
    values = dict[int, Value]()
    with shown_errors():
        for state in members:
            mine = current.get(state.id)
            if not texts[state.id].strip() or (mine and texts[state.id] == _percent(mine)):
                continue
            value = read_field(texts[state.id], mine, state.text)
            if mine is None or value != value_of(mine):
                values[state.id] = require_offered_range(value, lowest_probability())
    pressed = st.button("Save all", key=f"{key}-go", type="primary", disabled=not members)
    waits = offer_all(key, values, str(texts), submitted=pressed) if values else False
    if pressed and not waits:
        if not values:
            st.caption("No forecast was changed.")
            return
        save_all(key, values)


def _percent(forecast: Forecast) -> str:
    return "" if forecast.probability is None else format_probability(forecast.probability)


def group_line(group: Group) -> str:
    """Return the members as links with their outcomes, as Markdown."""
    return " · ".join(
        page_reference("question", one.label, slug=one.state.slug)
        + (f": {as_text(one.outcome)}" if one.outcome else "")
        for one in group.members
    )


def group_chart(ledger: Session, group: Group, *, me: str, moment: datetime) -> None:
    """Show a line for each of the first members."""
    shown = [one for one in group.members if one.state.text.type == QuestionType.binary][:_DRAWN]
    lines = [
        (one, paths(ledger, one.state.question, one.state.text, now=moment))
        for one in shown
        if not visibility.crowd_is_hidden(ledger, one.state.question)
    ]
    lines = [(one, path) for one, path in lines if not path.steps.empty]
    if len(lines) < 2:
        return
    as_one = question_text(
        title=group.title,
        type=QuestionType.multiple_choice,
        options=[one.label for one, _ in lines],
        open_time=moment,
        scheduled_close_time=moment + timedelta(days=1),
    )
    every = [path for _, path in lines]
    drawn = question_charts.options_chart(every, as_one, me=me, when=when)
    chart(drawn, question_charts.describe_options(every, as_one, outcome=None), height=_HEIGHT)


def implied_list(found: Sequence[Implied], branches: Sequence[Branch]) -> None:
    """Show the branches of a question, and the implications of the reader's forecasts."""
    for branch in branches:
        question_line(branch.state, f"if {as_text(branch.outcome)} · {branch.state.stage}")
    for one in found:
        st.caption(f"{quoted(one.title, 80)}: {implied_words(one)}")


def linked_list(state: QuestionState, found: Sequence[Linked]) -> None:
    """Show the question's links, with how far the reader's forecasts are from them."""
    for one in found:
        row = one.link.row
        words = _LINKS[LinkKind(row.kind)] if one.link.one.id == state.id else _BACK[row.kind]
        far = (
            ""
            if one.distance is None
            else "fits"
            if one.distance < _NEAR
            else (f"**{100 * one.distance:.1f} points** from it")
        )
        mine = "" if one.forecast is None else f"you: {_percent(one.forecast)}"
        again = "review it" if one.is_older else ""
        late = LATE if one.link.is_late else ""
        said = dotted(f"{words} ({row.strength})", late, row.reason, mine)
        question_line(one.other, " · ".join(filter(None, [said, far, again])))
        key = form_key(f"unlink-{row.id}")
        if st.button("Remove link", key=f"{key}-go", type="tertiary"):
            with act(key) as doing:
                ends = one.link.one.question, one.link.other.question
                links.unlink(doing.ledger, *ends, LinkKind(row.kind), **doing.by)
                doing.say(f"Removed the link to {quoted(one.other.text.title)}.", _put_back(one))


def _put_back(one: Linked) -> Undo:
    row, ends = one.link.row, (one.link.one.question, one.link.other.question)

    def undo() -> None:
        with act(form_key("link-undo")) as doing:
            how: Any = {"strength": LinkStrength(row.strength), "reason": row.reason}
            links.link(doing.ledger, *ends, LinkKind(row.kind), **how, **doing.by)
            doing.say("The link is back.")

    return Undo("Adds the link again.", undo)


def link_form(state: QuestionState) -> None:
    """Show the form that links the question with another."""
    with form(f"link-{state.slug}") as key:
        other = st.text_input(
            "Other question", placeholder="its ID or address", key=f"{key}-other",
            help="Its page shows its ID.",
        )  # fmt: skip
        kinds = list(LinkKind)
        kind = st.selectbox("Says", kinds, format_func=lambda one: _LINKS[one], key=f"{key}-kind")
        strength = st.selectbox(
            "How sure", list(LinkStrength), index=1, key=f"{key}-strength",
            help="Forecasts that break a certain link contradict each other. If it is made before "
            "either outcome can be known, reports count the two questions as one; once an outcome "
            f"may be known, it cannot be changed. “{_LINKS[LinkKind.causes]}” has neither effect. "
            "A certain link needs the right to change both questions.",
        )  # fmt: skip
        reason = st.text_input("Why linked", placeholder="optional", key=f"{key}-reason")
        submitted = st.form_submit_button("Add link", key=f"{key}-go")
    if submitted:
        with act(key) as doing:
            slug = other.strip()
            slug = parse_qs(urlsplit(slug).query).get("slug", [slug])[0]
            found = registry.find(doing.ledger, slug)
            how: Any = {"strength": strength, "reason": reason, **doing.by}
            links.link(doing.ledger, state.question, found, LinkKind(kind), **how)
            title = standing.current_state(doing.ledger, found, now=doing.now).text.title
            doing.say(f"Linked with {quoted(title)}.")
