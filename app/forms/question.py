"""The forms that register a question, reword, close and reopen it, with the fields they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st
from sqlmodel import Session

from app.forms.dates import (
    TypedDate,
    choose_meaning,
    date_field,
    require_future,
    show_reading,
    time_field,
)
from app.forms.forecast_value import read_field, value_help
from app.forms.wording_advice import wording_advice
from app.markdown_text import as_text, quoted, shortened
from app.session import (
    Act,
    Undo,
    act,
    form,
    form_key,
    lowest_probability,
    now,
    reading,
    rights_here,
    shown_errors,
)
from app.times import local_day, when, zone
from app.views.question_history import wording_changes
from app.views.widgets import page_link, switch
from forecasts.access import teams
from forecasts.common.errors import BadInput, LedgerError, Refused
from forecasts.common.text import count
from forecasts.ledger.models import (
    Forecast,
    QuestionRevision,
    QuestionText,
    QuestionType,
    Role,
    Visibility,
)
from forecasts.questions import discards, registry, revisions
from forecasts.questions.passages import find_passage
from forecasts.questions.standing import QuestionState
from forecasts.updates.ask import Asked, Line, ask, require_question_only
from forecasts.updates.ask_group import AskedGroup
from forecasts.updates.ask_together import First, ask_conditional
from forecasts.updates.conditionals import Implied, imply, weight
from forecasts.updates.typed_values import require_offered_range
from forecasts.values.dependence import read_condition
from forecasts.values.outline import Outline
from forecasts.values.typed_dates import Doubtful, typed_deadline
from forecasts.values.value import Value, format_probability, format_value, value_of
from forecasts.views.ties import if_late


@st.fragment
def conditional_form(parent: QuestionState, current: Forecast | None) -> None:
    """Show the form that asks a question once for each outcome of another.

    ``current``: the member's forecast on that one, from which the implied probabilities follow.
    """
    opened = st.expander("Ask under a condition", key=f"if-{parent.slug}", on_change="rerun")
    with opened:
        if opened.open:  # its fields would make every page of a question slower
            st.caption("If this question has an outcome, will something else happen?")
            ask_form(f"if-{parent.slug}", parent=parent, current=current)


def ask_form(
    name: str,
    *,
    article: int | None = None,
    go_there: bool = False,
    parent: QuestionState | None = None,
    current: Forecast | None = None,
) -> None:
    """Show the form that registers a question.

    ``article``: the ID of the article it is taken from. ``go_there``: its page opens afterwards.
    ``parent``: the question under whose outcomes it is asked, and the ``current`` forecast on it.
    """
    with reading() as ledger:
        to_ask = teams_to_ask_in(ledger)
    if to_ask is None:
        st.info("You can read the questions. Asking one requires the forecaster role.")
        return
    key = form_key(name)
    named = _put_into_form(key)
    first = {} if named is None else {"default": named}
    own = f"{key}-type" if named is None else f"{key}-type-{named}"
    kind = QuestionType(switch("Type", list(QuestionType), own, bind=None, **_TYPE, **first))
    with st.container(border=True, key=f"around-{name}"):
        title = st.text_area(
            label="Question" if parent is None else "Question under the condition",
            height="content",
            placeholder="Will … by …?",
            key=f"{key}-title",
        )
        fields = _type_fields(key, kind)
        conditions = [""] if parent is None else _conditions(key, parent)
        forecasts = {one: _forecast_field(key, kind, fields, one) for one in conditions}
        if parent is not None and kind == QuestionType.binary:
            _show_implied(parent, current, title, forecasts)
        left, right = st.columns(2)
        with left:
            doubt = _title_doubt(title, f"{key}-closes")
            closes = date_field(
                label="Last day of forecasting",
                help="Blank: the day that the question names. Forecasting ends with that day.",
                key=f"{key}-closes",
                live=True,
            )
            if doubt is not None and not closes.typed.strip():
                choose_meaning(doubt, f"{key}-closes", chosen=partial(_choose, f"{key}-closes"))
        with right:
            resolves = date_field(
                label="Resolve by", help="Optional.", key=f"{key}-resolves", live=True
            )
        criteria_field(key)
        with st.form(key, border=False):
            detail_fields(key, to_ask, criteria=False)
            submitted = st.form_submit_button("Register question", key=f"{key}-go", type="primary")
        # Below the button, which stays in place as the line appears.
        wording_advice(
            key, title, type=kind, scheduled_close_time=closes.typed, **_typed_texts(fields)
        )
    if submitted:
        details = typed_details(key)
        with act(key) as doing:
            text = registry.question_text(
                title=require_title(title),
                type=kind,
                open_time=doing.now,
                scheduled_close_time=last_moment(title, closes.moment(doing.now), doing.now),
                scheduled_resolve_time=resolves.moment(doing.now),
                **details.fields(doing.ledger),
                **_written(fields, doing.now),
            )
            value, *others = (_typed_value(one, text) for one in forecasts.values())
            if parent is not None:
                firsts = (None if one is None else First(one) for one in (value, *others))
                chosen = details.visible_to is not None
                made = ask_conditional(
                    doing.ledger,
                    parent.question,
                    text,
                    dict(zip(forecasts, firsts, strict=True)),
                    audience_chosen=chosen,
                    origin="app",
                    **doing.by,
                )
                said = f"Registered {count(len(made), 'branch', 'branches')}."
                kept = not chosen and made[0].state.text.visibility == Visibility.author
                words = f"{said} {quoted(text.title)}{_PRIVATE if kept else ''}"
                doing.say(words, undo_of([one.state.slug for one in made]))
                return
            sources = [] if article is None else [find_passage(doing.ledger, article)]
            how: Any = {"audience_chosen": details.visible_to is not None, **doing.by}
            asked = ask(doing.ledger, text, value, sources=sources, origin="app", **how)
            said = f"Registered: {shortened(text.title)}"
            if value is not None:
                said += f" Your forecast: {format_value(value, text.options)}."
            doing.say(asked_message(said, asked))
            if go_there:
                doing.go("question", {"slug": asked.question.slug})


def undo_of(slugs: Sequence[str]) -> Undo:
    """Return the undo of an act that registered these questions."""

    def undo() -> None:
        with act(form_key("register-undo")) as doing:
            discard_all(doing, slugs)
            doing.say(f"Discarded: {count(len(slugs), 'question')}.")

    return Undo("Discards the questions and hides them from everyone.", undo)


def discard_all(doing: Act, slugs: Sequence[str]) -> None:
    """Discard questions that were registered just now."""
    for slug in slugs:
        discards.discard(doing.ledger, registry.find(doing.ledger, slug), **doing.by)


def _typed_value(forecast: str, text: QuestionText) -> Value | None:
    """Return a typed forecast, None if it is blank."""
    if not forecast.strip():
        return None
    return require_offered_range(read_field(forecast, None, text), lowest_probability())


def _conditions(key: str, parent: QuestionState) -> list[str]:
    """Return the parent's outcomes, or the ranges of a number or a date that are typed."""
    if parent.text.type == QuestionType.binary:
        return ["yes", "no"]
    if not parent.text.is_quantitative:
        return parent.text.options or []
    low, high = parent.text.lower_bound, parent.text.upper_bound
    typed = st.text_input(
        "Ranges of the outcome",
        placeholder=f"..{high}, {high}.." if low is None else f"{low}..{high}, {high}..",
        help="Separated by commas. A blank end is open; the end does not belong to the range.",
        key=f"{key}-ranges",
    )
    return [one.strip() for one in typed.split(",") if one.strip()] or [f"..{high}"]


def _show_implied(
    parent: QuestionState, current: Forecast | None, title: str, forecasts: Mapping[str, str]
) -> None:
    """Show the probabilities that the typed forecasts and that on the parent imply together."""
    if current is None:
        return
    with suppress(LedgerError):
        own = value_of(current)
        read = {
            one: read_field(typed, None, Outline()).probability
            for one, typed in forecasts.items()
            if typed.strip()
        }
        given = {one: p for one, p in read.items() if p is not None}
        if given:
            weights = {
                one: weight(own, read_condition(one, parent.text), parent.text) for one in given
            }
            st.caption(implied_words(imply(title, weights, given)))


def implied_words(found: Implied) -> str:
    """Return the implied probabilities, as Markdown."""
    total = "" if found.total is None else f"Implied: **{format_probability(found.total)}** overall"
    both = (f"{as_text(one)} and yes **{format_probability(p)}**" for one, p in found.both.items())
    return " · ".join([*filter(None, [total]), *both])


def _title_doubt(title: str, field: str) -> Doubtful | None:
    """Return why the title's last day has two meanings, None if it has not.

    ``field``: the key of the last day's field; a day in it that was chosen for other words is
    removed.
    """
    doubt = None
    with suppress(BadInput):
        try:
            typed_deadline(title, now=now(), zone=zone())
        except Doubtful as found:
            doubt = found
    phrase, meant = st.session_state.get(f"{field}-chosen", ("", ""))
    if phrase and (doubt is None or doubt.phrase != phrase):
        del st.session_state[f"{field}-chosen"]
        if st.session_state.get(field) == meant:
            st.session_state[field] = ""
    return doubt


def _choose(field: str, phrase: str, meant: str) -> None:
    st.session_state[f"{field}-chosen"] = (phrase, meant)


def full_form_link(line: Line) -> None:
    """Show a link to this form on its page, with the line's title, type and value filled in."""
    asked = {"view": ASK, _TITLE: line.title, _KIND: line.type.value, _GIVEN: line.given}
    page_link("questions", "Open the full form", **asked)


def _put_into_form(key: str) -> QuestionType | None:
    """Put the title of the page's address into the form, once; return the type that came with it.

    The type is kept while the form is: it is the first choice of a widget of its own.
    """
    if title := st.query_params.pop(_TITLE, ""):
        st.session_state[f"{key}-title"] = title
        asked = st.session_state[f"{key}-kind"] = st.query_params.pop(_KIND, "")
        st.session_state[f"{key}-forecast-{asked}"] = st.query_params.pop(_GIVEN, "")
    kind = st.session_state.get(f"{key}-kind")
    return QuestionType(kind) if kind in list(QuestionType) else None


def teams_to_ask_in(ledger: Session) -> list[str] | None:
    """Return the teams that the reader may ask in; None if they may not ask a question at all."""
    rights = rights_here(ledger)
    to_ask = teams.teams_to_ask_in(ledger, rights)
    may_ask = bool(to_ask) or rights.unrestricted or rights.general is not Role.viewer
    return to_ask if may_ask else None


@dataclass(frozen=True)
class Details:
    """The optional fields of a new question; ``words``: its texts, by their names in the ledger."""

    words: dict[str, Any]
    visible_to: str | None
    hide_crowd: bool

    def fields(self, ledger: Session) -> dict[str, Any]:
        """Return all of them under their names in the ledger."""
        visibility = teams.visibility_fields(ledger, self.visible_to)
        return {**self.words, "crowd_hidden": self.hide_crowd, **visibility}


def criteria_field(key: str, criteria: str = "") -> str:
    """Show the field for the resolution criteria; return its text."""
    return st.text_area(
        "Resolution criteria",
        value=criteria,
        key=f"{key}-criteria",
        height=110,
        placeholder="Yes if …, as reported by … No if …",
        help="Precise enough for a stranger to resolve it. Only you see a question without them.",
    )


def detail_fields(
    key: str, to_ask: list[str] | None, text: QuestionText | None = None, *, criteria: bool = True
) -> None:
    """Show the optional fields, as they are in ``text``; ``criteria``: with those too.

    ``to_ask``: the teams that the reader may ask in; None leaves out the choice of its visibility.
    """
    if criteria:
        criteria_field(key, text.resolution_criteria if text else "")
    left, right = st.columns(2)
    tags = ", ".join((text.tags if text else None) or [])
    left.text_input("Tags", value=tags, key=f"{key}-tags", placeholder="china, trade")
    if to_ask is not None:
        with right:
            audience_field(to_ask, "Only me", placeholder="Everyone", key=f"{key}-visible")
    family = left
    if text is not None:
        family, left, right = right, st.container(), st.container()
    for column, label, name, said in (
        (left, "Background", "background", text.background if text else ""),
        (right, "Fine print", "fine-print", text.fine_print if text else ""),
    ):
        column.text_area(label, value=said, key=f"{key}-{name}", height=90)
    family.text_input(
        "Family",
        value=text.family if text else "",
        key=f"{key}-family",
        help="A name shared by related questions. Reports count each family as one.",
    )
    if to_ask is not None:
        shown = "Members see them once they have forecast, or when the question closes."
        right.checkbox("Hide other forecasts at first", key=f"{key}-hide", help=shown)


def audience_field(to_ask: Sequence[str], me: str, **how: Any) -> str | None:
    """Show the audiences of a question; return the choice. ``me``: the words for its author."""
    labels = {teams.EVERYONE: "Everyone", teams.ME: me}
    chosen: str | None = st.selectbox(
        "Visible to",
        [teams.EVERYONE, *to_ask, teams.ME],
        format_func=lambda audience: labels.get(audience) or as_text(audience),
        **{"index": None, **how},
    )
    return chosen


def typed_details(key: str) -> Details:
    """Return the texts of the fields that ``detail_fields`` showed."""
    typed = st.session_state
    words: dict[str, Any] = {
        ours: (typed.get(f"{key}-{name}") or "").strip() for name, ours in _WORDS.items()
    }
    words["tags"] = [tag.strip() for tag in words["tags"].split(",") if tag.strip()] or None
    return Details(words, typed.get(f"{key}-visible"), bool(typed.get(f"{key}-hide")))


# The texts of a question: the ends of their fields' keys, and their names in the ledger.
_WORDS = {
    "criteria": "resolution_criteria",
    "background": "background",
    "fine-print": "fine_print",
    "tags": "tags",
    "family": "family",
}
_PRIVATE = " Only you can see it until it has criteria."
ASK = "Ask a question"  # the form's view on the page of questions
_FEWEST = 2  # options of a question
_TITLE, _KIND, _GIVEN = "title", "kind", "forecast"  # in the page's address, to fill in
_TYPE: dict[str, Any] = {
    "format_func": lambda kind: kind.replace("_", " ").capitalize(),
    "help": "Yes or no, one of several options, a number, or a day.",
}


def _type_fields(key: str, kind: QuestionType) -> dict[str, object]:
    """Show the type's own fields; return them under their names in the ledger, dates as typed."""
    if kind == QuestionType.multiple_choice:
        lines = st.text_area(
            label="Options, one per line",
            height=110,
            placeholder="Busan\nBeijing",
            key=f"{key}-options",
        )
        ordered = st.checkbox(
            label="Ordered options",
            help="A near miss then scores better than a far one.",
            key=f"{key}-ordered",
        )
        options = [line.strip() for line in lines.splitlines() if line.strip()]
        return {"options": options, "ordered": ordered}
    if kind == QuestionType.date:
        left, right = st.columns(2)
        with left:
            earliest = date_field("Earliest", key=f"{key}-lower", first=True, live=True)
        with right:
            latest = date_field("Latest", key=f"{key}-upper", live=True)
        return {"lower_bound": earliest, "upper_bound": latest}
    if kind == QuestionType.numeric:
        columns = st.columns(3)
        lower = columns[0].text_input(label="Lowest", placeholder="0", key=f"{key}-lower")
        upper = columns[1].text_input(label="Highest", placeholder="500", key=f"{key}-upper")
        unit = columns[2].text_input(label="Unit", placeholder="million t", key=f"{key}-unit")
        return {"lower_bound": lower or None, "upper_bound": upper or None, "unit": unit or None}
    return {}


def _typed_texts(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the type's fields as typed."""
    return {
        name: value.typed if isinstance(value, TypedDate) else value
        for name, value in fields.items()
    }


def _written(fields: Mapping[str, Any], moment: datetime) -> dict[str, Any]:
    """Return the type's fields with their dates in ISO 8601."""
    return {
        name: value.iso(moment) if isinstance(value, TypedDate) else value
        for name, value in fields.items()
    }


def _forecast_field(
    key: str, kind: QuestionType, fields: Mapping[str, Any], condition: str = ""
) -> str:
    """Show the field for the author's forecast, with its reading; return its text.

    ``condition``: the outcome of another question that it is for; blank for any.
    """
    examples = {
        QuestionType.binary: "30, .3 or 3:7",
        QuestionType.multiple_choice: "Busan=60%, Beijing=40%",
        QuestionType.numeric: "10%=120, 50%=140, 90%=170",
        QuestionType.date: "10%=1 May 2027, 50%=1 July 2027, 90%=2028",
    }
    typed = st.text_input(
        label=f"Your forecast if {as_text(condition)}" if condition else "Your forecast",
        placeholder=examples[kind],
        help=f"Optional. {value_help(kind)}",
        key=f"{key}-forecast-{kind}{condition and f'-{condition}'}",
        live=True,
    )
    written = typed or ""

    def read() -> str:
        if not written.strip():
            return ""
        if kind == QuestionType.multiple_choice and len(fields["options"]) < _FEWEST:
            raise BadInput("The forecast has no options yet.", remedy="Write them above.")
        known = {name: one for name, one in _written(fields, now()).items() if name != "ordered"}
        outline = Outline(kind, **known)
        return format_value(read_field(written, None, outline), outline.options)

    show_reading(read)
    return written


def require_title(title: str) -> str:
    """Return the question on one line; BadInput if it is blank."""
    if not title.strip():
        raise BadInput("The question is blank.", remedy="Ask it in one sentence.")
    return require_question_only(title)


def last_moment(title: str, typed: datetime | None, now: datetime) -> datetime:
    """Return the close time; BadInput if it is neither typed nor named in the title, or past."""
    if typed is None:
        named = typed_deadline(title, now=now, zone=zone())
        if named is None:
            raise BadInput(
                "The question has no last day.",
                remedy="Write it in the question or beside it: “by 31 March”, “in 3 weeks”.",
            )
        typed = named.moment
    return require_future(typed, now)


def asked_message(words: str, *asked: Asked | AskedGroup) -> str:
    """Return the message, and whether only its author sees a question until it has criteria."""
    if any(one.kept_private for one in asked):
        return f"{words}{_PRIVATE}"
    return words


def wording_form(state: QuestionState) -> None:
    """Show the form that rewords the question, with a preview of the changes."""
    text = state.text
    # One form per wording, so that nobody overwrites a newer wording unseen.
    key = form_key(f"revise-{state.slug}-{text.number}")
    with st.container(border=True):
        fields, days = _words(key, text), {}
        if state.resolution is None:
            days = _days(key, text)
            if text.type == QuestionType.multiple_choice:
                fields |= _options(key, text)
        reason = st.text_input(
            label="Why", placeholder="Your reason (optional)", key=f"{key}-reason"
        )
        previewed = st.button("Preview changes", key=f"{key}-look")
        others = {name: typed.typed for name, typed in days.items() if typed.typed}
        wording_advice(key, fields["title"], text, **others)
    with shown_errors():
        fields |= {name: typed.moment(now()) for name, typed in days.items()}
        changed = revisions.changes(text, revisions.reworded(text, **fields))
        if not changed and previewed:
            st.info("No changes: the fields match the current wording.")
        if changed and _confirmed(key, changed):
            with act(key) as doing:
                new = revisions.revise(
                    doing.ledger, state.question, reason=reason, **doing.by, **fields
                )
                moved = any(change.field == "family" for change in changed)
                late = if_late(doing.ledger, [state.slug], now=doing.now) if moved else ""
                doing.say(f"Saved wording {new.number} of {quoted(new.title)}. {late}".rstrip())


def _words(key: str, text: QuestionRevision) -> dict[str, Any]:
    """Show the fields of the question's text; return them under their names in the ledger.

    A text of which only surrounding blanks differ is as before.
    """
    title = st.text_area("Question", value=text.title, key=f"{key}-title", height=80)
    detail_fields(key, None, text)
    typed = {"title": " ".join(title.split()), **typed_details(key).words}
    texts = ("resolution_criteria", "fine_print", "background")
    kept = {name: str(getattr(text, name)) for name in texts}
    return typed | {name: old for name, old in kept.items() if typed[name] == old.strip()}


def _days(key: str, text: QuestionRevision) -> dict[str, TypedDate]:
    """Show the last days; return only changed ones, to keep exact times behind the others."""
    changed: dict[str, TypedDate] = {}
    fields = {
        "scheduled_close_time": "Last day of forecasting",
        "scheduled_resolve_time": "Resolve by",
    }
    for column, (name, label) in zip(st.columns(2), fields.items(), strict=True):
        time = getattr(text, name)
        before = None if time is None else local_day(time)
        with column:
            typed = date_field(label, before, key=f"{key}-{name}")
        if typed.typed.strip() != ("" if before is None else before.isoformat()):
            changed[name] = typed
    return changed


def _options(key: str, text: QuestionRevision) -> dict[str, Any]:
    """Show the field for added options; return the new options."""
    options = text.options or []
    lines = st.text_area(
        "Options to add, one per line",
        height=80,
        key=f"{key}-options",
        help=f"Added before the last option, “{as_text(options[-1])}”. Earlier forecasts count "
        "with its probability.",
    )
    added = [line.strip() for line in lines.splitlines() if line.strip()]
    return {"options": [*options[:-1], *added, *options[-1:]]} if added else {}


def _confirmed(key: str, changed: list[revisions.Change]) -> bool:
    """Show the changes; return whether to save them."""
    with st.container(border=True, gap="small"):
        st.markdown("**Changes**")
        wording_changes(changed)
        st.caption("The earlier wording remains readable, and forecasts made on it remain active.")
        return st.button("Save new wording", type="primary", key=f"{key}-save")


@st.fragment
def close_form(state: QuestionState) -> None:
    """Show the form that ends forecasting early."""
    key = form_key(f"close-{state.slug}")
    at = time_field(
        label="Closed at", help="Later forecasts do not count. Blank: now.", key=f"{key}-at"
    )
    with st.form(key, border=False):
        st.caption("If the outcome is known, resolve the question instead. That closes it too.")
        sure = st.checkbox("Yes, end forecasting", key=f"{key}-sure")
        submitted = st.form_submit_button("Close question", key=f"{key}-go")
    if submitted:
        with act(key) as doing:
            if not sure:
                raise Refused("The question was not closed.", remedy="Tick the box to confirm.")
            ended = at.moment(doing.now) or doing.now
            closed = revisions.close(doing.ledger, state.question, at=ended, **doing.by)
            doing.say(f"Closed at {when(closed.close_time)}: {quoted(closed.title)}.")


def reopen_form(state: QuestionState) -> None:
    """Show the form that undoes an early close."""
    closed, scheduled = when(state.text.close_time), when(state.text.scheduled_close_time)
    with form(f"reopen-{state.slug}") as key:
        st.caption(f"Closed early, {closed}. Reopened, it closes as scheduled, {scheduled}.")
        submitted = st.form_submit_button("Reopen", key=f"{key}-go")
    if submitted:
        with act(key) as doing:
            text = revisions.reopen(doing.ledger, state.question, **doing.by)
            doing.say(f"Reopened: {quoted(text.title)} closes {when(text.close_time)}.")
